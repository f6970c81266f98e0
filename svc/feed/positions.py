"""Up to which offset each followed channel has been handed on, and what is missing. Pure: no sockets, time is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.follower import Follower, Handed, HoldBudget


class Positions:
    """The followers of all channels of one feed, those with holes, and those whose beginning is to be checked."""

    __slots__ = ("_budget", "_checking", "_followers", "_gaps", "_unproven", "duplicates", "holes")

    def __init__(self, budget: HoldBudget | None = None) -> None:
        """Follow nothing yet."""
        self._budget = budget or HoldBudget()
        self._followers: dict[str, Follower] = {}
        self._gaps: dict[str, Follower] = {}
        self._unproven: dict[str, None] = {}
        self._checking: frozenset[str] = frozenset()
        self.duplicates = 0
        self.holes = 0

    def start(self, channel_id: str, after: int) -> None:
        """Follow a channel from offset `after` (exclusive)."""
        self._followers[channel_id] = Follower(after, self._budget)

    def stop(self, channel_id: str) -> None:
        """Follow a channel no longer; its events are dropped from now on."""
        follower = self._followers.pop(channel_id, None)
        if follower is not None:
            follower.close()
        self._gaps.pop(channel_id, None)
        self._unproven.pop(channel_id, None)

    def last(self, channel_id: str) -> int | None:
        """Return the offset up to which a channel was handed on; None when it is not followed."""
        follower = self._followers.get(channel_id)
        return None if follower is None else follower.last

    def is_level(self, channel_id: str) -> bool:
        """Tell whether a followed channel has no hole, and no beginning that is unproven or being checked."""
        return (
            channel_id in self._followers
            and channel_id not in self._gaps
            and channel_id not in self._unproven
            and channel_id not in self._checking
        )

    def take(self, event: event_pb.Event, now: float) -> Sequence[event_pb.Event]:
        """Return what may be handed on now: nothing, the event, or it and what was held above it."""
        follower = self._followers.get(event.channel_id)
        if follower is None:
            return ()
        if not event.offset:
            return (event,)
        handed = follower.take(event, now)
        if not follower.is_whole:
            if event.channel_id not in self._gaps:
                self._gaps[event.channel_id] = follower
                self.holes += 1
        elif not handed:
            self.duplicates += 1
        else:
            self._gaps.pop(event.channel_id, None)
        return handed

    def doubt(self, channel_id: str, head: int, now: float) -> None:
        """Take note that an owner with head `head` (0: unknown) cannot prove that we have everything."""
        follower = self._followers.get(channel_id)
        if follower is None:
            return
        if head > follower.last:
            self._missing(channel_id, follower, head, now)
        else:
            self._unproven[channel_id] = None

    def next_due(self) -> float | None:
        """Return when `checks_due` or `reads_due` has something; None when nothing is missing."""
        if self._unproven:
            return 0.0
        return min((due for follower in self._gaps.values() if (due := follower.due_at) is not None), default=None)

    def checks_due(self, limit: int) -> list[str]:
        """Return at most `limit` channels whose heads are to be read now.

        One read at a time: `doubt` for each that could not be read, and `checked`, must follow before the next.
        """
        due = [channel_id for channel_id, _ in zip(self._unproven, range(limit), strict=False)]
        for channel_id in due:
            del self._unproven[channel_id]
        self._checking = frozenset(due)
        return due

    def checked(self, heads: Mapping[str, int], now: float) -> None:
        """Learn the heads of the checked channels that have any: what lies between is read from the log at once."""
        self._checking = frozenset()
        for channel_id, head in heads.items():
            follower = self._followers.get(channel_id)
            if follower is not None and head > follower.last:
                self._missing(channel_id, follower, head, now)

    def reads_due(self, now: float, limit: int) -> list[tuple[str, int]]:
        """Return at most `limit` (channel, offset) to read the log after; `read` or `failed` must follow for each."""
        due: list[tuple[str, int]] = []
        for channel_id, follower in self._gaps.items():
            if len(due) == limit:
                break
            if follower.due_at is not None and follower.due_at <= now:
                due.append((channel_id, follower.reading()))
        return due

    def read(self, channel_id: str, log: Sequence[event_pb.Event], head: int, is_truncated: bool, now: float) -> Handed:
        """Return what a log read makes deliverable (see Follower.read)."""
        follower = self._followers.get(channel_id)
        if follower is None:
            return Handed(())
        handed = follower.read(log, head, is_truncated, now)
        if follower.is_whole:
            self._gaps.pop(channel_id, None)
        else:
            self._gaps[channel_id] = follower
        return handed

    def failed(self, channel_ids: Iterable[str], now: float) -> None:
        """Note that the log of these channels could not be read."""
        for channel_id in channel_ids:
            if channel_id in self._gaps:
                self._gaps[channel_id].failed(now)

    def _missing(self, channel_id: str, follower: Follower, head: int, now: float) -> None:
        follower.miss(head, now)
        if channel_id not in self._gaps:
            self._gaps[channel_id] = follower
            self.holes += 1
