"""Text becomes words, and words stems, alike for messages and questions."""

from __future__ import annotations

import pytest

from svc.webapp.search.words import WORD_CHARS_MAX, plain_text, stem, words, words_at


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Hello, WORLD!", ["hello", "world"]),
        ("Crème brûlée, straße, ﬁn", ["creme", "brulee", "strasse", "fin"]),
        ("foo-bar a_b c.d", ["foo", "bar", "a", "b", "c", "d"]),
        ("日本語 ok", ["日", "本", "語", "ok"]),
        ("v2.10 #42 ½", ["v2", "10", "42", "1⁄2"]),
        ("... --- !!!", []),
        ("", []),
    ],
)
def test_text_is_taken_apart(text: str, wanted: list[str]) -> None:
    """Case, accents and what stands between words do not count."""
    assert words(text) == wanted


def test_words_have_places_and_a_greatest_length() -> None:
    """Highlights need the former, an index the latter; none has white space in it, at which an index splits."""
    assert [(each.begin, each.end) for each in words_at("no, Yes")] == [(0, 2), (4, 7)]
    assert [len(each) for each in words("x" * 500)] == [WORD_CHARS_MAX]
    everything = "".join(map(chr, range(0x20, 0x3000)))
    assert not any(set(each) & set(" \t\n\r\x0b\x0c\u2003\u00a0") for each in words(everything))


@pytest.mark.parametrize(
    "forms",
    [
        ("deploy", "deploys", "deployed", "deploying"),
        ("release", "releases", "released", "releasing"),
        ("plan", "plans", "planned", "planning"),
        ("story", "stories"),
        ("class", "classes"),
        ("run", "runs", "running"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms: tuple[str, ...]) -> None:
    """The looser mode finds any of them by any other."""
    assert len(set(map(stem, forms))) == 1


@pytest.mark.parametrize("word", ["is", "bus", "日", "v2s", "boss", "été"])
def test_what_is_short_or_foreign_stays(word: str) -> None:
    """An ending that leaves nothing is none."""
    assert stem(word) == word


def test_markup_is_read_as_people_see_it() -> None:
    """Labels of links with their addresses, entities as what they stand for, names of those mentioned."""
    text = "see <https://a.b/c|the docs> &amp; ask <@U024BE7LH|ada> in <#C024BE7LH|general> &lt;3 <!here>"
    assert plain_text(text).split() == ["see", "the", "docs", "https://a.b/c", "&", "ask", "ada", "in", "general", "<3"]
