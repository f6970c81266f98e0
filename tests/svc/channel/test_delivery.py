"""The rules of delivery, for any interleaving: nothing is skipped, nothing runs ahead, no answer comes too early."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from svc.channel.config import FanoutLimits, TailLimits
from tests.svc.channel.world import World, event

CHANNELS = ("C1", "C2")
NAMES = ("g1", "g2", "g3")


class Observed:
    """A subscriber as seen from outside: what it got, by batch, and what it has acknowledged."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.got: dict[str, list[int]] = {channel: [] for channel in CHANNELS}
        self.acked: set[tuple[str, int]] = set()
        self._batches: list[tuple[int, list[tuple[str, int]]]] = []

    def read(self) -> None:
        """Read everything that is there."""
        for frame in self.world.frames(self.name):
            events = [(each.channel_id, each.offset) for each in frame.batch.events]
            self._batches.append((frame.batch.batch_number, events))
            for channel, offset in events:
                self.got[channel].append(offset)

    def ack(self, share: float) -> None:
        """Acknowledge a share of the batches read."""
        for number, events in self._batches[: round(len(self._batches) * share)]:
            self.acked.update(events)
            self.world.ack(self.name, number)


batch = st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(1, 12)), min_size=1, max_size=5)
step = st.one_of(
    st.tuples(st.just("publish"), batch),
    st.tuples(st.just("read"), st.sampled_from(NAMES)),
    st.tuples(st.just("ack"), st.tuples(st.sampled_from(NAMES), st.floats(0, 1))),
    st.tuples(st.just("wait"), st.floats(0.01, 0.4)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(step, max_size=60))
def test_any_interleaving_keeps_the_rules_of_delivery(steps: list[tuple[str, object]]) -> None:
    """Duplicates, reorderings, holes, slow readers: see the four checks."""
    world = World(
        tail=TailLimits(tail_events_max=3, held_events_max=4),
        fanout=FanoutLimits(batch_events_max=3, unacked_batches_max=1000, ack_timeout_s=1000),
    )
    seen = {}
    for name in NAMES:
        world.following(name, *CHANNELS)
        seen[name] = Observed(world, name)
    published: dict[int, list[tuple[str, int]]] = {}
    for verb, what in steps:
        if verb == "publish":
            published[len(published) + 1] = what  # type: ignore[assignment]
            world.publish(*(event(channel, offset) for channel, offset in what))  # type: ignore[attr-defined]
        elif verb == "read":
            seen[what].read()  # type: ignore[index]
        elif verb == "ack":
            seen[what[0]].ack(what[1])  # type: ignore[index]
        else:
            world.pass_time(what)  # type: ignore[arg-type]
        check_no_answer_came_early(world, published, seen)
    world.pass_time(1.0)
    for observed in seen.values():
        observed.read()
        check_nothing_is_skipped(published, observed)
        check_order(observed)
        observed.ack(1.0)
    assert all(answer.refusals == {} for answer in world.answers.values()), "everything read and acked: all answered"
    assert world.table.in_flight_bytes == 0


def check_no_answer_came_early(
    world: World, published: dict[int, list[tuple[str, int]]], seen: dict[str, Observed]
) -> None:
    """A batch has its answer only when every subscriber has acknowledged every event of it."""
    for number, events in published.items():
        if world.answers[number].refusals is not None:
            assert all(set(events) <= observed.acked for observed in seen.values()), f"batch {number} too early"


def check_nothing_is_skipped(published: dict[int, list[tuple[str, int]]], observed: Observed) -> None:
    """Each subscriber got every event that was published, at least once."""
    for events in published.values():
        for channel, offset in events:
            assert offset in observed.got[channel]


def check_order(observed: Observed) -> None:
    """Events come in order, holes that are given up aside, and never again within the run known since the last hole."""
    for offsets in observed.got.values():
        low, head = 0, -1
        for offset in offsets:
            assert not low <= offset <= head, f"{offset} came again inside the known run {low}..{head}: {offsets}"
            if offset == head + 1:
                head = offset
            elif offset > head:
                low = head = offset
            elif offset == low - 1:
                low = offset
