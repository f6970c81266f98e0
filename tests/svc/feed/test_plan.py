"""The plan of subscriptions: only what moved is asked for again, and nothing is left before the new place confirms."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.ring import Member, Ring
from svc.feed.plan import POSITIONS_MAX, REFUSED_BACKOFF_S, Ask, Cause, Plan, Quit
from svc.kit.ids import id_from_number

A, B, C = "channel-a", "channel-b", "channel-c"
RINGS = {ids: Ring([Member(each) for each in ids]) for ids in [(A,), (A, B), (A, B, C), (B, C), (B,)]}
CHANNELS = [id_from_number("C", number * 7919) for number in range(300)]


def planned(*server_ids: str, channels: Iterable[str] = CHANNELS) -> Plan:
    """Return a plan whose channels are all subscribed at their owners."""
    plan = Plan()
    plan.ring_changed(RINGS[server_ids])
    for server_id in server_ids:
        plan.server_up(server_id)
    for channel_id in channels:
        plan.follow(channel_id)
    for server_id in server_ids:
        confirm(plan, server_id)
    assert plan.unsettled == 0
    return plan


def flushed(plan: Plan, server_id: str) -> tuple[set[str], set[str], list[int]]:
    """Return the channels asked for, those quit, and the numbers of the requests."""
    frames = plan.flush(server_id)
    asked = {channel for frame in frames if isinstance(frame, Ask) for channel in frame.channel_ids}
    quits = {channel for frame in frames if isinstance(frame, Quit) for channel in frame.channel_ids}
    return asked, quits, [frame.request_number for frame in frames if isinstance(frame, Ask)]


def confirm(plan: Plan, server_id: str, refused: Iterable[str] = (), now: float = 0.0) -> set[str]:
    asked, _, numbers = flushed(plan, server_id)
    for number in numbers:
        plan.answered(server_id, number, refused, now)
    return asked


def owned(ring: Ring, server_id: str) -> set[str]:
    return {channel_id for channel_id in CHANNELS if ring.owner(channel_id) == server_id}


def test_each_channel_is_asked_for_at_its_owner() -> None:
    """The first subscriptions go by the ring."""
    plan = Plan()
    for channel_id in CHANNELS:
        plan.follow(channel_id)
    plan.ring_changed(RINGS[A, B])
    plan.server_up(A)
    plan.server_up(B)
    assert flushed(plan, A)[0] == owned(RINGS[A, B], A)
    assert flushed(plan, B)[0] == owned(RINGS[A, B], B)


def test_a_joining_server_takes_its_share_and_the_old_owner_is_left_after_it_confirmed() -> None:
    """Make before break; and only the channels of moved slots are asked for."""
    plan = planned(A, B)
    before = plan.asked.copy()
    plan.ring_changed(RINGS[A, B, C])
    moved = owned(RINGS[A, B, C], C)
    assert confirm(plan, A) | confirm(plan, B) == set()
    plan.server_up(C)
    assert plan.servers_with_news() == [C]
    asked, _, numbers = flushed(plan, C)
    assert asked == moved
    assert plan.servers_with_news() == []
    plan.answered(C, numbers[0], (), 0.0)
    assert flushed(plan, A)[1] | flushed(plan, B)[1] == moved
    assert plan.asked - before == {Cause.MOVED: len(moved)}
    assert plan.unsettled == 0


def test_every_server_hears_of_a_new_ring_once() -> None:
    """One that Consul does not reach any more, whose ring has gone on without it, has nobody else who could tell it."""
    plan = planned(A, B)
    plan.ring_changed(RINGS[(B,)])
    assert plan.servers_with_news() == [A, B]
    (told,) = plan.flush(A)
    assert isinstance(told, Ask)
    assert told.channel_ids == ()
    plan.answered(A, told.request_number, (), 0.0)
    confirm(plan, B)
    assert flushed(plan, A)[1] == owned(RINGS[A, B], A)
    assert plan.servers_with_news() == []


def test_a_dead_server_s_channels_wait_and_only_they_move() -> None:
    """The stream breaks first; the ring follows when Consul knows."""
    plan = planned(A, B)
    moved = owned(RINGS[A, B], A)
    plan.server_down(A)
    assert plan.unsettled == len(moved)
    assert plan.servers_with_news() == []
    plan.ring_changed(RINGS[(B,)])
    assert confirm(plan, B) == moved
    assert plan.asked[Cause.MOVED] == len(moved)
    assert plan.asked[Cause.REATTACHED] == 0
    assert plan.unsettled == 0


def test_a_line_that_comes_back_asks_for_its_channels_again() -> None:
    """A cut-off attachment has lost its subscriptions on the server."""
    plan = planned(A, B)
    plan.server_down(A)
    plan.server_up(A)
    assert confirm(plan, A) == owned(RINGS[A, B], A)
    assert plan.asked[Cause.REATTACHED] == len(owned(RINGS[A, B], A))


def test_a_refused_channel_is_asked_for_again_after_a_growing_wait() -> None:
    """Rings differ for a moment after each change."""
    plan = planned(A, channels=())
    plan.follow(CHANNELS[0])
    now = 100.0
    for wait_s in REFUSED_BACKOFF_S:
        assert confirm(plan, A, refused=[CHANNELS[0]], now=now) == {CHANNELS[0]}
        assert plan.next_retry() == now + wait_s
        plan.retry_due(now + wait_s - 0.001)
        assert plan.servers_with_news() == []
        now += wait_s
        plan.retry_due(now)
    assert confirm(plan, A) == {CHANNELS[0]}
    assert plan.unsettled == 0


def test_a_ring_that_moves_back_leaves_everything_where_it_is() -> None:
    """The ask at the short-lived owner is taken back, before it is sent or behind it."""
    plan = planned(A, B)
    plan.ring_changed(RINGS[A, B, C])
    plan.server_up(C)
    asked, _, numbers = flushed(plan, C)
    plan.ring_changed(RINGS[A, B])
    assert plan.unsettled == 0
    assert flushed(plan, C)[1] == asked
    plan.answered(C, numbers[0], (), 0.0)
    assert confirm(plan, A) | confirm(plan, B) == set()
    assert plan.servers_with_news() == []
    assert plan.unsettled == 0


def test_a_channel_is_left_when_the_last_interest_goes() -> None:
    """Interests are counted."""
    plan = planned(A, channels=CHANNELS[:1])
    assert not plan.follow(CHANNELS[0])
    assert not plan.unfollow(CHANNELS[0])
    assert plan.unfollow(CHANNELS[0])
    assert flushed(plan, A)[1] == {CHANNELS[0]}
    assert CHANNELS[0] not in plan
    assert not plan.unfollow(CHANNELS[0])


def test_frames_are_bounded_and_a_server_answers_before_it_gets_more() -> None:
    """A million channels do not become one frame, nor a thousand frames at once."""
    plan = Plan(requests_max=2)
    plan.ring_changed(RINGS[(A,)])
    plan.server_up(A)
    for number in range(3 * POSITIONS_MAX):
        plan.follow(id_from_number("C", number))
    frames = plan.flush(A)
    assert [len(frame.channel_ids) for frame in frames] == [POSITIONS_MAX, POSITIONS_MAX]
    assert plan.flush(A) == []
    first = frames[0]
    assert isinstance(first, Ask)
    plan.answered(A, first.request_number, (), 0.0)
    assert [len(frame.channel_ids) for frame in plan.flush(A)] == [POSITIONS_MAX]


class FakeMesh:
    """A plan, what its servers believe they are subscribed to, and what is really wanted."""

    def __init__(self) -> None:
        self.plan = Plan(requests_max=2)
        self.refs: dict[str, int] = {}
        self.held: dict[str, set[str]] = {}
        self.unanswered: dict[str, list[tuple[int, set[str]]]] = {}
        self.now = 0.0

    def follow(self, number: int) -> None:
        count = self.refs.get(CHANNELS[number], 0)
        assert self.plan.follow(CHANNELS[number]) == (count == 0)
        self.refs[CHANNELS[number]] = count + 1

    def unfollow(self, number: int) -> None:
        count = self.refs.get(CHANNELS[number], 0)
        assert self.plan.unfollow(CHANNELS[number]) == (count == 1)
        self.refs[CHANNELS[number]] = max(0, count - 1)

    def ring(self, ids: tuple[str, ...]) -> None:
        self.plan.ring_changed(RINGS[ids])

    def up(self, server_id: str) -> None:
        self.held[server_id] = set()
        self.unanswered[server_id] = []
        self.plan.server_up(server_id)

    def down(self, server_id: str) -> None:
        self.held.pop(server_id, None)
        self.unanswered.pop(server_id, None)
        self.plan.server_down(server_id)

    def exchange(self, server_id: str) -> None:
        for frame in self.plan.flush(server_id) if server_id in self.held else ():
            if isinstance(frame, Quit):
                self.held[server_id] -= set(frame.channel_ids)
            else:
                self.held[server_id] |= set(frame.channel_ids)
                self.unanswered[server_id].append((frame.request_number, set(frame.channel_ids)))

    def answer(self, server_id: str, refused_share: int = 0) -> None:
        if self.unanswered.get(server_id):
            number, channels = self.unanswered[server_id].pop(0)
            refused = set(sorted(channels)[::refused_share]) if refused_share else set()
            self.held[server_id] -= refused
            self.plan.answered(server_id, number, refused, self.now)

    def refuse(self, server_id: str) -> None:
        self.answer(server_id, refused_share=3)

    def settle(self) -> None:
        """Let every server be on the ring and up, and every answer arrive."""
        self.ring((A, B, C))
        for server_id in {A, B, C} - self.held.keys():
            self.up(server_id)
        for _ in range(30):
            self.now += 1.0
            self.plan.retry_due(self.now)
            for server_id in (A, B, C):
                self.exchange(server_id)
                while self.unanswered[server_id]:
                    self.answer(server_id)


SERVERS = st.sampled_from([A, B, C])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["follow", "unfollow"]), st.integers(0, 20)),
        st.tuples(st.just("ring"), st.sampled_from(sorted(RINGS))),
        st.tuples(st.sampled_from(["up", "down", "exchange", "answer", "refuse"]), SERVERS),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS)
def test_whatever_happens_the_servers_end_with_exactly_what_is_followed(steps: list[tuple[str, object]]) -> None:
    """Kills, ring moves, refusals and changing interests in any order converge to one subscription a channel."""
    mesh = FakeMesh()
    for verb, what in steps:
        mesh.now += 0.1
        getattr(mesh, verb)(what)
        mesh.plan.retry_due(mesh.now)
    mesh.settle()
    followed = {channel_id for channel_id, count in mesh.refs.items() if count}
    for server_id in (A, B, C):
        assert mesh.held[server_id] == followed & owned(RINGS[A, B, C], server_id)
    assert mesh.plan.unsettled == 0
