"""What each reader is owed: the offsets that must have arrived by the end. Pure.

A reader that resumes is owed every visible event of its conversations since the load began, but for what an explicit
`resume_failed` wrote off. One that cannot resume is owed, for each of its connections:

- every event between the first and the last that it received of a channel: a connection has no holes;
- every acknowledged post that was begun after its hello, with some slack (a gateway whose webapp does not answer
  greets before it has subscribed), and acknowledged some time before its end (what was on its way when the connection
  broke is not asked for again).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ops.chaos.index import Index
from ops.chaos.record import Arrival, Kind, Session, Stream


@dataclass(frozen=True, slots=True)
class Rules:
    """The slack that readers without resume are judged with, in seconds.

    `opening_s` after a hello the subscriptions must be in place. A channel server's death may hold a message up for
    3 s; a connection that breaks meanwhile never gets it: `transit_s`.
    """

    opening_s: float = 2.0
    transit_s: float = 4.0


def offsets(index: Index, stream: Stream, rules: Rules) -> dict[str, frozenset[int]]:
    """Return the offsets of each conversation that must have arrived on a stream."""
    mine = [channel for channel, members in index.record.members.items() if stream.user_id in members]
    own = {channel: _own(index, stream, channel) for channel in mine}
    if stream.kind is Kind.RESUMING:
        return {c: index.load[c] - own[c] - _written_off(index, stream, c) for c in mine}
    arrivals = _by_session(stream)
    owed: dict[str, frozenset[int]] = dict.fromkeys(mine, frozenset())
    for number, session in enumerate(stream.sessions):
        had = arrivals.get(number, {})
        until = _known_until(index, stream, session, had)
        for channel in mine:
            due = _between(index, channel, had.get(channel, [])) | _while_connected(
                index, channel, session.hello_at + rules.opening_s, until - rules.transit_s
            )
            owed[channel] |= due - own[channel]
    return owed


def _written_off(index: Index, stream: Stream, channel: str) -> frozenset[int]:
    """Return the offsets that `resume_failed` explains: from what the reader had until its new start."""
    off: set[int] = set()
    for reset in stream.resets:
        if reset.channel_id == channel:
            before = (a.offset for a in stream.arrivals[: reset.after] if a.channel_id == channel)
            off.update(range(max(before, default=index.record.base[channel]) + 1, reset.offset + 1))
    return frozenset(off)


def _by_session(stream: Stream) -> dict[int, dict[str, list[Arrival]]]:
    found: dict[int, dict[str, list[Arrival]]] = {}
    for arrival in stream.arrivals:
        found.setdefault(arrival.session, {}).setdefault(arrival.channel_id, []).append(arrival)
    return found


def _known_until(index: Index, stream: Stream, session: Session, had: Mapping[str, list[Arrival]]) -> float:
    """Return until when the connection was there, as far as one can know."""
    if stream.kind is Kind.SDK:
        return max((arrivals[-1].at for arrivals in had.values()), default=session.hello_at)
    return index.record.ended_at if session.ended_at is None else session.ended_at


def _between(index: Index, channel: str, arrivals: list[Arrival]) -> frozenset[int]:
    if not arrivals:
        return frozenset()
    received = [arrival.offset for arrival in arrivals]
    first, last = min(received), max(received)
    return frozenset(offset for offset in index.load[channel] if first <= offset <= last)


def _while_connected(index: Index, channel: str, since: float, until: float) -> frozenset[int]:
    def counts(offset: int) -> bool:
        post = index.acked_at(channel, offset)
        return post is not None and post.begun_at >= since and post.ended_at <= until

    return frozenset(offset for offset in index.load[channel] if counts(offset))


def _own(index: Index, stream: Stream, channel: str) -> frozenset[int]:
    """Return what was posted on this very stream, which gets acknowledgements instead."""

    def is_own(offset: int) -> bool:
        post = index.post_at(channel, offset)
        return post is not None and post.writer == stream.name

    return frozenset(offset for offset in index.load[channel] if is_own(offset))
