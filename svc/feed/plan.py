"""Where each followed channel is subscribed, and what to tell which server when the ring or a server changes. Pure.

A channel belongs to a slot, a slot to a server. When the ring moves, only the channels of moved slots are asked for at
their new owner; they leave the old one after the new one has confirmed (make before break), and the events that both
send meanwhile are told apart by offset. A refused channel (rings differ for a moment) is asked for again with
backoff, a channel whose server is down waits for that server or for the next ring.

The plan holds what is to be said by server, and `flush` gives it out when the server's line can take it: nothing
queues up behind a slow line but sets of channel ids.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from discovery.ring import SLOTS, Ring, moves, slot

POSITIONS_MAX = 4_096
"""Channels in one subscribe frame, as the contract says."""

FEW_SLOTS = 512
"""Slots with channels up to which they are looked up one by one, instead of going through all slots of a ring."""

REFUSED_BACKOFF_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
"""Seconds until a refused channel is asked for again, by refusal: rings agree within milliseconds of Consul's word."""


class Cause(StrEnum):
    """Why a channel is asked for."""

    NEW = "new"
    MOVED = "moved"
    REATTACHED = "reattached"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ask:
    """Subscribe to channels: at most POSITIONS_MAX, and none to say by which ring we go."""

    request_number: int
    channel_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quit:
    """Unsubscribe from channels: at most POSITIONS_MAX."""

    channel_ids: tuple[str, ...]


