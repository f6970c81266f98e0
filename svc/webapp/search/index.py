"""What an index is to those who feed and ask it. Its methods block: they are called in threads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from svc.webapp.search.documents import Document, Key
from svc.webapp.search.questions import Question

__all__ = ["Candidate", "Candidates", "Found", "Index", "IndexState", "IndexTroubleError"]


class IndexTroubleError(Exception):
    """Nothing can be added, as when the disk is full. What was committed can be asked all the same."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far an index has come; kept within each commit, so that it is true of what is there."""

    fed_until_us: int = 0
    """What was committed to the log before this is in the index; 0 before the first commit."""
    built_until: Key = ("", 0)
    """The last message that the build has read; messages are read in the order of their keys."""
    built: int = 0
    """How many it has read."""
    is_whole: bool = False
    """Whether the build is over."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of messages, the newest first, and how many there are in all."""

    keys: Sequence[Key]
    total: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that the second stage ranks."""

    place: int
    """What the index finds its key by."""
    ts_us: int
    channel_hash: int
    user_hash: int
    """See `hash_of`."""
    engine_score: float
    reaction_count: int
    word_count: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """The messages that match best, and the newest that match; and how many match in all."""

    each: Sequence[Candidate]
    keys: Sequence[Key]
    """Of each, at its `place`."""
    total: int


class Index(Protocol):
    """Documents by key, and questions. One writer at a time; readers see what was committed last."""

    @property
    def state(self) -> IndexState:
        """As of the last commit."""
        ...

    @property
    def documents(self) -> int:
        """How many can be found."""
        ...

    def write(self, documents: Collection[Document], gone: Collection[Key]) -> None:
        """Replace documents, and remove those that are gone, with the next commit. Raises IndexTroubleError.

        Of one key the last document counts, and a document more than that it is gone.
        """
        ...

    def commit(self, state: IndexState) -> None:
        """Make everything written so far durable and found, `state` with it. Raises IndexTroubleError."""
        ...

    def reset(self) -> None:
        """Drop what was written since the last commit, after trouble. Raises IndexTroubleError."""
        ...

    def newest(
        self, question: Question, limit: int, offset: int, *, is_loose: bool, but: Collection[Key] = ()
    ) -> Found:
        """Return matching messages, the newest first; `but`: without these, which the total leaves out as well."""
        ...

    def candidates(self, question: Question, limit: int) -> Candidates:
        """Return at most `limit` messages that match loosely: two thirds of them the best, the rest the newest."""
        ...

    def close(self) -> None:
        """Let go of the folder. What was not committed is lost."""
        ...
