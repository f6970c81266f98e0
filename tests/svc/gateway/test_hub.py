"""The hub: every connection gets what it follows from a definite start, once and in order, and nothing else."""

from collections.abc import Sequence

import orjson
from hypothesis import given
from hypothesis import strategies as st

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.hub import Hub
from svc.gateway.members import Member
from tests.svc.gateway.hub_twins import FakeFeed, FakeMember, FakeOnlooker

C, D = "C0000000001", "D0000000001"


class House:
    """A hub with members, and a log that is read only when asked."""

    def __init__(self) -> None:
        self.feed = FakeFeed()
        self.behind: list[Member] = []
        self.stale: list[Member] = []
        self.onlooker = FakeOnlooker()
        self.hub = Hub(self.feed, lambda: 0.0, self.behind.append, self.stale.append, self.onlooker)
        self.logs: dict[str, list[event_pb.Event]] = {}

    def member(self, name: str, user_id: str = "") -> FakeMember:
        made = FakeMember(name, user_id or f"U{name}")
        self.hub.enter(made)
        return made

    def append(self, channel_id: str, **fields: object) -> event_pb.Event:
        log = self.logs.setdefault(channel_id, [])
        log.append(event(channel_id, len(log) + 1, **fields))
        return log[-1]

    def read_for(self, member: FakeMember, limit: int = 100) -> None:
        for channel_id, after in self.hub.missing(member, 64):
            log = self.logs.get(channel_id, [])
            self.hub.read(member, channel_id, log[after : after + limit], len(log), False)


def event(channel_id: str, offset: int, **fields: object) -> event_pb.Event:
    payload = orjson.dumps({"is": f"{channel_id[0]}{offset}"})
    return event_pb.Event(channel_id=channel_id, offset=offset, payload=payload, **fields)  # type: ignore[arg-type]


def test_members_of_a_channel_get_its_events_and_others_do_not() -> None:
    """The first who joins makes the feed follow, the last who leaves ends it."""
    house = House()
    ann, bob, eve = house.member("ann"), house.member("bob"), house.member("eve")
    house.hub.join(ann, C, 4)
    house.hub.join(bob, C, 4)
    house.hub.join(eve, D, 0)
    assert house.feed.followed == {C: 4, D: 0}
    house.hub.deliver([event(C, 5), event(C, 6)])
    assert ann.got == bob.got == ["C5", "C6"]
    assert eve.got == []
    house.hub.leave(ann)
    assert house.feed.followed == {C: 4, D: 0}
    house.hub.part(bob, C)
    assert house.feed.followed == {D: 0}
    house.hub.deliver([event(C, 7)])
    assert len(ann.got) == len(bob.got) == 2


def test_the_connection_that_posted_gets_no_echo() -> None:
    """It has the acknowledgement; other connections of the same user get the event."""
    house = House()
    phone, laptop = house.member("phone", "U1"), house.member("laptop", "U1")
    for member in (phone, laptop):
        house.hub.join(member, C, 0)
    house.hub.deliver([event(C, 1, origin_connection_id="phone")])
    assert (phone.got, laptop.got) == ([], ["C1"])


def test_typing_goes_to_everyone_but_the_typist() -> None:
    """On none of the typist's devices."""
    house = House()
    phone, laptop, bob = house.member("phone", "U1"), house.member("laptop", "U1"), house.member("bob", "U2")
    for member in (phone, laptop, bob):
        house.hub.join(member, C, 0)
    house.hub.deliver([event(C, 0, kind=event_pb.EVENT_KIND_TYPING, sender_id="U1")])
    assert (phone.got, laptop.got, bob.got) == ([], [], ["C0"])


def test_a_late_start_below_the_channel_is_caught_up_from_the_log() -> None:
    """Live events wait above the difference; then they follow in order."""
    house = House()
    ann, bob = house.member("ann"), house.member("bob")
    house.hub.join(ann, C, 0)
    house.hub.deliver([house.append(C) for _ in range(3)])
    house.hub.join(bob, C, 1)
    assert house.behind == [bob]
    house.hub.deliver([house.append(C)])
    assert bob.got == []
    house.read_for(bob)
    assert bob.got == ["C2", "C3", "C4"]
    house.hub.deliver([house.append(C)])
    assert bob.got == ["C2", "C3", "C4", "C5"]
    assert ann.got == ["C1", "C2", "C3", "C4", "C5"]


def test_a_start_above_the_channel_is_passed_over_until_the_channel_gets_there() -> None:
    """Webapp knew more than the feed when the session began."""
    house = House()
    ann, bob = house.member("ann"), house.member("bob")
    house.hub.join(ann, C, 0)
    house.hub.join(bob, C, 2)
    house.hub.deliver([event(C, 1), event(C, 2), event(C, 3), event(C, 4)])
    assert ann.got == ["C1", "C2", "C3", "C4"]
    assert bob.got == ["C3", "C4"]
    assert house.behind == []


def test_subscriptions_change_between_two_events_of_the_user_s_channel() -> None:
    """A batch that says "follow" and then carries the channel's next events loses none of them."""
    house = House()
    ann, bob = house.member("ann", "U1"), house.member("bob", "U2")
    house.hub.join(bob, C, 4)
    house.hub.join(ann, "U1", 0)
    change = event_pb.SubscriptionChange(added=[event_pb.ChannelPosition(channel_id=C, offset=5)])
    leave = event_pb.SubscriptionChange(removed_channel_ids=[C])
    user = event_pb.EVENT_KIND_USER
    house.hub.deliver(
        [
            event(C, 5),
            event("U1", 1, kind=user, subscription_change=change),
            event(C, 6),
            event("U1", 2, kind=user, subscription_change=leave),
            event(C, 7),
        ]
    )
    assert ann.got == ["U1", "C6", "U2"]
    assert bob.got == ["C5", "C6", "C7"]
    assert house.behind == []


