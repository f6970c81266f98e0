"""The router: where each event goes, what a refusal does, and what a new ring moves."""

from __future__ import annotations

import random
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.ring import Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.admin.config import RouterLimits
from svc.admin.router import Router
from tests.svc.channel.world import event, owned_by, ring_of

REASONS = {
    name: channel_pb2.RefusalReason.Value(f"REFUSAL_REASON_{name}")
    for name in ("NOT_OWNER", "FENCED", "DRAINING", "OVERLOADED", "ACK_TIMEOUT", "INVALID")
}
A, B = "server-a", "server-b"
BOTH = ring_of(A, B)
(OF_A,) = owned_by(A, BOTH)
(OF_B,) = owned_by(B, BOTH)


class Routing:
    """A router, its clock, and the answers that webapps got."""

    def __init__(self, ring: Ring = BOTH, **limits: float) -> None:
        self.now = 100.0
        self.ready: set[str] = set()
        self.router = Router(RouterLimits(**limits), self.ready.add, random.Random(1))  # type: ignore[arg-type]
        self.router.move(ring, self.now)
        self.answers: dict[int, list[int]] = {}
        self._numbers = count(1)

    def submit(self, *events: tuple[str, int]) -> int:
        """Submit an order of (channel, offset) events; return its number."""
        number = next(self._numbers)

        def settled(undelivered: list[int]) -> None:
            assert number not in self.answers, "settled twice"
            self.answers[number] = undelivered

        self.router.submit([event(channel, offset) for channel, offset in events], self.now, settled)
        return number

    def take(self, owner: str) -> tuple[int, list[tuple[str, int]]] | None:
        """Take a lane's next batch, as its number and (channel, offset) pairs."""
        batch = self.router.take(owner, self.now)
        return None if batch is None else (batch[0], [(each.channel_id, each.event.offset) for each in batch[1]])

    def answer(self, owner: str, number: int, **refused: str) -> None:
        """A channel server answers; `_0="FENCED"` refuses the event with index 0."""
        reasons = {int(index[1:]): REASONS[reason] for index, reason in refused.items()}
        self.router.answered(owner, number, reasons, self.now)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        self.router.due(self.now)


def test_a_batch_is_split_by_owner_and_answered_when_both_have_it() -> None:
    """One order, two lanes, one answer."""
    routing = Routing()
    order = routing.submit((OF_A, 1), (OF_B, 1), (OF_A, 2))
    assert routing.take(A) == (1, [(OF_A, 1), (OF_A, 2)])
    assert routing.take(B) == (1, [(OF_B, 1)])
    assert routing.ready == {A, B}
    routing.answer(A, 1)
    assert order not in routing.answers
    routing.answer(B, 1)
    assert routing.answers[order] == []
    assert routing.router.events_under_way == routing.router.bytes_under_way == 0


def test_what_is_pending_becomes_one_batch_up_to_the_limits() -> None:
    """Orders of several webapps travel together; the window bounds what is unanswered."""
    routing = Routing(ring_of(A), batch_events_max=3, window_batches=2)
    for offset in range(1, 9):
        routing.submit((OF_A, offset))
    assert routing.take(A) == (1, [(OF_A, 1), (OF_A, 2), (OF_A, 3)])
    assert routing.take(A) == (2, [(OF_A, 4), (OF_A, 5), (OF_A, 6)])
    assert routing.take(A) is None
    routing.answer(A, 2)
    assert routing.take(A) == (3, [(OF_A, 7), (OF_A, 8)])


@pytest.mark.parametrize("reason", ["NOT_OWNER", "FENCED", "DRAINING", "OVERLOADED", "ACK_TIMEOUT"])
def test_a_refused_event_is_offered_again_and_newer_ones_of_its_channel_wait_behind_it(reason: str) -> None:
    """Retries keep the order of a channel; other channels go on."""
    routing = Routing(ring_of(A))
    order = routing.submit((OF_A, 1))
    routing.take(A)
    routing.answer(A, 1, _0=reason)
    routing.submit((OF_A, 2), (OF_B, 1))
    assert routing.take(A) == (2, [(OF_B, 1)])
    routing.wait(0.021)
    assert routing.take(A) == (3, [(OF_A, 1), (OF_A, 2)])
    routing.answer(A, 3)
    assert routing.answers[order] == []


def test_waits_between_retries_grow_and_a_success_resets_them() -> None:
    """Full jitter up to 20 ms, 40 ms, … 500 ms."""
    routing = Routing(ring_of(A), deadline_s=1000)
    routing.submit((OF_A, 1))
    waits = []
    for _ in range(12):
        batch = routing.take(A)
        assert batch is not None
        routing.answer(A, batch[0], _0="FENCED")
        started = routing.now
        while not routing.router.depth(A):
            routing.wait(0.001)
        waits.append(routing.now - started)
    assert max(waits[:2]) <= 0.042
    assert 0.1 < max(waits) <= 0.502


