"""Questions answered from the index that is current, in threads of their own, as many at once as may be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field

from svc.kit.clock import Clock
from svc.kit.errors import ResourceExhaustedError, UnavailableError
from svc.webapp.search.documents import Key
from svc.webapp.search.generations import Generations
from svc.webapp.search.index import Index
from svc.webapp.search.questions import Question
from svc.webapp.search.ranking import Nearness, Weights, ranked

__all__ = ["Answer", "Answering", "Asked"]

log = logging.getLogger(__name__)

CANDIDATES_MAX = 300
"""Ranked by the second stage: a millisecond a hundred. Who looks at more pages is shown the rest by time."""
RETRY_S = 1.0
LOGGED_MAX = 20
"""Hits whose features are logged."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and which part of its answer is wanted."""

    question: Question
    is_best: bool = False
    """Whether the best come first, of a looser match, instead of the newest."""
    offset: int = 0
    limit: int = 20
    nearness: Nearness = field(default_factory=Nearness)


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of what was found."""

    hits: Sequence[tuple[Key, float]]
    """With how much spoke for each; 0 where the newest come first."""
    total: int
    is_whole: bool


class Answering:
    """Answers, at most `waiting_max` more at once than there are threads."""

    def __init__(
        self,
        generations: Generations,
        weights: Weights,
        clock: Clock,
        threads: Executor | None = None,
        running_max: int = 100,
    ) -> None:
        self._generations = generations
        self._weights = weights
        self._clock = clock
        self._threads = threads
        self._running_max = running_max
        self.running = 0
        self.answered = 0

    async def answer(self, asked: Asked) -> Answer:
        """Return a page. Raises UnavailableError while there is nothing yet, ResourceExhaustedError when many wait."""
        index = self._generations.current
        if not index.documents and not index.state.is_whole:
            raise UnavailableError("the index is being built for the first time")
        if self.running >= self._running_max:
            raise ResourceExhaustedError(
                "as many questions as may be are waiting",
                subject="searches",
                limit=self._running_max,
                actual=self.running,
                retry_after_s=RETRY_S,
            )
        self.running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, index, asked)
        finally:
            self.running -= 1
            self.answered += 1

    def _answer(self, index: Index, asked: Asked) -> Answer:
        question, is_whole = asked.question, index.state.is_whole
        # Without words nothing is better than anything else.
        if not asked.is_best or not question.phrases:
            found = index.newest(question, asked.limit, asked.offset, is_loose=False)
            return Answer([(key, 0.0) for key in found.keys], found.total, is_whole)
        candidates = index.candidates(question, CANDIDATES_MAX)
        rows = ranked(candidates.each, asked.nearness, self._clock.wall_us(), self._weights)
        page = rows[asked.offset : asked.offset + asked.limit]
        hits = [(candidates.keys[each.place], score) for score, each, _ in page]
        if log.isEnabledFor(logging.DEBUG):
            told = [{"key": key, **asdict(row[2])} for (key, _), row in zip(hits[:LOGGED_MAX], page, strict=False)]
            log.debug("ranked: %s", {"phrases": [each.words for each in question.phrases], "hits": told})
        left = asked.limit - len(hits)
        if left and candidates.total > len(rows):
            all_ranked = [candidates.keys[at] for at in range(len(candidates.each))]
            beyond = max(0, asked.offset - len(rows))
            rest = index.newest(question, left, beyond, is_loose=True, but=all_ranked)
            hits += [(key, 0.0) for key in rest.keys]
        return Answer(hits, candidates.total, is_whole)
