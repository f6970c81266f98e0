"""Events that passed through here a moment ago, so that those who missed just them need not ask the log.

After a gateway's death its clients come to the others, and each misses what was said meanwhile in its channels: the
same few events, which the others were handed as they happened. Kept by channel, without a hole, the newest of all
within BYTES_MAX. An event never changes, so there is nothing to keep right: what is not here is read from the log.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from itertools import islice

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.filler import ChannelLog, LogReader
from svc.feed.uplinks import Consumer

BYTES_MAX = 16 * 1024 * 1024
"""Payload bytes that are kept: half a minute of 500 events of 1 KB a second."""

EVENT_BYTES = 500
"""What an event takes beside its payload."""


class Recent:
    """The newest persisted events of the channels that are followed here. Pure."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._runs: OrderedDict[str, deque[event_pb.Event]] = OrderedDict()
        self.bytes = 0

    def add(self, event: event_pb.Event) -> None:
        """Keep an event, which is the newest of its channel; what does not join it is forgotten."""
        if not event.offset:
            return
        run = self._runs.get(event.channel_id)
        if run is None:
            run = self._runs[event.channel_id] = deque()
        elif run[-1].offset != event.offset - 1:
            if event.offset <= run[-1].offset:
                return
            self._shorten(run, len(run))
        run.append(event)
        self.bytes += _size(event)
        self._runs.move_to_end(event.channel_id)
        while self.bytes > self._bytes_max:
            # Of the channel that was silent for the longest, the oldest: its newest may still be wanted.
            channel_id, oldest = next(iter(self._runs.items()))
            self._shorten(oldest, 1)
            if not oldest:
                del self._runs[channel_id]

    def after(self, channel_id: str, offset: int, limit: int) -> ChannelLog | None:
        """Return what follows an offset, at most `limit` events; None when that is not here, or nothing is."""
        run = self._runs.get(channel_id)
        if run is None or not run[0].offset <= offset + 1 <= run[-1].offset:
            return None
        start = offset + 1 - run[0].offset
        return ChannelLog(channel_id, list(islice(run, start, start + limit)), run[-1].offset, False)

    def __len__(self) -> int:
        """Return how many channels have events here."""
        return len(self._runs)

    def _shorten(self, run: deque[event_pb.Event], count: int) -> None:
        for _ in range(count):
            self.bytes -= _size(run.popleft())


class Remembering:
    """A consumer of the feed that keeps what it hands on."""

    def __init__(self, recent: Recent, consumer: Consumer) -> None:
        self._recent = recent
        self._consumer = consumer

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See uplinks.Consumer."""
        for event in events:
            self._recent.add(event)
        self._consumer.deliver(events)

    def lost(self, channel_id: str, last: int) -> None:
        """See uplinks.Consumer."""
        self._consumer.lost(channel_id, last)


class RecentFirst:
    """The log, asked only for what is not here. Raises as the log does."""

    def __init__(self, recent: Recent, log: LogReader) -> None:
        self._recent = recent
        self._log = log

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        """See filler.LogReader. With something at hand only that is returned: what is left is asked for again."""
        here = [run for each in after if (run := self._recent.after(*each, limit)) is not None]
        return here or await self._log.read_log(after, limit)

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        """See filler.LogReader."""
        return await self._log.read_heads(channel_ids)


def _size(event: event_pb.Event) -> int:
    return len(event.payload) + EVENT_BYTES
