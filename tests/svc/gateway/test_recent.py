"""Events of a moment ago: what of the log need not be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.filler import ChannelLog
from svc.gateway.recent import EVENT_BYTES, Recent, RecentFirst


def event(channel_id: str, offset: int, size: int = 10) -> event_pb.Event:
    return event_pb.Event(channel_id=channel_id, offset=offset, payload=b"x" * size)


def filled(*places: tuple[str, int], bytes_max: int = 1_000_000) -> Recent:
    recent = Recent(bytes_max)
    for place in places:
        recent.add(event(*place))
    return recent


def offsets(log: ChannelLog | None) -> list[int] | None:
    return [each.offset for each in log.events] if log is not None else None


def test_what_follows_an_offset_is_told_only_when_all_of_it_is_here() -> None:
    """Not from below the first event, and nothing for who has them all: the log knows better."""
    recent = filled(("C1", 5), ("C1", 6), ("C1", 7))
    assert offsets(recent.after("C1", 4, 10)) == [5, 6, 7]
    assert offsets(recent.after("C1", 5, 1)) == [6]
    assert recent.after("C1", 3, 10) is None
    assert recent.after("C1", 7, 10) is None
    assert recent.after("C2", 0, 10) is None
    found = recent.after("C1", 4, 1)
    assert found is not None
    assert (found.head, found.is_truncated) == (7, False)


def test_a_run_has_no_hole() -> None:
    """A channel that was left and followed again begins anew; what is old or passing is not kept."""
    recent = filled(("C1", 5), ("C1", 9), ("C1", 8), ("C1", 0), ("C1", 10))
    assert recent.after("C1", 4, 10) is None
    assert offsets(recent.after("C1", 8, 10)) == [9, 10]


def test_the_channel_that_was_silent_for_the_longest_loses_its_oldest_first() -> None:
    """Within the bound, whatever comes."""
    room = 4 * (EVENT_BYTES + 10)
    recent = filled(("C1", 1), ("C1", 2), ("C2", 1), ("C2", 2), ("C1", 3), bytes_max=room)
    assert recent.bytes == room
    assert offsets(recent.after("C2", 1, 10)) == [2]
    assert offsets(recent.after("C1", 0, 10)) == [1, 2, 3]
    recent.add(event("C3", 1, size=room))
    assert (recent.bytes, len(recent)) == (0, 0)


class _Log:
    """A log that answers everything, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        self.asked += after
        return [
            ChannelLog(channel_id, [event(channel_id, offset + 1)], offset + 1, False) for channel_id, offset in after
        ]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(channel_ids, 1)


async def test_the_log_is_asked_only_when_nothing_is_here() -> None:
    """What is left is asked for again by who misses it, and then is all that is asked for."""
    log = _Log()
    reader = RecentFirst(filled(("C1", 5)), log)
    here = await reader.read_log([("C1", 4), ("C2", 7)], 10)
    assert [run.channel_id for run in here] == ["C1"]
    assert log.asked == []
    rest = await reader.read_log([("C2", 7)], 10)
    assert offsets(rest[0]) == [8]
    assert log.asked == [("C2", 7)]
