"""The states of the channels that were published to: found, trusted or not, put to rest when too many. Pure.

The only place that knows how they are kept. A channel that is busy has a `ChannelState`, with its tail. Beyond the
limits, by count and by bytes of tails, the least recently published loses its tail, and what else is known of it rests
in its row (`rows`) until its next event.
"""

from __future__ import annotations

from collections import OrderedDict

from svc.channel.channel import Accepted, ChannelState
from svc.channel.config import TailLimits
from svc.channel.fanout import Attachment
from svc.channel.ownership import Ownership
from svc.channel.rows import Rows
from svc.channel.rows.plain import Run


class ChannelStates:
    """Channel to state, for channels that this server owns. State made before the slot's adoption is never returned."""

    def __init__(self, ownership: Ownership, limits: TailLimits, rows: Rows[Attachment]) -> None:
        self._ownership = ownership
        self._limits = limits
        self._rows = rows
        self._states: OrderedDict[str, ChannelState] = OrderedDict()
        self._forgotten_us = 0
        """Events committed before this may have gone to a state that was forgotten since."""
        self._heads_dropped = 0
        self.tail_bytes = 0

    @property
    def fingerprint(self) -> int:
        """Of the ring that is held."""
        return self._ownership.fingerprint

    def __len__(self) -> int:
        """How many channels have a tail."""
        return len(self._states)

    def peek(self, channel_id: str) -> ChannelState | None:
        """Return the channel's state, if there is one to be trusted. One at rest has none."""
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
        run = self._rows.activate(channel_id)
        if self._rows.heads_dropped != self._heads_dropped:
            self._heads_dropped = self._rows.heads_dropped
            self._forgotten_us = self._ownership.from_now_us()
        vouch_us = max(self._ownership.adopted_us(place), self._forgotten_us)
        if run is None:
            state = ChannelState(self._limits, offset, place, self._ownership.generation, vouch_us)
        else:
            state = ChannelState.resumed(self._limits, Run(*run), place, vouch_us)
        self._states[channel_id] = state
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

    def rest(self, channel_id: str) -> bool:
        """Give up a channel's tail and keep the rest in its row; False when events of it wait for earlier ones."""
        state = self._states[channel_id]
        if state.held_count:
            return False
        if self._ownership.since[state.slot] > state.born or not self._rows.settle(
            channel_id, state.low, state.head, state.born, state.is_vouched
        ):
            self.forget(channel_id)
            return True
        del self._states[channel_id]
        self.tail_bytes -= state.tail_bytes
        return True

    def forget(self, channel_id: str) -> None:
        """Drop one state. Its next event begins a new one, and its subscribers compare with the log.

        That event may be a late one, behind others that the dropped state had; so no state that begins now vouches for
        its head before an event comes that is younger than this.
        """
        state = self._states.pop(channel_id, None)
        if state is not None:
            self.tail_bytes -= state.tail_bytes
            self._rows.forget(channel_id)
            if self._ownership.since[state.slot] <= state.born:
                self._forgotten_us = self._ownership.from_now_us()

    def forget_stale(self) -> None:
        """Drop what may not be trusted any more. One pass over the busy ones: 20 ms at 250,000, once a ring move."""
        since = self._ownership.since
        for channel_id in [name for name, state in self._states.items() if since[state.slot] > state.born]:
            self.forget(channel_id)
        self._rows.want_sweep()

    def beyond_limits(self) -> str | None:
        """Return the channel to put to rest next; None while all limits hold."""
        if self.tail_bytes > self._limits.tail_bytes_max or len(self._states) > self._limits.active_max:
            return next(iter(self._states), None)
        return None
