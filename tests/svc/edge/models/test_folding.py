"""Names as they are compared: what people type finds what people are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.edge.models.folding import fold, word_starts


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Zoë  Müller ", "zoe muller"),
        ("Straße", "strasse"),
        ("Søren Kierkegård", "soren kierkegard"),
        ("Łukasz Wałęsa", "lukasz walesa"),
        ("Đorđe", "dorde"),
        ("Þór Ægir", "thor aegir"),
        ("İbrahim Işık", "ibrahim isik"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("Ａｄａ", "ada"),
        ("ﬁnn", "finn"),
        ("山田 太郎", "山田 太郎"),
        ("ハルカ", "はるか"),
        ("ﾊﾙｶ", "はるか"),
        ("a\x00b\tc\x1fd\x7f", "a b c d"),
        ("\u0301", ""),
        ("नीति", "नीति"),
    ],
)
def test_a_name_is_folded(name: str, folded: str) -> None:
    """Case, accents, strokes, widths and controls go; what makes another letter stays."""
    assert fold(name) == folded


@pytest.mark.parametrize(("typed", "name"), [("기", "김민준"), ("か", "ガラ"), ("ㄱ", "김")])
def test_what_is_typed_so_far_finds_a_syllable(typed: str, name: str) -> None:
    """Hangul by its first strokes, kana without its sound mark."""
    assert fold(name).startswith(fold(typed))


@given(text=st.text(max_size=40))
def test_folding_twice_changes_nothing_and_leaves_no_controls(text: str) -> None:
    """Keys hold no separator, whatever people call themselves."""
    folded = fold(text)
    assert fold(folded) == folded
    assert not any(letter < " " for letter in folded)


@pytest.mark.parametrize(
    ("folded", "words"),
    [
        ("", []),
        ("anna", ["anna"]),
        ("anna maria", ["anna maria", "maria"]),
        ("proj-big_launch2", ["proj-big_launch2", "big_launch2", "launch2"]),
        ("(ext) o'neil", ["ext) o'neil", "o'neil", "neil"]),
        ("नीति", ["नीति"]),
        ("山田 太郎", ["山田 太郎", "太郎"]),
    ],
)
def test_words_begin_after_what_is_no_letter(folded: str, words: list[str]) -> None:
    """Marks belong to their letters."""
    assert [folded[start:] for start in word_starts(folded)] == words
