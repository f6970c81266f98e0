"""What is typed into a search box, by tables: words, modifiers, days, and the marks in what was found."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from svc.webapp.domain.search.dates import bounds
from svc.webapp.domain.search.highlights import BEGIN, END, highlighted
from svc.webapp.domain.search.parsing import TERMS_MAX, Modifier, Parsed, Term, parse

PARSED = [
    ("", Parsed((), ())),
    ("   \n ", Parsed((), ())),
    ("!!! - *", Parsed((), ())),
    ("red build", Parsed((Term("red"), Term("build")), ())),
    ('"red build" now', Parsed((Term("red build", is_exact=True), Term("now")), ())),
    ("“red build”", Parsed((Term("red build", is_exact=True),), ())),
    ('"never closed', Parsed((Term("never closed", is_exact=True),), ())),
    ("-red", Parsed((Term("red", is_unwanted=True),), ())),
    ('-"red build"', Parsed((Term("red build", is_exact=True, is_unwanted=True),), ())),
    ("rep*", Parsed((Term("rep", is_prefix=True),), ())),
    ("a*", Parsed((Term("a*"),), ())),
    ("well-known", Parsed((Term("well-known"),), ())),
    ("from:@ada", Parsed((), (Modifier("from", "@ada"),))),
    ("FROM:me x", Parsed((Term("x"),), (Modifier("from", "me"),))),
    ("-in:#general", Parsed((), (Modifier("in", "#general", is_unwanted=True),))),
    ("in: general", Parsed((), (Modifier("in", "general"),))),
    ('during:"march 2026"', Parsed((), (Modifier("during", "march 2026"),))),
    ("has::tada:", Parsed((), (Modifier("has", ":tada:"),))),
    ("from:<@U024BE7LH|ada lovelace>", Parsed((), (Modifier("from", "<@U024BE7LH|ada lovelace>"),))),
    ("is:thread has:pin", Parsed((), (Modifier("is", "thread"), Modifier("has", "pin")))),
    ("https://a.b/c?d", Parsed((Term("https://a.b/c?d"),), ())),
    ("unknown:thing", Parsed((Term("unknown:thing"),), ())),
    ("<b>x</b>", Parsed((Term("<b>"), Term("x</b>")), ())),
]


@pytest.mark.parametrize(("query", "wanted"), PARSED, ids=[query or "nothing" for query, _ in PARSED])
def test_a_query_is_taken_apart(query: str, wanted: Parsed) -> None:
    """Each form that people type."""
    assert parse(query) == wanted


def test_anything_can_be_typed() -> None:
    """Nothing fails, and nothing grows beyond its limit."""
    rng = Random(3)
    alphabet = 'ab -":*<>@#|in from: \u201c\ue000日\x00'
    for _ in range(2_000):
        found = parse("".join(rng.choices(alphabet, k=rng.randrange(60))))
        assert all(term.text for term in found.terms)
    assert len(parse("word " * 5_000).terms) == TERMS_MAX


NOW = datetime(2026, 11, 22, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Sunday; in London still the day before."""


def us(year: int, month: int, day: int) -> int:
    """Return the beginning of a day in Berlin."""
    return int(datetime(year, month, day, tzinfo=NOW.tzinfo).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("on", "2026-03-01", (us(2026, 3, 1), us(2026, 3, 2))),
        ("on", "2026-03-29", (us(2026, 3, 29), us(2026, 3, 30))),
        ("before", "2026-03-01", (0, us(2026, 3, 1))),
        ("after", "2026-03-01", (us(2026, 3, 2), 0)),
        ("during", "2026-02", (us(2026, 2, 1), us(2026, 3, 1))),
        ("during", "2025", (us(2025, 1, 1), us(2026, 1, 1))),
        ("during", "december 2025", (us(2025, 12, 1), us(2026, 1, 1))),
        ("during", "december", (us(2025, 12, 1), us(2026, 1, 1))),
        ("during", "Nov", (us(2026, 11, 1), us(2026, 12, 1))),
        ("after", "march", (us(2026, 4, 1), 0)),
        ("on", "today", (us(2026, 11, 22), us(2026, 11, 23))),
        ("on", "yesterday", (us(2026, 11, 21), us(2026, 11, 22))),
        ("during", "week", (us(2026, 11, 16), us(2026, 11, 23))),
        ("during", "this month", (us(2026, 11, 1), us(2026, 12, 1))),
        ("on", "friday", (us(2026, 11, 20), us(2026, 11, 21))),
        ("on", "sunday", (us(2026, 11, 22), us(2026, 11, 23))),
        ("on", "03/14/2026", (us(2026, 3, 14), us(2026, 3, 15))),
        ("on", "14/03/2026", (us(2026, 3, 14), us(2026, 3, 15))),
        ("on", "2026-02-30", None),
        ("on", "2026-13", None),
        ("on", "0000", None),
        ("before", "9998-12-31", (0, us(9998, 12, 31))),
        ("after", "9999-12-31", None),
        ("on", "someday", None),
        ("on", "", None),
    ],
)
def test_days_are_those_of_who_asks(name: str, value: str, wanted: tuple[int, int] | None) -> None:
    """Spans, and their two ends, in the asker's zone."""
    assert bounds(name, value, NOW) == wanted


def test_a_day_of_somebody_else_is_another() -> None:
    """The same moment, in London."""
    assert bounds("on", "today", NOW.astimezone(UTC)) != bounds("on", "today", NOW)


@pytest.mark.parametrize(
    ("text", "query", "is_loose", "wanted"),
    [
        ("Red build, red roof", "red", False, "[Red] build, [red] roof"),
        ("The build is red", '"is red" build', False, "The [build] [is red]"),
        ("deployed twice", "deploy", False, "deployed twice"),
        ("deployed twice", "deploy", True, "[deployed] twice"),
        ("deployed twice", "dep*", False, "[deployed] twice"),
        ("Crème brûlée", "creme", False, "[Crème] brûlée"),
        ("<https://red.org|the red site>", "red", False, "<https://red.org|the [red] site>"),
        ("<https://red.org>", "red", False, "<https://red.org>"),
        ("<@URED> says red &red; :red:", "red", False, "<@URED> says [red] &red; :red:"),
        ("red red", '"red red" red', False, "[red red]"),
        ("nothing here", "red", True, "nothing here"),
        ("日本語です", "本語", False, "日[本語]です"),
    ],
)
def test_what_was_searched_is_marked(text: str, query: str, is_loose: bool, wanted: str) -> None:
    """As Slack marks it, and never inside an address."""
    found = highlighted(text, parse(query).terms, is_loose=is_loose)
    assert found.replace(BEGIN, "[").replace(END, "]") == wanted
