"""The same arguments, in each of the ways in which clients write them, are the same to a method."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from svc.webapp.api.arguments import Arg, Args, ArgumentError, Kind, merge, parse
from svc.webapp.api.bodies import read_body, read_query
from svc.webapp.api.registry import METHODS

DECLARED = (
    Arg("text"),
    Arg("flag", Kind.FLAG),
    Arg("number", Kind.NUMBER),
    Arg("names", Kind.LIST),
    Arg("stamp", Kind.STAMP),
    Arg("blocks", Kind.ARRAY),
    Arg("view", Kind.OBJECT),
)
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=a-boundary"

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
WORDS = PLAIN.filter(str.strip)
NAMES = st.lists(st.from_regex(r"[A-Z][A-Z0-9]{1,10}", fullmatch=True), min_size=1, max_size=5, unique=True)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=8,
)
FLAGS: Mapping[bool, st.SearchStrategy[Any]] = {
    True: st.sampled_from([True, 1, "true", "True", "TRUE", "1", "yes", "on", " true "]),
    False: st.sampled_from([False, 0, "false", "False", "0", "no", "off", "FALSE"]),
}
Given = dict[str, Any]


@st.composite
def spelled(draw: st.DrawFn) -> tuple[Given, Given]:
    """Return arguments as a method reads them, and as some client sends them."""
    meant: Given = {}
    sent: Given = {}
    if draw(st.booleans()):
        meant["text"] = sent["text"] = draw(WORDS)
    if draw(st.booleans()):
        meant["flag"] = draw(st.booleans())
        sent["flag"] = draw(FLAGS[meant["flag"]])
    if draw(st.booleans()):
        meant["number"] = draw(st.integers(-(10**15), 10**15))
        sent["number"] = draw(st.sampled_from([meant["number"], str(meant["number"]), f" {meant['number']} "]))
    if draw(st.booleans()):
        names = draw(NAMES)
        meant["names"] = tuple(names)
        repeated = [*names, draw(st.sampled_from(names))]
        sent["names"] = draw(
            st.sampled_from(
                [names, repeated, ",".join(names), ", ".join(repeated), json.dumps(names), f"{','.join(names)},"]
            )
        )
    if draw(st.booleans()):
        meant["stamp"] = draw(st.integers(0, 99_999_999_999_999_999))
        seconds, micros = divmod(meant["stamp"], 1_000_000)
        sent["stamp"] = f"{seconds}.{micros:06}"
    if draw(st.booleans()):
        meant["blocks"] = draw(st.lists(NESTED, max_size=3))
        sent["blocks"] = draw(st.sampled_from([meant["blocks"], json.dumps(meant["blocks"])]))
    if draw(st.booleans()):
        meant["view"] = draw(st.dictionaries(PLAIN, NESTED, max_size=3))
        sent["view"] = draw(st.sampled_from([meant["view"], json.dumps(meant["view"], ensure_ascii=False)]))
    return meant, sent


def flat(sent: Given) -> dict[str, str]:
    """Return arguments as a form has them: all text, what is nested as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}


def as_query(sent: Given) -> Mapping[str, object]:
    return read_query(urlencode(flat(sent)).encode())


def as_form(sent: Given) -> Mapping[str, object]:
    return read_body(FORM, "&".join(f"{name}={quote_plus(value)}" for name, value in flat(sent).items()).encode())


def as_multipart(sent: Given) -> Mapping[str, object]:
    parts = [
        b'--a-boundary\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value.encode())
        for name, value in flat(sent).items()
    ]
    return read_body(MULTIPART, b"".join(parts) + b"--a-boundary--\r\n")


def as_json(sent: Given) -> Mapping[str, object]:
    return read_body("application/json; charset=utf-8", json.dumps(sent).encode())


def as_json_text(sent: Given) -> Mapping[str, object]:
    return read_body("application/json", json.dumps(flat(sent), ensure_ascii=False).encode())


FORMS: tuple[Callable[[Given], Mapping[str, object]], ...] = (as_query, as_form, as_multipart, as_json, as_json_text)


