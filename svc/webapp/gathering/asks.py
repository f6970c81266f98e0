"""Pure: who shares which read of a store.

Asks of one kind wait by class, in the order in which they came. A read takes as many of them as its keys allow, the
most important first, and never one that came after it had begun. While a read is under way the next one waits, so that
all who come meanwhile share it; with two exceptions, or those who wait would pay for others:

- who matters more than all in the read under way does not wait for it, for it may be waiting in a line itself;
- a read that takes much longer than reads do is not waited for (a connection that hangs).

And while only such wait as come back in a crowd, the next read waits for more of them (`crowd`).

Knows neither stores nor asyncio; is told the time.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from svc.kit.errors import ResourceExhaustedError
from svc.webapp.gathering.crowd import Crowd, CrowdRules
from svc.webapp.priority import Priority, Turn

__all__ = ["Ask", "AskRules", "Asks", "Read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRules:
    """How one kind of read is shared."""

    keys_a_read: int = 5_000
    """Keys that one read takes, and one ask at the most. More make a read longer, and with it everybody's wait."""
    asks_max: int = 10_000
    """Asks that may wait: ten times what a webapp admits at once. Who comes then is refused."""
    keys_max: int = 500_000
    """Keys that may wait, over all asks: a hundred full reads, some seconds of work."""
    reads_max: int = 4
    """Reads of this kind under way at once, of one process: half of a keyspace's connections."""
    overdue_s: float = 0.5
    """When a read is not waited for any more: ten times what a full one takes."""
    crowd: CrowdRules = field(default_factory=CrowdRules)


class Ask:
    """Somebody who asks for keys."""

    __slots__ = ("is_patient", "keys", "turn")

    def __init__(self, keys: Sequence[Hashable], turn: Turn) -> None:
        """`keys`: each once. `turn`: on whose behalf."""
        self.keys = keys
        self.turn = turn
        self.is_patient = turn.is_patient and turn.patience_s > 0

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.turn.is_gone()


_Ask = TypeVar("_Ask", bound=Ask)


class Read(Generic[_Ask]):
    """One read for several asks."""

    __slots__ = ("asks", "keys", "overdue_at", "turn")

    def __init__(self, asks: Sequence[_Ask], keys: Sequence[Hashable], overdue_at: float) -> None:
        """Of asks in the order of their classes, at least one."""
        self.asks = asks
        self.keys = keys
        self.overdue_at = overdue_at
        first = asks[0].turn.priority
        # The rank that the most important of them would have had by himself.
        has_begun = any(ask.turn.has_begun for ask in asks if ask.turn.priority is first)
        self.turn = Turn(first, lambda: all(ask.is_gone for ask in asks), has_begun)


class Asks(Generic[_Ask]):
    """The asks of one kind, and the reads under way for them."""

    def __init__(self, rules: AskRules) -> None:
        """Nobody has asked yet."""
        self._rules = rules
        # By class, in the order of arrival.
        self._lines: tuple[dict[_Ask, None], ...] = tuple({} for _ in Priority)
        self._keys_waiting = 0
        self._impatient = 0
        self._crowd = Crowd(rules.crowd)
        self._under_way: list[Read[_Ask]] = []

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    @property
    def reads_under_way(self) -> int:
        """Reads that have begun and not ended."""
        return len(self._under_way)

    def join(self, ask: _Ask) -> None:
        """Let `ask` wait for a read; then see whether one may `begin`. Raises ResourceExhaustedError at a limit."""
        rules = self._rules
        sizes = (
            ("keys of an ask", rules.keys_a_read, len(ask.keys)),
            ("asks waiting", rules.asks_max, len(self) + 1),
            ("keys waiting", rules.keys_max, self._keys_waiting + len(ask.keys)),
        )
        for subject, limit, actual in sizes:
            if actual > limit:
                raise ResourceExhaustedError(
                    f"{subject}: {actual}, at most {limit}",
                    subject=subject,
                    limit=limit,
                    actual=actual,
                    retry_after_s=1.0,
                )
        self._lines[ask.turn.priority][ask] = None
        self._keys_waiting += len(ask.keys)
        self._impatient += not ask.is_patient

    def leave(self, ask: _Ask) -> bool:
        """Take an ask out that waits; False when it does not, because a read has taken it."""
        if ask not in self._lines[ask.turn.priority]:
            return False
        self._drop(ask)
        return True

    def begin(self, now: float) -> Read[_Ask] | None:
        """Begin the next read, if somebody waits and need not wait for those under way. Its caller has to `end` it."""
        first = self._first()
        if first is None or not self._may_begin(first, now) or self._patience_s(now):
            return None
        asks: list[_Ask] = []
        keys: dict[Hashable, None] = {}
        for ask in self._in_order():
            more = [] if ask.is_gone else [key for key in ask.keys if key not in keys]
            if len(keys) + len(more) > self._rules.keys_a_read:
                break  # smaller ones behind it do not pass it
            keys.update(dict.fromkeys(more))
            asks.append(ask)
        for ask in asks:
            self._drop(ask)
        read = Read([ask for ask in asks if not ask.is_gone], tuple(keys), now + self._rules.overdue_s)
        self._under_way.append(read)
        self._crowd.began(sum(ask.turn.is_patient for ask in asks), now)
        return read

    def due_s(self, now: float) -> float | None:
        """Return after how many seconds to see again whether a read may `begin`; None: not before one ends."""
        first = self._first()
        return self._patience_s(now) if first is not None and self._may_begin(first, now) else None

    def end(self, read: Read[_Ask]) -> None:
        """A read is over, well or not; then see whether the next may `begin`."""
        self._under_way.remove(read)

    def again(self, read: Read[_Ask], but: _Ask) -> None:
        """A read broke off because `but`, who did it for all, went away: the others wait again, before all others."""
        self.end(read)
        for priority, line in zip(Priority, self._lines, strict=True):
            others = [ask for ask in read.asks if ask.turn.priority is priority and ask is not but]
            later = list(line)
            line.clear()
            line.update(dict.fromkeys([*others, *later]))
            self._keys_waiting += sum(len(ask.keys) for ask in others)
            self._impatient += sum(not ask.is_patient for ask in others)

    def _first(self) -> Priority | None:
        """Return the most important class in which somebody waits."""
        for priority, line in zip(Priority, self._lines, strict=True):
            while line and (ask := next(iter(line))).is_gone:
                self._drop(ask)
            if line:
                return priority
        return None

    def _may_begin(self, priority: Priority, now: float) -> bool:
        if len(self._under_way) >= self._rules.reads_max:
            return False
        return all(priority < read.turn.priority or now >= read.overdue_at for read in self._under_way)

    def _patience_s(self, now: float) -> float:
        """Return how long those who wait have time."""
        return 0.0 if self._impatient else self._crowd.wait_s(len(self), now)

    def _in_order(self) -> Iterator[_Ask]:
        for line in self._lines:
            yield from line

    def _drop(self, ask: _Ask) -> None:
        del self._lines[ask.turn.priority][ask]
        self._keys_waiting -= len(ask.keys)
        self._impatient -= not ask.is_patient
