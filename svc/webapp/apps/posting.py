"""Pure: events on their way to a request URL. Time is told.

At most `at_once_max` requests at a time, and of each conversation one at a time while it is tried for the first time:
events of a conversation arrive in order unless they fail. What failed is tried again at once, after a minute and after
five more; meanwhile what comes after goes on. An endpoint that fails `failures_calm` times in a row is left alone for a
while, longer each time, and then asked with one event at a time until one succeeds.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from svc.webapp.apps.items import Item

__all__ = ["Posting", "PostingRules"]


@dataclass(frozen=True, slots=True)
class PostingRules:
    """How events are posted and posted again."""

    at_once_max: int = 8
    again_after_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    """Slack's three retries, each counted from the failure before it."""
    failures_calm: int = 10
    """Failures in a row that are taken for the events' own, not the endpoint's."""
    pause_s: float = 1.0
    pause_max_s: float = 60.0


class Posting:
    """The events of one app that were read and are not delivered yet."""

    def __init__(self, rules: PostingRules = PostingRules()) -> None:
        self._rules = rules
        self._waiting: deque[Item] = deque()
        self._again: list[tuple[float, int, Item]] = []
        self._posted: dict[str, Item] = {}
        self._busy: set[str] = set()
        self._count = 0
        self._failures = 0
        self._paused_until = 0.0
        self.size = 0

    def __len__(self) -> int:
        """Return how many events are waiting or under way."""
        return len(self._waiting) + len(self._again) + len(self._posted)

    @property
    def under_way(self) -> int:
        """How many are being posted."""
        return len(self._posted)

    @property
    def is_failing(self) -> bool:
        """Whether the endpoint is left alone now and then."""
        return self._failures >= self._rules.failures_calm

    @property
    def _at_once(self) -> int:
        return 1 if self.is_failing else self._rules.at_once_max

    def add(self, item: Item) -> None:
        """Take an event; it goes out after those of its conversation that were taken before."""
        self._waiting.append(item)
        self.size += item.size

    def next(self, now: float) -> Iterator[Item]:
        """Yield the events to post now; `delivered` or `failed` must follow for each."""
        while len(self._posted) < self._at_once and now >= self._paused_until:
            item = self._take(now)
            if item is None:
                return
            self._posted[item.id] = item
            yield item

    def _take(self, now: float) -> Item | None:
        if self._again and self._again[0][0] <= now:
            return heapq.heappop(self._again)[2]
        for item in self._waiting:
            if item.channel_id not in self._busy:
                self._waiting.remove(item)
                self._busy.add(item.channel_id)
                return item
        return None

    def delivered(self, item: Item) -> None:
        """The endpoint has taken an event, or wants it no more."""
        self._failures = 0
        self._settle(item)
        self.size -= item.size

    def failed(self, item: Item, reason: str, now: float) -> bool:
        """Have an event posted again in its time; return True when it is given up instead."""
        self._failures += 1
        if self.is_failing:
            doublings = min(self._failures - self._rules.failures_calm, 16)
            self._paused_until = now + min(self._rules.pause_s * 2**doublings, self._rules.pause_max_s)
        self._settle(item)
        item.reason = reason
        item.attempts += 1
        if item.attempts > len(self._rules.again_after_s):
            self.size -= item.size
            return True
        self._count += 1
        due = now + self._rules.again_after_s[item.attempts - 1]
        heapq.heappush(self._again, (due, self._count, item))
        return False

    def drop_older(self, before_us: int) -> list[Item]:
        """Forget what waits and was committed before then, and return it."""
        dropped = [item for item in self._waiting if item.commit_us < before_us]
        if dropped:
            self._waiting = deque(item for item in self._waiting if item.commit_us >= before_us)
            self.size -= sum(item.size for item in dropped)
        return dropped

    def clear(self) -> list[Item]:
        """Forget everything that is not being posted, and return it: it goes another way now."""
        everything = [*(item for _, _, item in self._again), *self._waiting]
        self._again.clear()
        self._waiting.clear()
        self.size -= sum(item.size for item in everything)
        return sorted(everything, key=lambda item: (item.commit_us, item.channel_id, item.offset))

    def next_due(self, now: float) -> float | None:
        """Return when `next` may have something that it has not now; None when only what is under way can change it."""
        if len(self._posted) >= self._at_once or not (self._waiting or self._again):
            return None
        if now < self._paused_until:
            return self._paused_until
        return self._again[0][0] if self._again else None

    def _settle(self, item: Item) -> None:
        if self._posted.pop(item.id, None) is not None and item.attempts == 0:
            self._busy.discard(item.channel_id)
