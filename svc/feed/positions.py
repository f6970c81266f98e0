"""Up to which offset each followed channel has been handed on, and what is missing. Pure: no sockets, time is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.follower import Follower, Handed, HoldBudget


class Positions:
    """The places of all channels of one feed, those with holes, and those whose beginning is to be checked.

    A channel is a number; it has a follower only while something of it is missing.
    """

    __slots__ = ("_budget", "_checking", "_gaps", "_lasts", "_unproven", "duplicates", "holes")

    def __init__(self, budget: HoldBudget | None = None) -> None:
        """Follow nothing yet."""
        self._budget = budget or HoldBudget()
        self._lasts: dict[str, int] = {}
        self._gaps: dict[str, Follower] = {}
        self._unproven: dict[str, None] = {}
        self._checking: frozenset[str] = frozenset()
        self.duplicates = 0
        self.holes = 0

    def start(self, channel_id: str, after: int) -> None:
        """Follow a channel from offset `after` (exclusive)."""
        self.stop(channel_id)
        self._lasts[channel_id] = after

    def stop(self, channel_id: str) -> None:
        """Follow a channel no longer; its events are dropped from now on."""
        self._lasts.pop(channel_id, None)
        follower = self._gaps.pop(channel_id, None)
        if follower is not None:
            follower.close()
        self._unproven.pop(channel_id, None)

    def last(self, channel_id: str) -> int | None:
        """Return the offset up to which a channel was handed on; None when it is not followed."""
        return self._lasts.get(channel_id)

    def is_level(self, channel_id: str) -> bool:
        """Tell whether a followed channel has no hole, and no beginning that is unproven or being checked."""
        return (
            channel_id in self._lasts
            and channel_id not in self._gaps
            and channel_id not in self._unproven
            and channel_id not in self._checking
        )

    def take(self, event: event_pb.Event, now: float) -> Sequence[event_pb.Event]:
        """Return what may be handed on now: nothing, the event, or it and what was held above it."""
        channel_id, offset = event.channel_id, event.offset
        last = self._lasts.get(channel_id)
        if last is None:
            return ()
        if not offset:
            return (event,)
        follower = self._gaps.get(channel_id)
        if follower is not None:
            handed = follower.take(event, now)
            self._keep(channel_id, follower)
            return handed
        if offset == last + 1:
            self._lasts[channel_id] = offset
            return (event,)
        if offset <= last:
            self.duplicates += 1
        else:
            self._follower(channel_id, last).take(event, now)
        return ()

    def doubt(self, channel_id: str, head: int, now: float) -> None:
        """Take note that an owner with head `head` (0: unknown) cannot prove that we have everything."""
        last = self._lasts.get(channel_id)
        if last is None:
            return
        if head > last:
            self._follower(channel_id, last).miss(head, now)
        else:
            self._unproven[channel_id] = None

    def next_due(self) -> float | None:
        """Return when `checks_due` or `reads_due` has something; None when nothing is missing."""
        if self._unproven:
            return 0.0
        return min((due for follower in self._gaps.values() if (due := follower.due_at) is not None), default=None)

    @property
    def owes_checks(self) -> bool:
        """Whether `checks_due` has something."""
        return bool(self._unproven)

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
            last = self._lasts.get(channel_id)
            if last is not None and head > last:
                self._follower(channel_id, last).miss(head, now)

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
        last = self._lasts.get(channel_id)
        if last is None:
            return Handed(())
        follower = self._gaps.get(channel_id) or Follower(last, self._budget)
        handed = follower.read(log, head, is_truncated, now)
        self._keep(channel_id, follower)
        return handed

    def failed(self, channel_ids: Iterable[str], now: float) -> None:
        """Note that the log of these channels could not be read."""
        for channel_id in channel_ids:
            if channel_id in self._gaps:
                self._gaps[channel_id].failed(now)

    def _follower(self, channel_id: str, last: int) -> Follower:
        """Return the follower of a channel of which something is missing."""
        follower = self._gaps.get(channel_id)
        if follower is None:
            self.holes += 1
            follower = self._gaps[channel_id] = Follower(last, self._budget)
        return follower

    def _keep(self, channel_id: str, follower: Follower) -> None:
        """Take note of how far a follower has come, and do without it when it has everything."""
        self._lasts[channel_id] = follower.last
        if not follower.is_whole:
            self._gaps[channel_id] = follower
        else:
            self._gaps.pop(channel_id, None)
