"""The index's twin: everything in memory, every document looked at. For tests, and to say what the real one must do."""

from __future__ import annotations

from collections.abc import Collection

from svc.webapp.search.documents import Document, Key
from svc.webapp.search.index import Candidate, Candidates, Found, IndexState
from svc.webapp.search.questions import Question, is_match
from svc.webapp.search.ranking import hash_of
from svc.webapp.search.words import stem

__all__ = ["MemoryIndex"]


class MemoryIndex:
    """An Index."""

    def __init__(self) -> None:
        self._there: dict[Key, Document] = {}
        self._pending: dict[Key, Document | None] = {}
        self._state = IndexState()

    @property
    def state(self) -> IndexState:
        """See Index."""
        return self._state

    @property
    def documents(self) -> int:
        """See Index."""
        return len(self._there)

    def write(self, documents: Collection[Document], gone: Collection[Key]) -> None:
        """See Index."""
        self._pending |= {**dict.fromkeys(gone), **{each.key: each for each in documents}}

    def commit(self, state: IndexState) -> None:
        """See Index."""
        for key, document in self._pending.items():
            if document is None:
                self._there.pop(key, None)
            else:
                self._there[key] = document
        self._pending.clear()
        self._state = state

    def reset(self) -> None:
        """See Index."""
        self._pending.clear()

    def newest(
        self, question: Question, limit: int, offset: int, *, is_loose: bool, but: Collection[Key] = ()
    ) -> Found:
        """See Index."""
        found = [each for each in self._matching(question, is_loose=is_loose) if each.key not in but]
        return Found([each.key for each in found[offset : offset + limit]], len(found))

    def candidates(self, question: Question, limit: int) -> Candidates:
        """See Index."""
        found = self._matching(question, is_loose=True)
        scored = sorted(((self._score(each, question), each) for each in found), key=lambda row: -row[0])
        newest = {each.key for each in found[: limit - limit * 2 // 3]}
        best = [row[1].key for row in scored if row[1].key not in newest][: limit - len(newest)]
        chosen = [row for row in scored if row[1].key in newest.union(best)]
        each = [
            Candidate(
                place,
                document.ts_us,
                hash_of(document.channel_id),
                hash_of(document.user_id),
                score,
                document.reaction_count,
                len(document.words),
            )
            for place, (score, document) in enumerate(chosen)
        ]
        return Candidates(each, [document.key for _, document in chosen], len(found))

    def close(self) -> None:
        """See Index."""

    def _matching(self, question: Question, *, is_loose: bool) -> list[Document]:
        found = [each for each in self._there.values() if is_match(each, question, is_loose=is_loose)]
        return sorted(found, key=lambda each: (-each.ts_us, each.channel_id))

    def _score(self, document: Document, question: Question) -> float:
        """Return how many of the words there are, the fewer others the better."""
        wanted = {stem(word) for each in question.phrases for word in each.words}
        return sum(stem(word) in wanted for word in document.words) / (1 + len(document.words) / 10)
