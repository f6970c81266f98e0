"""Reads of the stores that many requests make at the same time, for different keys: those who ask meanwhile share one.

When every client of a gateway comes back at once, each wants the heads of its channels and what it is in: thousands of
small queries of a few kinds, within a second. Here one read of a kind is under way at a time; whoever asks meanwhile
waits for its end and then shares the next with all others who waited, each key being asked for once. Two thousand
askers are a few queries; one alone is never held back, and of a crowd only those who come back (`crowd`). Nobody gets
what was read by a read that had begun before he asked: he may know of a write that it did not see (`hello`, and
everyone who reads what he wrote, rest on that).

The rules are in `asks`. This is what moves them: a read is made by one of those who share it, in his own task, so none
outlives its callers; when he goes away the others make it again. A read that fails fails those who share it, and nobody
else; it is of the class of the most important among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from copy import copy
from random import Random
from typing import Any, Generic, TypeAlias, TypeVar, cast

from opentelemetry import metrics

from svc.kit.errors import ParleyError, ResourceExhaustedError
from svc.webapp.gathering.asks import Ask, AskRules, Asks, Read
from svc.webapp.priority import Turn, current, taking

__all__ = ["Gatherer"]

_Key = TypeVar("_Key", bound=Hashable)
_Found = TypeVar("_Found")
_Outcome: TypeAlias = Mapping[Any, Any] | Exception
"""What became of a read."""
_Told: TypeAlias = "Read[_Asker] | _Outcome"
"""A Read: make it, for all who share it."""
_meter = metrics.get_meter(__name__)


class _Asker(Ask):
    """An ask whose answer is awaited."""

    __slots__ = ("told",)

    def __init__(self, keys: Sequence[Hashable], turn: Turn) -> None:
        super().__init__(keys, turn)
        self.told: asyncio.Future[_Told] = asyncio.get_running_loop().create_future()

    @property
    def is_gone(self) -> bool:
        return self.told.cancelled() or super().is_gone


class Gatherer(Generic[_Key, _Found]):
    """Shares the reads of one kind among those who ask at the same time."""

    def __init__(
        self,
        name: str,
        read: Callable[[Sequence[_Key]], Awaitable[Mapping[_Key, _Found]]],
        rules: AskRules | None = None,
        rng: Random | None = None,
    ) -> None:
        """`read` returns what there is of the keys, at most `rules.keys_a_read`, each once. `name`: for metrics."""
        self._read = read
        self._rng = rng or Random()
        self._rules = rules or AskRules()
        self._asks: Asks[_Asker] = Asks(self._rules)
        self._alarm: asyncio.TimerHandle | None = None
        self._labels = {"kind": name}
        self._asked = _meter.create_counter("parley.webapp.gather.asks", description="asks for shared reads, by kind")
        self._reads = _meter.create_counter("parley.webapp.gather.reads", description="shared reads, by kind")

    async def ask(self, keys: Iterable[_Key]) -> dict[_Key, _Found]:
        """Return what there is of `keys`, as a read that begins now or later finds it.

        More keys than one read takes are several reads, one after the other. Raises what the read raises, and
        ResourceExhaustedError when too much waits already.
        """
        distinct, step = tuple(dict.fromkeys(keys)), self._rules.keys_a_read
        found: dict[_Key, _Found] = {}
        for start in range(0, len(distinct), step):
            found |= await self._ask(distinct[start : start + step])
        return found

    async def _ask(self, keys: Sequence[_Key]) -> dict[_Key, _Found]:
        asker = _Asker(keys, current())
        try:
            self._asks.join(asker)
        except ResourceExhaustedError as error:
            raise self._own(error) from error
        self._asked.add(1, self._labels)
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._advance()
        try:
            told = await asker.told
        except asyncio.CancelledError:
            self._leave(asker)
            raise
        if asker.is_patient:
            asker.turn.patience_s -= loop.time() - began
        if isinstance(told, Read):
            told = await self._make(told, asker)
        if isinstance(told, Exception):
            raise self._own(told) from told
        asker.turn.has_begun = True
        return {key: told[key] for key in keys if key in told}

    def _own(self, error: Exception) -> Exception:
        """Return an asker's own copy of what a read failed with: those who are shed together come back apart."""
        if not isinstance(error, ParleyError):
            return RuntimeError("a shared read failed")
        own = copy(error)
        own.retry_after_s *= self._rng.uniform(0.5, 1.5)
        return own

    def _advance(self) -> None:
        """Let reads begin that need not wait: tell the first of those who share one to make it."""
        loop = asyncio.get_running_loop()
        while (read := self._asks.begin(loop.time())) is not None:
            _tell(read.asks[0], read)
        if self._alarm is None and (due_s := self._asks.due_s(loop.time())) is not None:
            self._alarm = loop.call_later(due_s, self._ring)

    def _ring(self) -> None:
        """Those who waited for more of a crowd have waited enough."""
        self._alarm = None
        self._advance()

    async def _make(self, read: Read[_Asker], maker: _Asker) -> _Outcome:
        """Make a read, and tell all who share it what became of it."""
        self._reads.add(1, self._labels)
        overdue = asyncio.get_running_loop().call_later(self._rules.overdue_s, self._advance)
        outcome: _Outcome
        try:
            with taking(read.turn):
                outcome = await self._read(cast(Sequence[_Key], read.keys))
        except Exception as error:
            outcome = error
        except BaseException:
            self._hand_on(read, maker)
            raise
        finally:
            overdue.cancel()
        self._asks.end(read)
        for ask in read.asks:
            _tell(ask, outcome)
        self._advance()
        return outcome

    def _leave(self, asker: _Asker) -> None:
        """Go away. Whoever was just told to make a read leaves it to the others."""
        if self._asks.leave(asker) or asker.told.cancelled():
            return
        told = asker.told.result()
        if isinstance(told, Read):
            self._hand_on(told, asker)

    def _hand_on(self, read: Read[_Asker], maker: _Asker) -> None:
        self._asks.again(read, maker)
        self._advance()


def _tell(asker: _Asker, what: _Told) -> None:
    if not asker.told.done():
        asker.told.set_result(what)
