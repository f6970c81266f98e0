"""Following one key of Consul's KV: a blocking query, turned into the newest good value.

The rules are those of `watcher`: an error changes nothing but the time of the next try, an index that goes backwards
starts the watch over, no turn of the loop is free. An answer that would take something back (the key is gone, or is
older than what was seen: a server that lags, a Consul that lost its data) is believed once the leader says the same.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import quote

from discovery.latest import Latest
from discovery.query import AgentQueries
from discovery.view import next_index
from discovery.watcher import ANSWER_GAP_S, RETRY_CAP_S, WAIT_S
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, ParleyError, UnavailableError

__all__ = ["KvAnswer", "KvEntry", "KvQueries", "KvWatcher"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KvEntry:
    """What is under a key."""

    value: bytes | None = None
    """None: there is no such key."""
    index: int = 0
    """Consul's index of its last change, to compare-and-set with (`ConsulClient.put(if_index=…)`); 0 when absent."""


@dataclass(frozen=True, slots=True)
class KvAnswer:
    """One good answer; `index` is what to block on next, see `view.next_index`."""

    index: int
    entry: KvEntry


class KvQueries(AgentQueries):
    """KV queries to an agent."""

    async def value(self, key: str, *, index: int = 0, wait_s: float = 0.0, consistent: bool = False) -> KvAnswer:
        """Return what is under a key; with `index` > 0 block for news, `wait_s` at most. Raises as `ask` does."""
        path = f"/v1/kv/{quote(key, safe='/')}"
        answered = await self.ask(path, {}, index=index, wait_s=wait_s, consistent=consistent, may_be_absent=True)
        if answered.body is None:
            return KvAnswer(answered.index, KvEntry())
        try:
            (entry,) = json.loads(answered.body)
            value = base64.b64decode(entry["Value"] or "", validate=True)
            return KvAnswer(answered.index, KvEntry(value, int(entry["ModifyIndex"])))
        except (ValueError, TypeError, KeyError) as error:
            raise UnavailableError(f"Consul's answer about {key} makes no sense: {error!r}") from error


class KvWatcher:
    """The newest good value of one key. `run` is its loop; give it to `lifecycle.background`.

    Holds one value; a crash loses nothing, the next start asks again. A Consul that lost its data makes the value None:
    whoever must not fall back then keeps what it had.
    """

    def __init__(
        self, queries: KvQueries, key: str, clock: Clock, *, wait_s: float = WAIT_S, rng: random.Random | None = None
    ) -> None:
        """Watch `key`; a query blocks for `wait_s` seconds at most."""
        self.key = key
        self._queries = queries
        self._clock = clock
        self._wait_s = wait_s
        self._latest: Latest[KvEntry] = Latest()
        self._entry = KvEntry()
        self._index = 0
        self._errors = Backoff(base_s=0.1, cap_s=RETRY_CAP_S, rng=rng)
        self._restarts = Backoff(base_s=0.05, cap_s=RETRY_CAP_S, rng=rng)
        self._is_failing = False

    @property
    def entry(self) -> KvEntry:
        """The last good one; an absent one until `ready`."""
        return self._entry

    @property
    def is_ready(self) -> bool:
        """Whether there was a good answer yet."""
        return self._latest.value is not None

    @property
    def is_failing(self) -> bool:
        """Whether the newest answer was an error, so that the value may be old."""
        return self._is_failing

    async def ready(self, timeout_s: float | None = None) -> KvEntry:
        """Wait for the first good answer, which may be that there is no such key. Raises DeadlineError."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._latest.first()
        except TimeoutError as error:
            raise DeadlineError(f"no answer about {self.key} from Consul in {timeout_s} s") from error
        return self._entry

    def changes(self) -> AsyncIterator[KvEntry]:
        """Yield the entry, once there is one, and each with another value; a slow reader skips to the newest."""
        return self._latest.changes()

    def subscribe(self, callback: Callable[[KvEntry], None]) -> Callable[[], None]:
        """Call `callback` with the entry, if there is one, and with each with another value; return what ends that."""
        return self._latest.subscribe(callback)

    async def run(self) -> None:
        """Follow the key until cancelled."""
        while True:
            asked_at = self._clock.now()
            pause_s = await self._turn()
            await self._clock.sleep(max(pause_s, ANSWER_GAP_S - (self._clock.now() - asked_at)))

    async def _turn(self) -> float:
        """Ask once and take in the answer; return how long to wait before asking again, in seconds."""
        try:
            answer = await self._queries.value(self.key, index=self._index, wait_s=self._wait_s)
            if self._takes_back(answer.entry):
                answer = await self._queries.value(self.key, consistent=True)
        except ParleyError as error:
            return self._failed(error)
        self._recovered()
        self._believe(answer.entry)
        self._index = next_index(self._index, answer.index)
        if self._index == 0:
            return self._restarts.next_s()
        self._restarts.reset()
        return 0.0

    def _takes_back(self, entry: KvEntry) -> bool:
        """Whether the entry is gone, or older than the one we have (the index of an absent one is 0)."""
        return entry.index < self._entry.index

    def _believe(self, entry: KvEntry) -> None:
        is_news = not self.is_ready or entry.value != self._entry.value
        self._entry = entry
        if is_news:
            self._latest.set(entry)

    def _failed(self, error: ParleyError) -> float:
        if not self._is_failing:
            log.warning("%s: no news from Consul, keeping the last value: %s", self.key, error)
        self._is_failing = True
        # Read plainly next: a Consul that is back without its data has a lower index, and would block on the old one.
        self._index = 0
        return self._errors.next_s()

    def _recovered(self) -> None:
        if self._is_failing:
            log.info("%s: Consul answers again", self.key)
        self._is_failing = False
        self._errors.reset()
