"""How long it took until everything was delivered again, and how late single messages were. Pure arithmetic.

slack_sdk's reader does not count here: it notices a broken connection after up to 20 s by its own design.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from ops.chaos.index import Index
from ops.chaos.record import Kind, Stream


class Timings:
    """When posts arrived, by when they were begun."""

    def __init__(self, index: Index) -> None:
        self._ended_at = index.record.ended_at
        self._last_begun = {
            channel: max(
                (p.begun_at for p in index.acked.values() if p.channel_id == channel and not p.writer), default=0
            )
            for channel in index.record.members
        }
        self._lines: list[tuple[str, list[float], list[float]]] = []
        self.delays_s: list[float] = []
        """From an HTTP post's first try to its arrival, once for each stream, in rising order."""
        for stream in index.record.streams:
            if stream.kind is not Kind.SDK:
                self._add(index, stream)
        self.delays_s.sort()

    def recovery_s(self, since: float) -> float:
        """Return the seconds from `since` until every stream had a later post from each of its conversations.

        Where nothing came any more, until the end of the run.
        """
        recovered = since
        for channel, begun, soonest in self._lines:
            if self._last_begun[channel] < since:
                continue  # the load was over: there was nothing to deliver
            place = bisect_left(begun, since)
            recovered = max(recovered, soonest[place] if place < len(begun) else self._ended_at)
        return recovered - since

    def _add(self, index: Index, stream: Stream) -> None:
        arrived: dict[str, list[tuple[float, float]]] = {
            channel: [] for channel, members in index.record.members.items() if stream.user_id in members
        }
        for arrival in stream.arrivals:
            post = index.posts.get(arrival.key)
            if post is not None and arrival.channel_id in arrived:
                arrived[arrival.channel_id].append((post.begun_at, arrival.at))
                if not post.writer:  # one that waits for its own socket to come back says nothing about delivery
                    self.delays_s.append(arrival.at - post.begun_at)
        for channel, pairs in arrived.items():
            pairs.sort()
            # soonest[i]: when the first of the posts begun at or after begun[i] arrived.
            soonest = list(accumulate((at for _, at in reversed(pairs)), min))[::-1]
            self._lines.append((channel, [begun for begun, _ in pairs], soonest))


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie; 0 for none."""
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
