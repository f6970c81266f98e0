"""Following a service: one long-lived blocking query, turned into a stream of snapshots that never empties by mistake.

The loop asks, weighs the answer by the rules of `view`, and asks again. An error changes nothing but the time of the
next try. A doubtful answer (everybody, or most, gone at once; anybody gone after trouble) is checked with a consistent
read and by asking the lost instances themselves. No turn of the loop is free: good answers are 20 ms apart, bad ones
back off with jitter.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable

from discovery.health import HealthAnswer, HealthQueries
from discovery.latest import Latest
from discovery.probe import Probe, answering
from discovery.view import GRACE_S, ServiceView, Snapshot, next_index
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, ParleyError

log = logging.getLogger(__name__)

WAIT_S = 30.0
"""How long a query blocks without news: a silently dead connection, or servers replaced behind an agent, are found in
35 s. Consul's default is 300; 10,000 watches at 30 are 330 queries/s, spread over the agents."""

RETRY_CAP_S = 2.0
"""Longest wait between tries while Consul is away: how late its return may be noticed."""

ANSWER_GAP_S = 0.02
"""Shortest time between two queries: a busy catalog costs 50 answers a second at most."""

HELD_RECHECK_S = 1.0
"""How often held instances are asked again, so that one that dies meanwhile is gone within 2 s."""

SUSPICION_GAP_S = 0.2
"""Hints closer together than this are one: a broken gateway must not turn into a storm of queries."""


class ServiceWatcher:
    """The believed view of one service. `run` is its loop; give it to `lifecycle.background`.

    Holds one snapshot; a crash loses nothing, the next start asks again.
    """

    def __init__(
        self,
        health: HealthQueries,
        service: str,
        clock: Clock,
        probe: Probe,
        *,
        wait_s: float = WAIT_S,
        grace_s: float = GRACE_S,
        rng: random.Random | None = None,
    ) -> None:
        """Watch Consul's `service`; `probe` asks an instance itself. Waits in seconds."""
        self.service = service
        self._health = health
        self._clock = clock
        self._probe = probe
        self._wait_s = wait_s
        self._view = ServiceView(service, grace_s)
        self._latest: Latest[Snapshot] = Latest()
        self._index = 0
        self._errors = Backoff(base_s=0.1, cap_s=RETRY_CAP_S, rng=rng)
        self._restarts = Backoff(base_s=0.05, cap_s=RETRY_CAP_S, rng=rng)
        self._is_failing = False
        self._rechecked_at = clock.now()
        self._suspected_at = -SUSPICION_GAP_S
        self._asking: asyncio.Timeout | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The last good view; empty until `ready`."""
        return self._view.snapshot

    @property
    def is_failing(self) -> bool:
        """Whether the newest answer was an error, so that the view may be old."""
        return self._is_failing

    async def ready(self, timeout_s: float | None = None) -> Snapshot:
        """Wait for the first believed answer, which may be empty. Raises DeadlineError after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._latest.first()
        except TimeoutError as error:
            raise DeadlineError(f"no view of {self.service} from Consul in {timeout_s} s") from error

    def changes(self) -> AsyncIterator[Snapshot]:
        """Yield the view, once there is one, and each new one; a slow reader skips to the newest."""
        return self._latest.changes()

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` with the view, if there is one, and with each new one; return what ends that."""
        return self._latest.subscribe(callback)

    def suspect(self, instance_id: str) -> None:
        """Hint that an instance seems dead (its stream broke): Consul is asked again at once.

        Nobody leaves on a hint alone. Hints about strangers, and within 0.2 s of the last, are ignored.
        """
        now = self._clock.now()
        if now - self._suspected_at < SUSPICION_GAP_S or self.snapshot.get(instance_id) is None:
            return
        self._suspected_at = now
        self._index = 0
        if self._asking is not None:
            self._asking.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Follow the service until cancelled."""
        while True:
            asked_at = self._clock.now()
            pause_s = await self._turn()
            await self._recheck_held()
            await self._clock.sleep(max(pause_s, ANSWER_GAP_S - (self._clock.now() - asked_at)))

    async def _turn(self) -> float:
        """Ask once and take in the answer; return how long to wait before asking again, in seconds."""
        asked = self._index
        try:
            answer = await self._ask(asked)
            if answer is None:
                return 0.0
            if next_index(asked, answer.index) == 0:
                self._view.disturbed(self._clock.now())
            await self._weigh(answer)
        except ParleyError as error:
            return self._failed(error)
        self._recovered()
        if self._index != asked:
            return 0.0  # a hint came while the answer was weighed
        self._index = next_index(asked, answer.index)
        if self._index == 0:
            return self._restarts.next_s()
        self._restarts.reset()
        return 0.0

    async def _ask(self, index: int) -> HealthAnswer | None:
        """Return the next answer; None when a hint interrupted the wait."""
        wait_s = HELD_RECHECK_S if self._view.held else self._wait_s
        try:
            async with asyncio.timeout(None) as self._asking:
                return await self._health.passing(self.service, index=index, wait_s=wait_s)
        except TimeoutError:
            return None
        finally:
            self._asking = None

    async def _weigh(self, answer: HealthAnswer) -> None:
        """Believe an answer, or first get a second opinion. Raises when that cannot be had: then nothing changes."""
        alive: frozenset[str] = frozenset()
        if self._view.doubts(answer.instances, self._clock.now()):
            answer = await self._health.passing(self.service, consistent=True)
            if self._view.doubts(answer.instances, self._clock.now()):
                lost = self._view.lost(answer.instances)
                alive = await answering(lost, self._probe)
                level = logging.WARNING if alive else logging.INFO
                log.log(level, "%s: %d instances left Consul, %d still answer", self.service, len(lost), len(alive))
        was_ready = self._view.is_ready
        if self._view.believe(answer.index, answer.instances, self._clock.now(), alive) or not was_ready:
            self._latest.set(self._view.snapshot)

    async def _recheck_held(self) -> None:
        now = self._clock.now()
        held = self._view.held
        if not held or now - self._rechecked_at < HELD_RECHECK_S:
            return
        self._rechecked_at = now
        alive = await answering(held, self._probe)
        if self._view.recheck(alive, self._clock.now()):
            self._latest.set(self._view.snapshot)

    def _failed(self, error: ParleyError) -> float:
        if not self._is_failing:
            log.warning("%s: no news from Consul, keeping the last view: %s", self.service, error)
        self._is_failing = True
        self._view.disturbed(self._clock.now())
        # Read plainly next: a Consul that is back without its data has a lower index, and would block on the old one.
        self._index = 0
        return self._errors.next_s()

    def _recovered(self) -> None:
        if self._is_failing:
            log.info("%s: Consul answers again", self.service)
        self._is_failing = False
        self._errors.reset()
