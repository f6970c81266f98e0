"""Catching up: reads from the log what one connection misses, as fast as that connection takes it.

Reads are small at first and grow while they stay below PACE_BYTES; so a client that was away for long, or whose events
are large, is neither cut off as a slow consumer by its own past, nor holds more of it in memory than it can take.
"""

from __future__ import annotations

import logging
from random import Random
from typing import Protocol

from svc.feed.filler import LogReader
from svc.gateway.hub import Hub
from svc.gateway.members import Member
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, ResourceExhaustedError

PACE_BYTES = 256 * 1024
"""Unwritten bytes above which a connection is left to read: far below what cuts it off. A read brings about as much."""

CHANNELS_MAX = 64
EVENTS_MAX = 100
"""The largest log read; see feed.filler."""

NAP_S = 0.02
"""How often a connection that reads slowly is looked at."""

log = logging.getLogger(__name__)


class Reader(Member, Protocol):
    """A connection that catches up."""

    @property
    def is_closing(self) -> bool:
        """Whether there is no point any more."""
        ...

    @property
    def unwritten_bytes(self) -> int:
        """Bytes that wait to be written to it."""
        ...


class Appetite:
    """How much to read at once: pure arithmetic on what the last read brought."""

    def __init__(self) -> None:
        self.channels = CHANNELS_MAX
        self.events = 16

    def brought(self, size: int) -> None:
        """Learn how many bytes a read brought."""
        if size > PACE_BYTES:
            self.shrink()
        elif size < PACE_BYTES // 4:
            self.events = min(EVENTS_MAX, self.events * 2)
            if self.events == EVENTS_MAX:
                self.channels = min(CHANNELS_MAX, self.channels * 2)

    def shrink(self) -> None:
        """Read half as much: fewer events first, then fewer channels."""
        if self.events > 1:
            self.events //= 2
        else:
            self.channels = max(1, self.channels // 2)


async def catch_up(reader: Reader, hub: Hub, log_reader: LogReader, clock: Clock, rng: Random) -> None:
    """Read what `reader` misses until it misses nothing, or closes."""
    backoff, appetite = Backoff(0.1, 2.0, rng), Appetite()
    while not reader.is_closing and (asked := hub.missing(reader, appetite.channels)):
        if await _read(reader, hub, log_reader, clock, asked, appetite):
            backoff.reset()
        else:
            await clock.sleep(backoff.next_s())
        await _room(reader, clock)


async def _read(
    reader: Reader, hub: Hub, log_reader: LogReader, clock: Clock, asked: list[tuple[str, int]], appetite: Appetite
) -> bool:
    """Read once; return whether it brought anything."""
    missing = {channel_id for channel_id, _ in asked}
    brought = size = 0
    try:
        for run in await log_reader.read_log(asked, appetite.events):
            # Between two channels, since one read may bring more than was thought.
            await _room(reader, clock)
            missing.discard(run.channel_id)
            brought += hub.read(reader, run.channel_id, run.events, run.head, run.is_truncated)
            size += sum(len(event.payload) for event in run.events)
        appetite.brought(size)
    except ResourceExhaustedError:
        appetite.shrink()
    except ParleyError as error:
        log.warning("the log of %d channels could not be read: %s", len(asked), error)
    finally:
        hub.failed(reader, missing)
    return brought > 0


async def _room(reader: Reader, clock: Clock) -> None:
    while reader.unwritten_bytes > PACE_BYTES and not reader.is_closing:
        await clock.sleep(NAP_S)
