"""What a hit was found by, marked in its text as Slack marks it: \\ue000 before, \\ue001 behind. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from svc.webapp.domain.search.parsing import Term
from svc.webapp.search.words import Word, stem, words, words_at

__all__ = ["BEGIN", "END", "highlighted"]

BEGIN, END = "\ue000", "\ue001"
_APART = re.compile(r"<[^<>|]*\|?|&[a-z]+;|:[\w+'-]+:")
"""What is no text to its reader: addresses and mentions up to their labels, entities, emoji."""


def highlighted(text: str, terms: Sequence[Term], *, is_loose: bool) -> str:
    """Return a text with all words in it marked that one of the terms is about; words in a row together."""
    wanted = [(words(term.text), term.is_prefix, is_loose and not term.is_exact) for term in terms]
    there = list(words_at(_APART.sub(lambda found: " " * len(found[0]), text)))
    spans: set[tuple[int, int]] = set()
    for row, is_prefix, is_any_form in wanted:
        if not row:
            continue
        if is_any_form:
            forms = set(map(stem, row))
            found = [(word, word) for word in there if stem(word.text) in forms or (is_prefix and _goes_on(row, word))]
        else:
            found = [(there[at], there[at + len(row) - 1]) for at in _places(there, row, is_prefix=is_prefix)]
        spans.update((first.begin, last.end) for first, last in found)
    return _marked(text, spans)


def _goes_on(row: Sequence[str], word: Word) -> bool:
    return word.text.startswith(row[-1])


def _places(there: Sequence[Word], row: Sequence[str], *, is_prefix: bool) -> list[int]:
    """Return where the words stand in a row."""
    size = len(row)
    return [
        at
        for at in range(len(there) - size + 1)
        if [word.text for word in there[at : at + size - 1]] == list(row[:-1])
        and (there[at + size - 1].text == row[-1] or (is_prefix and _goes_on(row, there[at + size - 1])))
    ]


def _marked(text: str, spans: set[tuple[int, int]]) -> str:
    """Return the text with marks around spans; those within each other, or overlapping, become one."""
    made, done = [], 0
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if merged and begin < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    for begin, end in merged:
        made += [text[done:begin], BEGIN, text[begin:end], END]
        done = end
    return "".join([*made, text[done:]])
