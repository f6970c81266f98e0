"""What is asked of an index, names and dates made plain; and, for twins and tests, what it means. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from svc.webapp.search.documents import Document, for_user
from svc.webapp.search.words import stem, words

__all__ = ["Conditions", "Phrase", "Question", "is_match", "needed_count", "phrase"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row."""

    words: tuple[str, ...]
    is_prefix: bool = False
    """Whether the last word may go on."""
    is_exact: bool = False
    """Whether it was quoted: then it is never loosened."""


def phrase(text: str, *, is_prefix: bool = False, is_exact: bool = False) -> Phrase | None:
    """Return what somebody wrote as a phrase; None when there is no word in it."""
    found = tuple(words(text))
    return Phrase(found, is_prefix, is_exact) if found else None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a message has to be. Of authors and conversations any one does; marks all have to be there."""

    author_ids: frozenset[str] = frozenset()
    channel_ids: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """A whole question, with who may see what."""

    team_id: str
    member_channel_ids: frozenset[str] = frozenset()
    """Conversations that are searched beside the public ones of the workspace."""
    phrases: tuple[Phrase, ...] = ()
    lacking_phrases: tuple[Phrase, ...] = ()
    having: Conditions = field(default_factory=Conditions)
    lacking: Conditions = field(default_factory=Conditions)
    """What a message must not be, in any of these ways."""
    oldest_us: int = 0
    latest_us: int = 0
    """Exclusive; 0 for no bound."""
    addressed_user_id: str = ""
    direct_channel_ids: frozenset[str] = frozenset()


def needed_count(count: int) -> int:
    """Return how many of `count` words a message must have to be found by the looser of the two modes."""
    return ceil(count * 2 / 3)


def is_match(document: Document, question: Question, *, is_loose: bool) -> bool:
    """Tell whether a message is one of those asked for: what every index has to agree with."""
    return (
        _may_be_seen(document, question)
        and _is(document, question)
        and not _is_what_it_must_not(document, question)
        and _says(document, question.phrases, is_loose=is_loose)
    )


def _may_be_seen(document: Document, question: Question) -> bool:
    return document.public_in == question.team_id or document.channel_id in question.member_channel_ids


def _is(document: Document, question: Question) -> bool:
    having, to = question.having, question.addressed_user_id
    is_direct = document.channel_id in question.direct_channel_ids and document.user_id != to
    return (
        (not having.author_ids or document.user_id in having.author_ids)
        and (not having.channel_ids or document.channel_id in having.channel_ids)
        and having.marks.issubset(document.marks)
        and document.ts_us >= question.oldest_us
        and (not question.latest_us or document.ts_us < question.latest_us)
        and (not to or is_direct or for_user(to) in document.marks)
    )


def _is_what_it_must_not(document: Document, question: Question) -> bool:
    lacking = question.lacking
    return (
        document.user_id in lacking.author_ids
        or document.channel_id in lacking.channel_ids
        or not lacking.marks.isdisjoint(document.marks)
        or any(_stands(each, document.words) for each in question.lacking_phrases)
    )


def _says(document: Document, phrases: tuple[Phrase, ...], *, is_loose: bool) -> bool:
    if not is_loose:
        return all(_stands(each, document.words) for each in phrases)
    if not all(_stands(each, document.words) for each in phrases if each.is_exact):
        return False
    stems = {stem(word) for word in document.words}
    loose = [
        (each.is_prefix and _begins(each.words[-1], document.words)) or stems.issuperset(map(stem, each.words))
        for each in phrases
        if not each.is_exact
    ]
    return sum(loose) >= needed_count(len(loose))


def _begins(beginning: str, there: tuple[str, ...]) -> bool:
    return any(word.startswith(beginning) for word in there)


def _stands(wanted: Phrase, there: tuple[str, ...]) -> bool:
    size = len(wanted.words)
    for start in range(len(there) - size + 1):
        window = there[start : start + size]
        if window == wanted.words:
            return True
        last = wanted.is_prefix and window[:-1] == wanted.words[:-1] and window[-1].startswith(wanted.words[-1])
        if last:
            return True
    return False