class _Channel:
    """One followed channel."""

    __slots__ = ("asked", "at", "cause", "number", "refs", "refusals", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.refs = 1
        self.at: tuple[str, ...] = ()  # servers where a subscription stands
        self.asked: str | None = None  # server that is being asked
        self.number = 0  # the request that asks; 0 while it waits to be sent
        self.cause = Cause.NEW
        self.refusals = 0


class _Server:
    """One server whose line is up: what is to be said to it, and which answers are outstanding."""

    __slots__ = ("alone", "asks", "owes_ring", "quits", "requests")

    def __init__(self, server_id: str) -> None:
        self.alone = (server_id,)  # where a channel stands that stands here only: one tuple for all of them
        self.owes_ring = False  # whether it is to hear of a new ring, even if nothing is asked of it
        self.asks: dict[str, None] = {}
        self.quits: dict[str, None] = {}
        self.requests: dict[int, tuple[str, ...]] = {}


class Plan:
    """Subscriptions of one feed over all channel servers."""

    def __init__(self, requests_max: int = 8) -> None:
        """Allow `requests_max` unanswered subscribe frames a server (32,768 channels at 8)."""
        self.asked = Counter[Cause]()
        """Channels asked for so far, by cause."""
        self.ring = Ring(())
        self._requests_max = requests_max
        self._channels: dict[str, _Channel] = {}
        self._slots: dict[int, list[str]] = {}
        self._numbers = tuple(range(SLOTS))  # one object for each number, whichever channels have it
        self._servers: dict[str, _Server] = {}
        self._retries: list[tuple[float, str]] = []
        self._request_number = 0

    def __len__(self) -> int:
        return len(self._channels)

    def __contains__(self, channel_id: str) -> bool:
        return channel_id in self._channels

    @property
    def unsettled(self) -> int:
        """Return how many channels are not subscribed at their owner (counts all of them: for reports)."""
        return sum(1 for channel in self._channels.values() if self._owner(channel) not in channel.at)

    def stands_at(self, channel_id: str) -> str | None:
        """Return the owner of a followed channel if the subscription stands there; None otherwise."""
        channel = self._channels.get(channel_id)
        owner = None if channel is None else self._owner(channel)
        return owner if channel is not None and owner in channel.at else None

    def follow(self, channel_id: str) -> bool:
        """Count one more interest in a channel; return whether it is the first."""
        channel = self._channels.get(channel_id)
        if channel is not None:
            channel.refs += 1
            return False
        channel = self._channels[channel_id] = _Channel(self._numbers[slot(channel_id)])
        self._slots.setdefault(channel.slot, []).append(channel_id)
        self._place(channel_id, channel)
        return True

    def unfollow(self, channel_id: str) -> bool:
        """Count one interest less; return whether it was the last, and the channel is left."""
        channel = self._channels.get(channel_id)
        if channel is None:
            return False
        channel.refs -= 1
        if channel.refs:
            return False
        self._withdraw(channel_id, channel)
        for server_id in channel.at:
            self._quit(server_id, channel_id)
        del self._channels[channel_id]
        of_slot = self._slots[channel.slot]
        of_slot.remove(channel_id)
        if not of_slot:
            del self._slots[channel.slot]
        return True

    def again(self, channel_id: str) -> None:
        """Subscribe to a followed channel anew, as if it had been left and followed again by all who do."""
        channel = self._channels[channel_id]
        self._withdraw(channel_id, channel)
        for server_id in channel.at:
            self._quit(server_id, channel_id)
        channel.at, channel.cause = (), Cause.NEW
        self._place(channel_id, channel)

    def ring_changed(self, ring: Ring) -> None:
        """Go by `ring` from now on: the channels of slots that changed hands are asked for at their new owners.

        Every server hears of the ring. One that Consul no longer reaches learns so that it was left behind.
        """
        moved = self._moved_slots(ring)
        self.ring = ring
        for server in self._servers.values():
            server.owes_ring = True
        for moved_slot in moved:
            for channel_id in self._slots.get(moved_slot, ()):
                channel = self._channels[channel_id]
                if channel.at or channel.cause is Cause.REATTACHED:
                    channel.cause = Cause.MOVED
                self._place(channel_id, channel)

    def server_up(self, server_id: str) -> None:
        """A line to the server stands, with no subscription on it yet: ask for its channels."""
        self.server_down(server_id)
        self._servers[server_id] = _Server(server_id)
        for channel_id, channel in self._owned_by(server_id):
            self._place(channel_id, channel)

    def server_down(self, server_id: str) -> None:
        """The line to the server is gone, and every subscription on it."""
        if self._servers.pop(server_id, None) is None:
            return
        for channel in self._channels.values():
            if channel.asked == server_id:
                channel.asked, channel.number = None, 0
            if server_id in channel.at:
                channel.at = tuple(other for other in channel.at if other != server_id)
                if not channel.at:
                    channel.cause = Cause.REATTACHED

    def answered(self, server_id: str, request_number: int, refused: Iterable[str], now: float) -> None:
        """Take a server's answer: what stands there leaves all other servers, what was refused is asked for later."""
        server = self._servers.get(server_id)
        if server is None:
            return
        refusals = set(refused)
        for channel_id in server.requests.pop(request_number, ()):
            channel = self._channels.get(channel_id)
            if channel is None or channel.asked != server_id or channel.number != request_number:
                continue  # left or moved meanwhile: the line carries its unsubscription behind the request
            if channel_id in refusals:
                self._refused(channel_id, channel, now)
            else:
                self._settled(server_id, channel_id, channel)

    def retry_due(self, now: float) -> None:
        """Ask again for refused channels whose time has come."""
        while self._retries and self._retries[0][0] <= now:
            _, channel_id = heapq.heappop(self._retries)
            channel = self._channels.get(channel_id)
            if channel is not None:
                self._place(channel_id, channel)

    def next_retry(self) -> float | None:
        """Return when `retry_due` has something to do."""
        return self._retries[0][0] if self._retries else None

    def flush(self, server_id: str) -> list[Ask | Quit]:
        """Return what is to be sent to the server now, in this order; the rest comes when it has answered."""
        server = self._servers.get(server_id)
        if server is None:
            return []
        frames: list[Ask | Quit] = [Quit(channel_ids) for channel_ids in _chunks(server.quits)]
        server.quits.clear()
        while server.owes_ring or (server.asks and len(server.requests) < self._requests_max):
            server.owes_ring = False
            channel_ids = tuple(channel_id for channel_id, _ in zip(server.asks, range(POSITIONS_MAX), strict=False))
            self._request_number += 1
            for channel_id in channel_ids:
                del server.asks[channel_id]
                channel = self._channels[channel_id]
                channel.number = self._request_number
                self.asked[channel.cause] += 1
            server.requests[self._request_number] = channel_ids
            frames.append(Ask(self._request_number, channel_ids))
        return frames

    def servers_with_news(self) -> list[str]:
        """Return the servers for which `flush` would give something."""
        return [
            server_id for server_id, server in self._servers.items() if server.quits or server.asks or server.owes_ring
        ]

    def _owner(self, channel: _Channel) -> str | None:
        return _owner_of(self.ring, channel.slot)

    def _moved_slots(self, ring: Ring) -> Iterable[int]:
        """Return the slots that `ring` gives to somebody else, at least those with channels."""
        if len(self._slots) > FEW_SLOTS:
            return moves(self.ring, ring)
        return [each for each in self._slots if _owner_of(self.ring, each) != _owner_of(ring, each)]

    def _owned_by(self, server_id: str) -> Iterator[tuple[str, _Channel]]:
        owned: Iterable[int]
        if len(self._slots) > FEW_SLOTS:
            owned = self.ring.slots_of(server_id)
        else:
            owned = [each for each in self._slots if _owner_of(self.ring, each) == server_id]
        for each in owned:
            for channel_id in self._slots.get(each, ()):
                yield channel_id, self._channels[channel_id]

    def _place(self, channel_id: str, channel: _Channel) -> None:
        """Bring a channel to its owner: ask there, unless it stands or is asked there already, or the owner is down."""
        owner = self._owner(channel)
        if owner is not None and owner == channel.asked:
            return
        self._withdraw(channel_id, channel)
        if owner is None:
            return
        if owner in channel.at:
            self._settled(owner, channel_id, channel)
        elif (server := self._servers.get(owner)) is not None:
            server.asks[channel_id] = None
            channel.asked, channel.number = owner, 0

    def _withdraw(self, channel_id: str, channel: _Channel) -> None:
        """Forget an ask: take it back if it was not sent, else unsubscribe behind it."""
        if channel.asked is None:
            return
        server = self._servers[channel.asked]
        if channel.number:
            self._quit(channel.asked, channel_id)
        else:
            server.asks.pop(channel_id, None)
        channel.asked, channel.number = None, 0

    def _quit(self, server_id: str, channel_id: str) -> None:
        server = self._servers.get(server_id)
        if server is not None:
            server.quits[channel_id] = None

    def _settled(self, server_id: str, channel_id: str, channel: _Channel) -> None:
        for other in channel.at:
            if other != server_id:
                self._quit(other, channel_id)
        channel.at = self._servers[server_id].alone
        channel.asked, channel.number, channel.refusals = None, 0, 0

    def _refused(self, channel_id: str, channel: _Channel, now: float) -> None:
        wait_s = REFUSED_BACKOFF_S[min(channel.refusals, len(REFUSED_BACKOFF_S) - 1)]
        channel.refusals += 1
        channel.asked, channel.number, channel.cause = None, 0, Cause.REFUSED
        heapq.heappush(self._retries, (now + wait_s, channel_id))


def _owner_of(ring: Ring, place: int) -> str | None:
    return ring.owner_of_slot(place) if ring.members else None


def _chunks(channel_ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    ordered = tuple(channel_ids)
    for start in range(0, len(ordered), POSITIONS_MAX):
        yield ordered[start : start + POSITIONS_MAX]
