"""The states of the channels that were published to: found, trusted or not, forgotten when too many. Pure.

The only place that knows how they are kept. Least recently published first out, by count and by bytes of tails.
"""

from __future__ import annotations

from collections import OrderedDict

from svc.channel.channel import Accepted, ChannelState
from svc.channel.config import TailLimits
from svc.channel.ownership import Ownership


class ChannelStates:
    """Channel to state, for channels that this server owns. State made before the slot's adoption is never returned."""

    def __init__(self, ownership: Ownership, limits: TailLimits) -> None:
        self._ownership = ownership
        self._limits = limits
        self._states: OrderedDict[str, ChannelState] = OrderedDict()
        self._forgotten_us = 0
        """Events committed before this may have gone to a state that was forgotten since."""
        self.tail_bytes = 0

    @property
    def fingerprint(self) -> int:
        """Of the ring that is held."""
        return self._ownership.fingerprint

    def __len__(self) -> int:
        return len(self._states)

    def peek(self, channel_id: str) -> ChannelState | None:
        """Return the channel's state, if there is one to be trusted."""
        state = self._states.get(channel_id)
        return state if state is not None and self._ownership.since[state.slot] <= state.born else None

    def open(self, channel_id: str, offset: int) -> ChannelState | None:
        """Return the channel's state, made now (from `offset` on) if need be; None when another server owns it."""
        state = self._states.get(channel_id)
        if state is not None and self._ownership.since[state.slot] <= state.born:
            self._states.move_to_end(channel_id)
            return state
        self.forget(channel_id)
        place = self._ownership.slot_owned(channel_id)
        if place is None:
            return None
        vouch_us = max(self._ownership.adopted_us(place), self._forgotten_us)
        state = self._states[channel_id] = ChannelState(
            self._limits, offset, place, self._ownership.generation, vouch_us
        )
        return state

    def accept(self, state: ChannelState, offset: int, data: bytes, now: float, commit_us: int) -> Accepted:
        """Do `state.accept`, and count the bytes."""
        before = state.tail_bytes
        accepted = state.accept(offset, data, now, commit_us)
        self.tail_bytes += state.tail_bytes - before
        return accepted

    def due(self, state: ChannelState, now: float) -> list[bytes]:
        """Do `state.due`, and count the bytes."""
        before = state.tail_bytes
        released = state.due(now)
        self.tail_bytes += state.tail_bytes - before
        return released

    def forget(self, channel_id: str) -> None:
        """Drop one state. Its next event begins a new one, and its subscribers compare with the log.

        That event may be a late one, behind others that the dropped state had; so no state that begins now vouches for
        its head before an event comes that is younger than this.
        """
        state = self._states.pop(channel_id, None)
        if state is not None:
            self.tail_bytes -= state.tail_bytes
            if self._ownership.since[state.slot] <= state.born:
                self._forgotten_us = self._ownership.from_now_us()

    def forget_stale(self) -> None:
        """Drop what may not be trusted any more. One pass: 0.1 s at a million channels, once a ring move."""
        since = self._ownership.since
        for channel_id in [name for name, state in self._states.items() if since[state.slot] > state.born]:
            self.forget(channel_id)

    def beyond_limits(self) -> str | None:
        """Return the channel to forget next; None while all limits hold."""
        if self.tail_bytes > self._limits.tail_bytes_max or len(self._states) > self._limits.channels_max:
            return next(iter(self._states), None)
        return None