def test_a_channel_that_is_left_and_joined_again_in_one_batch_begins_where_it_was_joined() -> None:
    """The batch was put in order for a subscription that has ended; the feed brings the rest from the new start on."""
    house = House()
    ann = house.member("ann", "U1")
    house.hub.join(ann, C, 2)
    house.hub.join(ann, "U1", 0)
    leave = event_pb.SubscriptionChange(removed_channel_ids=[C])
    again = event_pb.SubscriptionChange(added=[event_pb.ChannelPosition(channel_id=C, offset=1)])
    user = event_pb.EVENT_KIND_USER
    house.hub.deliver(
        [
            event("U1", 1, kind=user, subscription_change=leave),
            event("U1", 2, kind=user, subscription_change=again),
            event(C, 3),
        ]
    )
    assert (ann.got, house.feed.followed[C]) == (["U1", "U2"], 1)
    house.hub.deliver([event(C, 2), event(C, 3)])
    assert ann.got == ["U1", "U2", "C2", "C3"]


def test_a_change_without_a_payload_reaches_no_socket() -> None:
    """Some changes are for us alone."""
    house = House()
    ann = house.member("ann", "U1")
    house.hub.join(ann, "U1", 0)
    change = event_pb.SubscriptionChange(added=[event_pb.ChannelPosition(channel_id=D, offset=9)])
    silent = event_pb.Event(channel_id="U1", offset=1, kind=event_pb.EVENT_KIND_USER, subscription_change=change)
    house.hub.deliver([silent])
    assert ann.got == []
    assert house.feed.followed[D] == 9


def test_a_loss_is_told_and_one_in_the_user_s_channel_begins_the_session_anew() -> None:
    """Never silent: clients reload the history; lost changes of subscriptions cannot be guessed."""
    told: list[bytes] = []

    class Listening(FakeMember):
        def push(self, frame: bytes) -> None:
            told.append(frame)

    house = House()
    ann = Listening("ann", "U1")
    house.hub.enter(ann)
    house.hub.join(ann, C, 0)
    house.hub.join(ann, "U1", 0)
    house.hub.lost(C, 7)
    assert [orjson.loads(frame[2:]) for frame in told] == [{"type": "resume_failed", "channels": [C]}]
    assert house.stale == []
    house.hub.lost("U1", 3)
    assert house.stale == [ann]


def test_a_loss_of_the_channel_sends_those_who_wait_to_the_log() -> None:
    """Whoever stands above the channel is passed by it in one step, and reads on from where it stands."""
    house = House()
    ann, bob, eve = house.member("ann"), house.member("bob"), house.member("eve")
    house.hub.join(ann, C, 0)
    house.hub.join(bob, C, 1)
    house.hub.join(eve, C, 5)
    house.logs[C] = [event(C, offset) for offset in range(1, 7)]
    house.hub.lost(C, 5)
    assert house.behind == [bob]
    house.read_for(bob)
    assert bob.got == ["C2", "C3", "C4", "C5", "C6"]
    house.hub.deliver([event(C, 6), event(C, 7)])
    assert bob.got[-1] == "C7"
    assert eve.got == ["C6", "C7"]


def test_who_left_gets_nothing_and_joins_nothing() -> None:
    """A session that is still being opened may end meanwhile."""
    house = House()
    ann = house.member("ann")
    house.hub.leave(ann)
    house.hub.join(ann, C, 0)
    assert house.feed.followed == {}


STEPS = st.lists(
    st.one_of(
        st.just(("post", 0)),
        st.just(("deliver", 0)),
        st.tuples(st.just("join"), st.integers(0, 3)),
        st.tuples(st.just("part"), st.integers(0, 3)),
        st.tuples(st.just("read"), st.integers(0, 3)),
    ),
    max_size=60,
)


class Story:
    """A house with four members of one channel, whose log runs ahead of what the feed has delivered."""

    def __init__(self, read_limit: int) -> None:
        self.house = House()
        self.log = self.house.logs.setdefault(C, [])
        self.members = [self.house.member(str(number)) for number in range(4)]
        self.started: dict[FakeMember, int] = {}
        self.handed = 0
        self.read_limit = read_limit

    def post(self, _: int) -> None:
        self.house.append(C)

    def deliver(self, _: int) -> None:
        self.house.hub.deliver(self.log[self.handed : self.handed + 1])
        self.handed = min(self.handed + 1, len(self.log))

    def join(self, number: int) -> None:
        member = self.members[number]
        if member not in self.started:
            self.started[member] = len(self.log)
            if C not in self.house.feed.followed:
                self.handed = len(self.log)
            member.got.clear()
            self.house.hub.join(member, C, len(self.log))

    def part(self, number: int) -> None:
        self.house.hub.part(self.members[number], C)
        self.started.pop(self.members[number], None)

    def read(self, number: int) -> None:
        self.house.read_for(self.members[number], self.read_limit)

    def finish(self) -> None:
        while self.handed < len(self.log):
            self.deliver(0)
        for member in self.started:
            for _ in self.log:
                self.house.read_for(member, self.read_limit)


@given(STEPS, st.integers(1, 3))
def test_from_any_start_a_member_gets_every_later_event_once_in_order(
    steps: Sequence[tuple[str, int]], read_limit: int
) -> None:
    """The invariant: joins at the log's head, ahead of or behind the feed, and partial log reads, lose nothing."""
    story = Story(read_limit)
    for verb, number in steps:
        getattr(story, verb)(number)
    story.finish()
    for member, start in story.started.items():
        assert member.got == [f"C{offset}" for offset in range(start + 1, len(story.log) + 1)]
