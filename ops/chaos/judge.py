"""Was the promise kept? A record goes in, a verdict comes out. Pure.

The promise is that of the design: nothing that was acknowledged is lost, nothing reaches an application twice or out of
order, nobody receives what is not theirs, and nothing is ever missing in silence. It is judged by arithmetic on offsets
(the log's are dense), against what was acknowledged, what the log holds and what history tells; never by what a server
says about itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ops.chaos import owed
from ops.chaos.hearing import misheard
from ops.chaos.index import Index
from ops.chaos.owed import Rules
from ops.chaos.record import Arrival, Kind, Post, Record, Reset, Stream
from ops.chaos.state import diverged, removed
from ops.chaos.verdict import Verdict, Violation, Wrong

__all__ = ["Verdict", "Violation", "Wrong", "judge"]


def judge(record: Record, rules: Rules | None = None) -> Verdict:
    """Return the verdict on a run."""
    index = Index(record)
    violations = [*_stored(index), *diverged(record), *misheard(record)]
    expected = delivered = 0
    for stream in record.streams:
        violations.extend(_received(index, stream))
        due = owed.offsets(index, stream, rules or Rules())
        had = _had(stream)
        for channel, offsets in due.items():
            missing = offsets - had.get(channel, set())
            wanted = {offset for offset in offsets if index.acked_at(channel, offset)}
            expected += len(wanted)
            delivered += len(wanted - missing)
            violations.extend(_missing(index, stream, channel, missing))
    return Verdict(expected, delivered, tuple(violations))


def _had(stream: Stream) -> dict[str, set[int]]:
    had: dict[str, set[int]] = {}
    for arrival in stream.arrivals:
        had.setdefault(arrival.channel_id, set()).add(arrival.offset)
    return had


def _missing(index: Index, stream: Stream, channel: str, missing: frozenset[int]) -> Iterator[Violation]:
    for offset in sorted(missing):
        post = index.acked_at(channel, offset)
        yield Violation(Wrong.GAP, stream.name, channel, offset, "never arrived")
        if post is not None:
            yield Violation(Wrong.LOST, stream.name, channel, offset, f"{post.key} was acknowledged, never arrived")


def _received(index: Index, stream: Stream) -> Iterator[Violation]:
    """Look at what arrived, in its order."""
    seen: dict[tuple[str, int], set[int]] = {}
    last: dict[tuple[str, int], int] = {}
    resets = _resets_by_place(stream)
    for place, arrival in enumerate(stream.arrivals):
        for reset in resets.get(place, ()):
            # What follows is a new beginning; what went before cannot be told apart from it any more.
            last.pop((reset.channel_id, 0), None)
        # slack_sdk opens its next connection before it closes the last: each of its connections counts by itself.
        run = (arrival.channel_id, arrival.session if stream.kind is Kind.SDK else 0)
        offsets = seen.setdefault(run, set())
        if arrival.offset in offsets:
            yield _violation(Wrong.DUPLICATED, stream, arrival, f"{arrival.key or arrival.ts} came again")
        elif arrival.offset < last.get(run, 0):
            yield _violation(Wrong.REORDERED, stream, arrival, f"came after offset {last[run]}")
        offsets.add(arrival.offset)
        last[run] = max(last.get(run, 0), arrival.offset)
        yield from _belongs(index, stream, arrival)


def _belongs(index: Index, stream: Stream, arrival: Arrival) -> Iterator[Violation]:
    """Check that an event was for this reader, and is the one that is stored."""
    members = index.record.members.get(arrival.channel_id)
    if members is None:
        return
    if stream.user_id not in members:
        yield _violation(Wrong.LEAKED, stream, arrival, f"{stream.user_id} is no member")
    entry = index.entry(arrival.channel_id, arrival.offset)
    if entry is None:
        yield _violation(Wrong.INVENTED, stream, arrival, f"{arrival.key or arrival.ts} is not in the log")
    elif (entry.ts, entry.key) != (arrival.ts, arrival.key):
        yield _violation(Wrong.INVENTED, stream, arrival, f"{arrival.key} {arrival.ts} is {entry.key} {entry.ts} there")


def _violation(wrong: Wrong, stream: Stream, arrival: Arrival, detail: str) -> Violation:
    return Violation(wrong, stream.name, arrival.channel_id, arrival.offset, detail)


def _resets_by_place(stream: Stream) -> Mapping[int, list[Reset]]:
    places: dict[int, list[Reset]] = {}
    for reset in stream.resets:
        places.setdefault(reset.after, []).append(reset)
    return places


def _stored(index: Index) -> Iterator[Violation]:
    """Check what was stored: dense offsets, every acknowledged post in log and history, none twice."""
    for channel, entries in index.record.log.items():
        offsets = [entry.offset for entry in entries]
        for offset in sorted(set(range(1, max(offsets, default=0) + 1)) - set(offsets)):
            yield Violation(Wrong.GAP, "log", channel, offset, "the log has a hole")
        yield from _twice("log", channel, Counter(entry.key for entry in entries if entry.key))
    told: dict[str, dict[str, str]] = {}
    for channel, messages in index.record.history.items():
        told[channel] = {message.key: message.ts for message in messages}
        yield from _twice("history", channel, Counter(message.key for message in messages))
    gone = {channel: removed(payloads) for channel, payloads in index.record.payloads.items()}
    for post in index.acked.values():
        is_gone = post.ts in gone.get(post.channel_id, ())
        yield from _is_kept(index, post, told.get(post.channel_id, {}), is_gone=is_gone)


def _twice(where: str, channel: str, counts: Counter[str]) -> Iterator[Violation]:
    for key, count in counts.items():
        if count > 1:
            yield Violation(Wrong.DUPLICATED, where, channel, 0, f"{key} is stored {count} times")


def _is_kept(index: Index, post: Post, told: Mapping[str, str], *, is_gone: bool) -> Iterator[Violation]:
    """Check that an acknowledged post is where its acknowledgement said; one that was removed later, in the log."""
    entry = index.entry(post.channel_id, post.offset)
    if entry is None or (entry.key, entry.ts) != (post.key, post.ts):
        found = f"{entry.key} {entry.ts}" if entry else "nothing"
        detail = f"{post.key} {post.ts} was acknowledged here, the log has {found}"
        yield Violation(Wrong.LOST, "log", post.channel_id, post.offset, detail)
    if told.get(post.key) != post.ts and not is_gone:
        detail = f"{post.key} was acknowledged as {post.ts}, history tells {told.get(post.key, 'nothing')}"
        yield Violation(Wrong.LOST, "history", post.channel_id, post.offset, detail)