def read(*sources: Mapping[str, object]) -> Given:
    """Return what a method is given; an absent number is its default, which nobody sent."""
    args = parse(DECLARED, merge(*sources))
    return {
        name: value for name, value in args.given.items() if name != "number" or str(args.raw.get(name, "")).strip()
    }


@given(spelled())
def test_the_same_arguments_are_the_same_in_every_form(both: tuple[Given, Given]) -> None:
    """Booleans, numbers, lists and nested values in all their spellings, in all five ways to write them."""
    meant, sent = both
    for form in FORMS:
        assert read(form(sent)) == meant, form.__name__


@given(spelled(), st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_arguments_may_be_in_two_places_at_once(both: tuple[Given, Given], first: Any, second: Any) -> None:
    """However they are divided between them."""
    meant, sent = both
    names = sorted(sent)
    for cut in range(len(names) + 1):
        halves = [{name: sent[name] for name in part} for part in (names[:cut], names[cut:])]
        assert read(first(halves[0]), second(halves[1])) == meant


@given(spelled(), spelled(), st.sampled_from(FORMS))
def test_what_is_nearer_to_the_body_wins(query: tuple[Given, Given], body: tuple[Given, Given], form: Any) -> None:
    """Of an argument that is in both, the body's value counts; a null in it is no value."""
    assert read(as_query(query[1]), form(body[1])) == {**query[0], **body[0]}
    nulls = dict.fromkeys(query[1])
    assert read(as_query(query[1]), as_json(nulls)) == query[0]


@given(spelled(), st.sampled_from(FORMS), st.sampled_from(["", " ", "\t"]))
def test_an_empty_string_is_no_argument(both: tuple[Given, Given], form: Any, blank: str) -> None:
    """Clients send `latest=` and `cursor=` when they have none."""
    meant, sent = both
    blanks = {arg.name: blank for arg in DECLARED if arg.name not in sent}
    assert read(form({**sent, **blanks})) == meant


@given(spelled(), st.sampled_from(FORMS), st.dictionaries(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), NESTED))
def test_what_is_not_declared_is_ignored(both: tuple[Given, Given], form: Any, others: Given) -> None:
    """Whatever it is."""
    meant, sent = both
    assert read(form({**sent, **others})) == meant


LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
"""What a header may hold."""


@given(
    st.sampled_from(Kind),
    st.binary(max_size=200),
    st.binary(max_size=300),
    st.sampled_from(["", FORM, MULTIPART, "application/json", FORM + "; charset=iso-8859-1"]) | LATIN,
)
def test_whatever_bytes_come_in_there_is_an_answer(kind: Kind, query: bytes, body: bytes, content_type: str) -> None:
    """Arguments, or ArgumentError."""
    with suppress(ArgumentError):
        raw = merge(read_query(query), read_body(content_type, body))
        parse([Arg(name, kind) for name in raw], raw)


@given(st.lists(st.tuples(st.sampled_from(["flag", "names", "view", "text"]), NESTED), max_size=4))
def test_a_name_twice_is_the_last_one(pairs: list[tuple[str, Any]]) -> None:
    """JSON with a name twice is read, and no worse than JSON with it once."""
    twice = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"
    assert read_body("application/json", twice.encode()) == dict(pairs)


KINDS = {Kind.FLAG: bool, Kind.NUMBER: int, Kind.STAMP: int, Kind.TEXT: str, Kind.LIST: tuple, Kind.ARRAY: list}


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(sorted({a.name for m in METHODS.values() for a in m.args})), NESTED | WORDS))
def test_no_method_is_given_what_it_cannot_read(raw: Given) -> None:
    """Every declared argument of every method, with anything in it: a value of its kind, or a code of its own."""
    merged = merge(raw)
    for method in METHODS.values():
        codes = {code for arg in method.args for code in (arg.missing, arg.invalid)}
        args, code = outcome(method.args, merged)
        assert code in codes | {""}
        for arg in method.args:
            if args.has(arg.name):
                assert isinstance(args.given[arg.name], KINDS.get(arg.kind, dict))


def outcome(declared: Sequence[Arg], raw: Given) -> tuple[Args, str]:
    """Return what a method is given, or the code with which it refuses."""
    try:
        return parse(declared, raw), ""
    except ArgumentError as error:
        return Args(), error.code