def test_an_event_refused_for_good_is_done() -> None:
    """A malformed event must not go round for ever."""
    routing = Routing(ring_of(A))
    order = routing.submit((OF_A, 1), (OF_A, 2))
    routing.take(A)
    routing.answer(A, 1, _0="INVALID")
    assert routing.answers[order] == []
    assert routing.router.counts.invalid == 1


def test_retries_at_an_overloaded_owner_come_out_of_a_budget() -> None:
    """Beyond it, events go back to the webapp at once; refusals for another reason cost nothing."""
    routing = Routing(ring_of(A), retry_ratio=0.0)
    for number in range(1, 41):
        routing.submit((f"{OF_A}{number}", 1))
        routing.take(A)
        routing.answer(A, number, _0="OVERLOADED" if number % 2 else "DRAINING")
    assert 0 < routing.router.counts.undelivered < 20
    assert all(number % 2 for number in routing.answers)


def test_past_the_deadline_the_webapp_gets_its_events_back() -> None:
    """Wherever they are: pending, in flight, or parked; a late answer changes nothing."""
    routing = Routing(ring_of(A), deadline_s=5.0)
    first = routing.submit((OF_A, 1), (OF_A, 2))
    routing.take(A)
    routing.answer(A, 1, _1="FENCED")
    flying = routing.submit((OF_B, 1))
    batch = routing.take(A)
    assert batch is not None
    routing.wait(5.0)
    assert routing.answers == {first: [1], flying: [0]}
    routing.answer(A, batch[0])
    assert routing.router.events_under_way == 0
    assert routing.router.stuck(routing.now) == []


def test_a_batch_without_an_answer_for_a_whole_deadline_makes_its_line_suspicious() -> None:
    """The line is opened again, or its window would stay full for ever."""
    routing = Routing(ring_of(A), deadline_s=5.0)
    routing.submit((OF_A, 1))
    routing.take(A)
    routing.wait(5.1)
    assert routing.router.stuck(routing.now) == [A]
    routing.router.lost(A)
    assert routing.router.stuck(routing.now) == []
    assert routing.take(A) is None


def test_a_lost_line_sends_everything_without_an_answer_again_in_order() -> None:
    """Nobody knows what arrived; offsets make it harmless."""
    routing = Routing(ring_of(A), batch_events_max=1)
    for offset in (1, 2, 3):
        routing.submit((OF_A, offset))
    routing.take(A)
    routing.take(A)
    routing.router.lost(A)
    assert [routing.take(A) for _ in range(3)] == [(3, [(OF_A, 1)]), (4, [(OF_A, 2)]), (5, [(OF_A, 3)])]


def test_a_new_ring_takes_everything_under_way_to_the_new_owner_at_once() -> None:
    """In flight, parked and pending, in order; what the former owner answers later means nothing."""
    routing = Routing(ring_of(A), batch_events_max=1)
    orders = [routing.submit((OF_B, offset)) for offset in (1, 2, 3)]
    stays = routing.submit((OF_A, 1))
    routing.take(A)
    routing.take(A)
    routing.answer(A, 1, _0="NOT_OWNER")
    routing.router.move(BOTH, routing.now)
    routing.answer(A, 2)
    assert routing.answers == {}
    for number, order in enumerate(orders, 1):
        assert routing.take(B) == (number, [(OF_B, number)])
        routing.answer(B, number)
        assert routing.answers[order] == []
    assert routing.take(A) == (3, [(OF_A, 1)])
    assert stays not in routing.answers


def test_without_any_channel_server_events_wait_for_the_first() -> None:
    """An empty ring refuses nothing; the deadline still counts."""
    routing = Routing(Ring(()))
    routing.submit((OF_A, 1))
    routing.router.move(ring_of(A), routing.now)
    assert routing.take(A) == (1, [(OF_A, 1)])
    routing.router.move(Ring(()), routing.now)
    late = routing.submit((OF_A, 2))
    routing.wait(5.0)
    assert routing.answers[late] == [0]


def test_room_is_bounded_by_events_and_by_bytes() -> None:
    """Settling gives it back."""
    routing = Routing(ring_of(A), events_max=2)
    room = [routing.router.has_room]
    routing.submit((OF_A, 1), (OF_A, 2))
    room.append(routing.router.has_room)
    routing.take(A)
    routing.answer(A, 1)
    room.append(routing.router.has_room)
    assert room == [True, False, True]


