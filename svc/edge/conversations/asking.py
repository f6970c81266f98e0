"""Asking the webapp how far channels have come: one read at a time, and who asks meanwhile shares the next one.

A boot storm on a cold edge, or a channel server's death on a warm one, makes thousands of callers want the same few
thousand channels at once. They become a read for each 4,096 channels. Nobody is told what was read by a read that had
begun before he asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from discovery.stubs import RetryPolicy, StubPools
from parley.webapp.v1 import webapp_service_pb2 as webapp
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.edge.conversations.table import Far
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, ResourceExhaustedError, UnavailableError
from svc.kit.lifecycle import Tasks

IDS_MAX = 4_096
"""Channels in one read, as the contract says."""

WAITING_MAX = 400_000
"""Channels that may wait to be read: four of the largest requests there may be. Beyond, callers are refused."""

READ_TIMEOUT_S = 3.0
READ_RETRY = RetryPolicy(attempts_max=3, attempt_timeout_s=1.0)
"""Reads are idempotent; a boot waits for them, so another webapp is tried soon."""

NOWHERE = Far(0, 0)
"""Of a channel without events."""

log = logging.getLogger(__name__)


class ActivityReader(Protocol):
    """The truth about how far channels have come."""

    async def read(self, channel_ids: Sequence[str]) -> Mapping[str, Far]:
        """Return how far each of at most IDS_MAX channels has come. Raises ParleyError."""
        ...


class WebappActivity:
    """Reads through `pools`, which must follow the webapp tier."""

    def __init__(self, pools: StubPools) -> None:
        self._pools = pools

    async def read(self, channel_ids: Sequence[str]) -> Mapping[str, Far]:
        """See ActivityReader."""
        answer = await self._pools.call(
            "webapp",
            WebappServiceStub,
            lambda stub: stub.ReadActivity,
            webapp.ReadActivityRequest(channel_ids=channel_ids),
            timeout_s=READ_TIMEOUT_S,
            retry=READ_RETRY,
        )
        return {each.channel_id: Far(each.head_offset, each.latest_message_ts_us) for each in answer.activities}


class _Batch:
    """Channels that are read together."""

    __slots__ = ("done", "failure", "found", "ids")

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}
        self.found: Mapping[str, Far] = {}
        self.failure: UnavailableError | None = None
        self.done = asyncio.Event()


class Asking:
    """Shares reads. `tasks` runs them: one at a time, so room for one is enough."""

    def __init__(
        self,
        reader: ActivityReader,
        clock: Clock,
        tasks: Tasks,
        heard: Callable[[Mapping[str, Far], float], None] = lambda *_: None,
    ) -> None:
        """`heard` is given what each read found, and when it began, before anyone who asked goes on."""
        self._reader = reader
        self._clock = clock
        self._tasks = tasks
        self._heard = heard
        self._waiting: deque[_Batch] = deque()
        self._batch_of: dict[str, _Batch] = {}
        self._is_reading = False
        self.reads = 0
        """Reads made."""
        self.read_channels = 0
        """Channels read."""

    async def ask(self, channel_ids: Iterable[str]) -> Mapping[str, Far]:
        """Return how far each of these channels has come, as found by reads that began after this call.

        Raises UnavailableError when one failed, ResourceExhaustedError when too many channels wait.
        """
        batches = {channel_id: self._join(channel_id) for channel_id in channel_ids}
        if batches and not self._is_reading:
            self._is_reading = True
            self._tasks.spawn(self._read_all(), name="activity reads")
        for batch in dict.fromkeys(batches.values()):
            await batch.done.wait()
            if batch.failure is not None:
                raise batch.failure.with_traceback(None)  # or it would grow with each of those who raise it
        return {channel_id: batch.found[channel_id] for channel_id, batch in batches.items()}

    def _join(self, channel_id: str) -> _Batch:
        batch = self._batch_of.get(channel_id)
        if batch is not None:
            return batch
        if len(self._batch_of) >= WAITING_MAX:
            raise ResourceExhaustedError(
                f"{WAITING_MAX} channels wait to be read", subject="channel_ids", limit=WAITING_MAX
            )
        if not self._waiting or len(self._waiting[-1].ids) >= IDS_MAX:
            self._waiting.append(_Batch())
        batch = self._batch_of[channel_id] = self._waiting[-1]
        batch.ids[channel_id] = None
        return batch

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting.popleft()
                for channel_id in batch.ids:
                    del self._batch_of[channel_id]
                await self._read(batch)
        finally:
            self._is_reading = False

    async def _read(self, batch: _Batch) -> None:
        self.reads += 1
        self.read_channels += len(batch.ids)
        began_at = self._clock.now()
        batch.failure = UnavailableError("how far channels have come could not be read")
        try:
            found = await self._reader.read(tuple(batch.ids))
            batch.found = {channel_id: found.get(channel_id, NOWHERE) for channel_id in batch.ids}
            self._heard(batch.found, began_at)
            batch.failure = None
        except ParleyError as error:
            batch.failure = UnavailableError(f"how far channels have come could not be read: {error}")
        except Exception:
            log.exception("a read of how far channels have come failed")  # its askers are told, the others wait on
        finally:
            batch.done.set()
