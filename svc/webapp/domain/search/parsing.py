"""What somebody typed into a search box, taken apart. Pure.

Words, "words in a row", `-what is not wanted`, beginnings (`rep*`), and modifiers: `from:@ada`, `in:#general`,
`to:me`, `before:`, `after:`, `on:`, `during:`, `has:link`, `has::tada:`, `is:thread`. A modifier's value may be quoted,
and may follow after a space. What looks like a modifier and is none is a word like others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["TERMS_MAX", "Modifier", "Parsed", "Term", "parse"]

QUERY_CHARS_MAX = 2_000
"""Of a longer query the beginning is read."""
TERMS_MAX = 50
"""Words and phrases that are read; the contract's limit."""
MODIFIERS_MAX = 20
"""That are read; as many reactions as the contract takes."""
NAMES = ("from", "in", "to", "before", "after", "on", "during", "has", "is")

_TOKEN = re.compile(
    rf"(?P<not>-)?(?:(?P<name>{'|'.join(NAMES)}):\s*)?"
    r"(?:\"(?P<quoted>[^\"]*)\"?|(?P<plain><[^<>\s]*(?: [^<>]*)?>|\S+))",
    re.IGNORECASE,
)
_QUOTES = str.maketrans("“”„«»", '"""""')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that are looked for."""

    text: str
    is_exact: bool = False
    """Whether it was quoted."""
    is_prefix: bool = False
    is_unwanted: bool = False


@dataclass(frozen=True, slots=True)
class Modifier:
    """What narrows a search."""

    name: str
    """One of NAMES."""
    value: str
    is_unwanted: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query."""

    terms: tuple[Term, ...]
    modifiers: tuple[Modifier, ...]


def parse(query: str) -> Parsed:
    """Return what a query says; nothing at all for one that is blank."""
    terms: list[Term] = []
    modifiers: list[Modifier] = []
    for found in _TOKEN.finditer(query.translate(_QUOTES)[:QUERY_CHARS_MAX]):
        is_unwanted, quoted = found["not"] is not None, found["quoted"]
        value = found["plain"] if quoted is None else quoted
        if found["name"]:
            modifiers.append(Modifier(found["name"].lower(), value.strip(), is_unwanted))
        elif any(map(str.isalnum, value)):
            is_prefix = quoted is None and len(value) > 2 and value.endswith("*")
            terms.append(Term(value.rstrip("*") if is_prefix else value, quoted is not None, is_prefix, is_unwanted))
    return Parsed(tuple(terms[:TERMS_MAX]), tuple(modifiers[:MODIFIERS_MAX]))
