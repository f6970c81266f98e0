"""Text as search sees it: words without case and accents, and what is left of a word without its endings. Pure.

The same function takes apart messages and questions, and finds again what to highlight; an index only compares.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

__all__ = ["STEM_CHARS_MIN", "WORD_CHARS_MAX", "Word", "plain_text", "stem", "words", "words_at"]

WORD_CHARS_MAX = 60
"""Of a longer one the beginning counts: it is a key or a picture in disguise, and nobody types it."""
STEM_CHARS_MIN = 3
"""That an ending must leave of a word."""

_SPACELESS = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
_WORD = re.compile(rf"[{_SPACELESS}]|[^\W_{_SPACELESS}]+")
"""A run of letters and digits. Of scripts without spaces between words each letter is one, and a word is a phrase."""
_MARKUP = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it stands in the text."""

    text: str
    """As it is compared."""
    begin: int
    end: int


def words_at(text: str) -> Iterator[Word]:
    """Yield the words of a text in order, with their places."""
    for found in _WORD.finditer(text):
        folded = _folded(found[0][:WORD_CHARS_MAX])
        if folded:
            yield Word(folded, found.start(), found.end())


def words(text: str) -> list[str]:
    """Return the words of a text in order."""
    return [word.text for word in words_at(text)]


@lru_cache(maxsize=20_000)
def _folded(word: str) -> str:
    """Return a word without case and accents. It has no white space."""
    if word.isascii():
        return word.lower()
    bare = "".join(each for each in unicodedata.normalize("NFKD", word) if not unicodedata.combining(each))
    return "".join(unicodedata.normalize("NFC", bare.casefold()).split())


_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", ""), ("es", ""), ("s", ""))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return what is common to the forms of an English word, roughly: `deploys`, `deployed` and `deploying` are one.

    Wrong now and then, and alike for messages and questions: it only ever finds too much.
    """
    if not word.isascii() or not word.isalpha():
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss"):
            left = word[: -len(ending)] + instead
            if len(left) >= STEM_CHARS_MIN:
                return _undoubled(left)
    return _undoubled(word)


def _undoubled(word: str) -> str:
    """Return `plan` for `plann`, and without the silent e that other forms have not."""
    if len(word) > STEM_CHARS_MIN and word[-1] == word[-2] and word[-1] not in "aeiouls":
        return word[:-1]
    if len(word) > STEM_CHARS_MIN and word[-1] == "e":
        return word[:-1]
    return word


def plain_text(text: str) -> str:
    """Return a message's text as it is read: labels of links before their addresses, entities as what they mean."""
    return unescape(_MARKUP.sub(lambda found: f" {_named(found[1])} ", text))


def _named(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target[:1] in "@#!":
        return label
    return f"{label} {target}"
