"""Pure: events on their way over an app's Socket Mode connections. Time is told.

Events leave in the order in which they were read, at most `under_way_max` unanswered. Each goes to exactly one
connection, the one with the least under way; one that is not answered within `answer_s` goes out again, to another
connection where there is one, and after `attempts_max` repetitions it is given up, as Slack does. When a connection
goes away, what it had under way goes out again first, and has lost no attempt. But one of these may be what ends its
reader. So what was lost `losses_calm` times goes out alone, which tells the guilty from the others, and whatever was
lost more than `losses_max` times, for `losing_s` seconds, is given up too.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from svc.webapp.apps.items import Item

__all__ = ["TIMEOUT", "Connections", "Window", "WindowRules"]

TIMEOUT = "timeout"
"""retry_reason of what was not answered in time."""


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How events are sent and sent again."""

    answer_s: float = 3.0
    """Slack's."""
    attempts_max: int = 3
    """Repetitions."""
    losses_calm: int = 3
    losses_max: int = 10
    losing_s: float = 300.0
    """A connection may break for other reasons, even ten times within a second."""
    under_way_max: int = 32
    """Sent and unanswered: with 50 ms for an answer, 640 events a second."""


class Connections:
    """The connections of one app, and what each has under way."""

    def __init__(self) -> None:
        self._under_way: dict[str, set[str]] = {}
        self._leaving: set[str] = set()

    def __len__(self) -> int:
        """Return how many are open, those that are leaving included."""
        return len(self._under_way)

    @property
    def are_open(self) -> bool:
        """Whether one of them takes something new."""
        return len(self._under_way) > len(self._leaving)

    def opened(self, connection_id: str) -> None:
        """Take one in."""
        self._under_way.setdefault(connection_id, set())

    def leaving(self, connection_id: str) -> None:
        """Give one nothing new any more."""
        if connection_id in self._under_way:
            self._leaving.add(connection_id)

    def closed(self, connection_id: str) -> frozenset[str]:
        """Forget one; return the ids of what it had under way."""
        self._leaving.discard(connection_id)
        return frozenset(self._under_way.pop(connection_id, ()))

    def pick(self, avoid: str = "") -> str | None:
        """Return the one with the least under way, `avoid` only when there is no other; None when there is none."""
        able = [each for each in self._under_way if each not in self._leaving]
        others = [each for each in able if each != avoid]
        return min(others or able, key=lambda each: len(self._under_way[each]), default=None)

    def sent(self, connection_id: str, id_: str) -> None:
        """Note what was sent to one."""
        self._under_way[connection_id].add(id_)

    def settled(self, connection_id: str, id_: str) -> None:
        """Note what one has no longer under way."""
        if connection_id in self._under_way:
            self._under_way[connection_id].discard(id_)


class Window:
    """The events of one app that were read and are not delivered yet."""

    def __init__(self, connections: Connections, rules: WindowRules = WindowRules()) -> None:
        self._connections = connections
        self._rules = rules
        self._waiting: deque[Item] = deque()
        self._again: deque[Item] = deque()
        self._sent: dict[str, Item] = {}
        self._tries: dict[str, int] = {}
        self._due: list[tuple[float, int, str]] = []
        self._count = 0
        self.size = 0

    def __len__(self) -> int:
        """Return how many events are waiting or under way."""
        return len(self._waiting) + len(self._again) + len(self._sent)

    @property
    def under_way(self) -> int:
        """How many were sent and are not answered."""
        return len(self._sent)

    def add(self, item: Item) -> None:
        """Take an event; it goes out after those taken before."""
        self._waiting.append(item)
        self.size += item.size

    def next(self, now: float) -> Iterator[tuple[str, Item]]:
        """Yield (connection, event) to send now."""
        while len(self._sent) < self._room:
            line = self._again or self._waiting
            if not line:
                return
            connection_id = self._connections.pick(line[0].tried_at)
            if connection_id is None:
                return
            item = line.popleft()
            item.tried_at = connection_id
            self._sent[item.id] = item
            self._connections.sent(connection_id, item.id)
            self._count += 1
            self._tries[item.id] = self._count
            heapq.heappush(self._due, (now + self._rules.answer_s, self._count, item.id))
            yield connection_id, item

    @property
    def _room(self) -> int:
        """How many may be under way now: one, while something is suspected to end its reader."""
        suspects = (*self._sent.values(), *([self._again[0]] if self._again else ()))
        is_calm = all(item.losses < self._rules.losses_calm for item in suspects)
        return self._rules.under_way_max if is_calm else 1

    def acked(self, id_: str) -> Item | None:
        """Return the event that was acknowledged; None for one that is not under way, or no longer."""
        item = self._sent.get(id_)
        if item is not None:
            self._retreat(item)
        else:
            item = self._late(id_)
        if item is not None:
            self.size -= item.size
        return item

    def _late(self, id_: str) -> Item | None:
        """Return an event whose answer came after its time, while it waits for its next try."""
        item = next((each for each in self._again if each.id == id_), None)
        if item is not None:
            self._again.remove(item)
        return item

    def tick(self, now: float) -> list[Item]:
        """Have what is unanswered for too long sent again; return what is given up."""
        given_up = []
        while self._due and self._due[0][0] <= now:
            _, number, id_ = heapq.heappop(self._due)
            item = self._sent.get(id_)
            if item is None or self._tries[id_] != number:
                continue  # answered, or sent again since
            self._retreat(item)
            item.attempts += 1
            item.reason = TIMEOUT
            if item.attempts > self._rules.attempts_max:
                self.size -= item.size
                given_up.append(item)
            else:
                self._again.append(item)
        return given_up

    def lost(self, ids: frozenset[str], now: float) -> list[Item]:
        """Have what a connection took away with it sent again, in its order; return what is given up."""
        gone = [item for id_, item in self._sent.items() if id_ in ids]
        given_up = []
        for item in reversed(gone):
            self._retreat(item)
            item.losses += 1
            item.lost_at = item.lost_at or now
            if item.losses > self._rules.losses_max and now - item.lost_at >= self._rules.losing_s:
                self.size -= item.size
                given_up.append(item)
            else:
                self._again.appendleft(item)
        return given_up

    def drop_older(self, before_us: int) -> list[Item]:
        """Forget what waits and was committed before then, and return it."""
        dropped = []
        for line in (self._again, self._waiting):
            while line and line[0].commit_us < before_us:
                dropped.append(line.popleft())
        self.size -= sum(item.size for item in dropped)
        return dropped

    def clear(self) -> list[Item]:
        """Forget everything, and return it: it goes another way now."""
        everything = [*self._sent.values(), *self._again, *self._waiting]
        for item in tuple(self._sent.values()):
            self._retreat(item)
        self._again.clear()
        self._waiting.clear()
        self._due.clear()
        self.size = 0
        return sorted(everything, key=lambda item: (item.commit_us, item.channel_id, item.offset))

    def next_due(self) -> float | None:
        """Return when `tick` has something to do, or something that is answered by then."""
        return self._due[0][0] if self._due else None

    def _retreat(self, item: Item) -> None:
        del self._sent[item.id], self._tries[item.id]
        self._connections.settled(item.tried_at, item.id)
