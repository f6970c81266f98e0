"""Filling holes: reads heads and logs for whatever the positions say is missing, in bounded batches, one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.positions import Positions
from svc.feed.uplinks import Consumer
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, ResourceExhaustedError

HEADS_MAX = 4_096
"""Channels whose heads are read in one call, as the contract says."""

CHANNELS_MAX = 64
"""Channels whose log is read in one call; the contract allows 256, and a smaller answer arrives sooner."""

EVENTS_MAX = 100
"""Events of each channel in one call: 64 x 100 events of 1 KB are 6 MB, within what gRPC carries (16 MB)."""

RETRY_S = 0.5
"""Seconds until heads that could not be read are asked for again."""

CHECK_REST_S = 0.03
"""Between two reads of heads: of a crowd that comes back each asks for a few, and they share what is read. Less than
anybody notices of one who comes alone."""

NAP_S = 0.05
"""Longest sleep while anything is missing."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelLog:
    """A run of one channel's log: events in offset order without a hole; see webapp.v1.ChannelLog."""

    channel_id: str
    events: Sequence[event_pb.Event]
    head: int
    is_truncated: bool


class LogReader(Protocol):
    """The durable log, behind webapp. Both calls raise ParleyError."""

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        """Return at most `limit` events of each channel after the offset given, for 1 to 256 channels."""
        ...

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the highest committed offset of each channel that has events, for 1 to 4,096 channels."""
        ...


class Filler:
    """Reads what is missing and hands it on. One call at a time: a broken webapp is not stormed by every hole."""

    def __init__(self, positions: Positions, reader: LogReader, clock: Clock) -> None:
        """Fill the holes of `positions` from `reader`."""
        self._positions = positions
        self._reader = reader
        self._clock = clock
        self._news = asyncio.Event()
        self._size = 1.0  # share of the usual batch, smaller while answers are too large
        self._checked_at = float("-inf")
        self.reads = 0
        self.events_filled = 0
        self.losses = 0

    def wake(self) -> None:
        """Look again at what is missing."""
        if not self._news.is_set() and self._positions.next_due() is not None:
            self._news.set()

    async def run(self, consumer: Consumer) -> None:
        """Fill holes for ever; what was missing goes to `consumer`."""
        while True:
            await self._news.wait()
            self._news.clear()
            while (due := self._positions.next_due()) is not None:
                wait_s = due - self._clock.now()
                if wait_s > 0:
                    # Short naps: a more urgent hole may appear meanwhile.
                    await self._clock.sleep(min(wait_s, NAP_S))
                await self._check()
                await self._fill(consumer)

    async def _check(self) -> None:
        if not self._positions.owes_checks:
            return
        left_s = self._checked_at + CHECK_REST_S - self._clock.now()
        if left_s > 0:
            await self._clock.sleep(left_s)
        asked = self._positions.checks_due(HEADS_MAX)
        if not asked:
            return
        self._checked_at = self._clock.now()
        try:
            heads = await self._reader.read_heads(asked)
        except ParleyError as error:
            log.warning("heads of %d channels could not be read: %s", len(asked), error)
            for channel_id in asked:
                self._positions.doubt(channel_id, 0, self._clock.now())
            await self._clock.sleep(RETRY_S)
            return
        self._positions.checked(heads, self._clock.now())

    async def _fill(self, consumer: Consumer) -> None:
        asked = self._positions.reads_due(self._clock.now(), max(1, int(CHANNELS_MAX * self._size)))
        if not asked:
            return
        self.reads += 1
        missing = {channel_id for channel_id, _ in asked}
        try:
            logs = await self._reader.read_log(asked, max(1, int(EVENTS_MAX * self._size)))
            self._size = min(1.0, self._size * 2)
            for run in logs:
                missing.discard(run.channel_id)
                self._take(run, consumer)
        except ParleyError as error:
            log.warning("the log of %d channels could not be read: %s", len(asked), error)
            if isinstance(error, ResourceExhaustedError):
                self._size = max(1 / CHANNELS_MAX, self._size / 2)
        finally:
            self._positions.failed(missing, self._clock.now())

    def _take(self, run: ChannelLog, consumer: Consumer) -> None:
        handed = self._positions.read(run.channel_id, run.events, run.head, run.is_truncated, self._clock.now())
        self.events_filled += len(handed.events)
        if handed.is_loss:
            self.losses += 1
            first = handed.events[0].offset if handed.events else (self._positions.last(run.channel_id) or 0) + 1
            log.error("events of %s before offset %d are gone from the log", run.channel_id, first)
            consumer.lost(run.channel_id, first - 1)
        if handed.events:
            consumer.deliver(handed.events)