RINGS = (ring_of(A), ring_of(B), BOTH, Ring(()))
CHANNELS = (OF_A, OF_B, "C0000000AAA")
step = st.one_of(
    st.tuples(st.just("submit"), st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4)),
    st.tuples(st.just("take"), st.sampled_from((A, B))),
    st.tuples(st.just("answer"), st.tuples(st.sampled_from((A, B)), st.lists(st.sampled_from(["", *REASONS])))),
    st.tuples(st.just("lost"), st.sampled_from((A, B))),
    st.tuples(st.just("move"), st.sampled_from(RINGS)),
    st.tuples(st.just("wait"), st.floats(0.001, 3.0)),
)


def test_what_an_owner_took_just_before_it_lost_the_channel_is_offered_to_the_next_one() -> None:
    """Whoever slept through its second as an owner never asked it for anything."""
    routing = Routing()
    order = routing.submit((OF_A, 1), (OF_B, 1), (OF_A, 2))
    for owner in (A, B):
        number, _ = routing.take(owner) or (0, [])
        routing.answer(owner, number)
    assert routing.answers == {order: []}
    routing.wait(2.0)
    routing.router.move(ring_of(B), routing.now)
    assert (routing.take(B) or (0, []))[1] == [(OF_A, 1), (OF_A, 2)]
    assert routing.router.counts.repeated == 2
    assert routing.router.counts.events == 3, "no webapp asked for it"


def test_what_was_taken_long_ago_or_is_transient_is_not_repeated() -> None:
    """A ring is known to everybody within seconds; typing is not worth it."""
    routing = Routing()
    routing.submit((OF_A, 1))
    routing.answer(A, (routing.take(A) or (0, []))[0])
    routing.wait(3.1)
    routing.submit((OF_A, 0))
    routing.answer(A, (routing.take(A) or (0, []))[0])
    routing.router.move(ring_of(B), routing.now)
    assert routing.take(B) is None


def test_what_is_kept_to_be_repeated_is_bounded() -> None:
    """In events and in bytes; the oldest go first. An empty ring takes nothing out."""
    routing = Routing(recent_events_max=3)
    for offset in range(1, 6):
        routing.submit((OF_A, offset))
    routing.answer(A, (routing.take(A) or (0, []))[0])
    routing.router.move(Ring(()), routing.now)
    routing.router.move(ring_of(B), routing.now)
    assert (routing.take(B) or (0, []))[1] == [(OF_A, 3), (OF_A, 4), (OF_A, 5)]
    small = Routing(recent_bytes_max=1)
    small.submit((OF_A, 1))
    small.answer(A, (small.take(A) or (0, []))[0])
    small.router.move(ring_of(B), small.now)
    assert small.take(B) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(step, max_size=60))
def test_whatever_happens_every_order_gets_exactly_one_answer(steps: list[tuple[str, object]]) -> None:
    """No event is forgotten, none is in two places, and one called delivered was accepted by its owner of the time."""
    routing = Routing()
    offsets = dict.fromkeys(CHANNELS, 0)
    submitted: dict[int, list[tuple[str, int]]] = {}
    accepted: set[tuple[str, int]] = set()
    flying: dict[str, list[tuple[int, list[tuple[str, int]]]]] = {A: [], B: []}
    for verb, what in steps:
        if verb == "submit":
            events = []
            for channel in what:  # type: ignore[attr-defined]
                offsets[channel] += 1
                events.append((channel, offsets[channel]))
            submitted[routing.submit(*events)] = events
        elif verb == "take" and (batch := routing.take(what)):  # type: ignore[arg-type]
            flying[what].append(batch)  # type: ignore[index]
            assert all(routing.router.ring.owner(channel) == what for channel, _ in batch[1])
        elif verb == "answer" and flying[what[0]]:  # type: ignore[index]
            owner: str = what[0]  # type: ignore[index]
            reasons: list[str] = what[1]  # type: ignore[index]
            number, events = flying[owner].pop(0)
            refused = {f"_{index}": reason for index, reason in enumerate(reasons[: len(events)]) if reason}
            accepted |= {each for index, each in enumerate(events) if refused.get(f"_{index}", "INVALID") == "INVALID"}
            routing.answer(owner, number, **refused)
        elif verb == "lost":
            flying[what].clear()  # type: ignore[index]
            routing.router.lost(what)  # type: ignore[arg-type]
        elif verb == "move":
            routing.router.move(what, routing.now)  # type: ignore[arg-type]
        elif verb == "wait":
            routing.wait(what)  # type: ignore[arg-type]
    routing.wait(5.0)
    assert routing.answers.keys() == submitted.keys()
    assert routing.router.events_under_way == routing.router.bytes_under_way == 0
    for number, undelivered in routing.answers.items():
        delivered = {each for index, each in enumerate(submitted[number]) if index not in undelivered}
        assert delivered <= accepted
