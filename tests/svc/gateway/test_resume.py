"""Where a session begins and what it is told of it: plans as tables, then the hub with what it follows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway import resume
from svc.gateway.hub import Hub
from svc.gateway.members import Member
from svc.gateway.resume import SHARED_REPLAY_MAX, Opening, Replay, Start
from tests.svc.gateway.hub_twins import FakeFeed, FakeMember, FakeOnlooker
from tests.svc.gateway.test_hub import event

A, B, D, ME = "C0000000001", "C0000000002", "D0000000001", "U0000000001"


def body(frame: bytes) -> Any:
    return orjson.loads(frame[{126: 4, 127: 10}.get(frame[1], 2) :])


def said(frames: Any) -> list[Any]:
    """Return frames as values, with tokens unpacked."""
    values = [body(frame) for frame in frames]
    return [{**value, "token": resume.decode(value["token"])} if "token" in value else value for value in values]


def test_a_cold_session_begins_at_the_heads_and_says_so_to_who_keeps_positions() -> None:
    """The user's own channel is joined last."""
    listed = [(ME, 3), (A, 7)]
    opening = resume.cold(ME, listed, is_aware=True)
    assert said(opening.frames) == [{"type": "positions", "token": {ME: 3, A: 7}, "complete": True}]
    assert opening.starts == [Start(A, 7, 7), Start(ME, 3, 3)]
    assert resume.cold(ME, listed, is_aware=False) == Opening([], opening.starts)


def test_a_resumed_session_continues_joins_leaves_and_fails_by_channel() -> None:
    """One of each: had, joined meanwhile, left meanwhile, and beyond the head."""
    token = resume.encode([(ME, 2), (A, 5), (B, 9), (D, 4)])
    opening = resume.resumed(ME, [(ME, 3), (A, 7), (B, 8), ("C0000000003", 6)], token)
    assert said(opening.frames) == [
        {"type": "resumed", "channels": 2},
        {"type": "positions_dropped", "channels": [D]},
        {"type": "resume_failed", "channels": [B]},
        {"type": "positions", "token": {B: 8}},
    ]
    assert opening.starts == [Start(A, 5, 5), Start(B, 8, 8), Start(ME, 2, 2)]
    assert opening.replay is not None
    assert (opening.replay.bound, opening.replay.waiting) == (3, {"C0000000003": 6})


@pytest.mark.parametrize(
    "token", ["", "nonsense", resume.encode([("U0000000002", 1), (A, 5)]), resume.encode([])],
    ids=["none", "malformed", "another user's", "empty"],
)  # fmt: skip
def test_a_token_that_is_none_of_this_user_s_begins_anew_explicitly(token: str) -> None:
    """Nothing in it counts: without the user's own channel nobody knows what was joined and left."""
    opening = resume.resumed(ME, [(ME, 3), (A, 7)], token)
    assert said(opening.frames) == [
        {"type": "resume_failed", "channels": [ME, A]},
        {"type": "positions", "token": {ME: 3, A: 7}, "complete": True},
    ]
    assert opening.starts == [Start(A, 7, 7), Start(ME, 3, 3)]
    assert opening.is_failed


def test_more_positions_than_a_token_holds_are_told_in_several_frames() -> None:
    """Each is a token of its own."""
    listed = [(f"C{number:010d}", number) for number in range(resume.CHANNELS_MAX + 5)]
    frames = said(resume.positions_frames(listed, are_all=True))
    assert [len(frame["token"]) for frame in frames] == [resume.CHANNELS_MAX, 5]
    assert ["complete" in frame for frame in frames] == [False, True]
    failed = said(resume.failed_frames(listed, is_aware=False))
    assert [len(frame["channels"]) for frame in failed] == [resume.CHANNELS_MAX, 5]


def change(*added: tuple[str, int], removed: tuple[str, ...] = ()) -> event_pb.SubscriptionChange:
    positions = [event_pb.ChannelPosition(channel_id=channel_id, offset=offset) for channel_id, offset in added]
    return event_pb.SubscriptionChange(added=positions, removed_channel_ids=removed)


@pytest.mark.parametrize(
    ("offset", "told", "applied"),
    [
        (4, change((B, 7)), change((B, 7))),
        (4, change((D, 7)), change()),
        (4, change(removed=(A,)), change()),
        (6, change((D, 7)), change((D, 7))),
        (6, change(removed=(A, B)), change(removed=(A, B))),
    ],
    ids=["start of a listed one", "not listed: left again", "listed: back again", "later join", "later leave"],
)
def test_of_changes_older_than_the_list_only_starts_count(
    offset: int, told: event_pb.SubscriptionChange, applied: event_pb.SubscriptionChange
) -> None:
    """The list is the truth up to the head that came with it."""
    assert Replay(5, {B: 9}).change(offset, told) == applied


class House:
    """A hub with one connection that keeps positions."""

    def __init__(self) -> None:
        self.behind: list[Member] = []
        self.stale: list[Member] = []
        self.feed = FakeFeed()
        self.hub = Hub(self.feed, lambda: 0.0, self.behind.append, self.stale.append, FakeOnlooker())
        self.me = Aware("me", ME, is_aware=True)
        self.hub.enter(self.me)

    def open(self, opening: Opening) -> None:
        if opening.replay is not None:
            self.hub.replay(self.me, opening.replay)
        for start in opening.starts:
            self.hub.join(self.me, start.channel_id, start.after, start.head)


class Aware(FakeMember):
    def push(self, frame: bytes) -> None:
        [value] = said([frame])
        self.got.append(value if "type" in value else value["is"])


def user_event(offset: int, changed: event_pb.SubscriptionChange) -> event_pb.Event:
    return event(ME, offset, kind=event_pb.EVENT_KIND_USER, subscription_change=changed)


def test_a_joined_channel_s_start_is_told_before_the_event_that_announces_it() -> None:
    """A connection that breaks in between has lost nothing; a left one is told alike."""
    house = House()
    house.open(resume.cold(ME, [(ME, 0)], is_aware=True))
    house.hub.deliver([user_event(1, change((A, 5))), event(A, 6), user_event(2, change(removed=(A,))), event(A, 7)])
    positions = {"type": "positions", "token": {A: 5}}
    assert house.me.got == [positions, "U1", "C6", {"type": "positions_dropped", "channels": [A]}, "U2"]


def test_events_without_anything_for_clients_are_told_by_position() -> None:
    """Else whoever counts would see a hole."""
    house = House()
    house.open(resume.cold(ME, [(ME, 0), (A, 0)], is_aware=True))
    silent = event_pb.Event(channel_id=A, offset=1)
    user = event_pb.Event(
        channel_id=ME, offset=1, kind=event_pb.EVENT_KIND_USER, subscription_change=change(removed=("C9",))
    )
    house.hub.deliver([silent, event(A, 2), user])
    assert house.me.got == [
        {"type": "position", "position": f"{A}:1"},
        "C2",
        {"type": "position", "position": f"{ME}:1"},
    ]


def test_a_channel_that_is_far_behind_is_not_held_back_for_those_who_join_it_now() -> None:
    """A short way is gone by all together; a long one by the resumed connection alone."""
    near, far = House(), House()
    near.open(resume.resumed(ME, [(ME, 0), (A, SHARED_REPLAY_MAX)], resume.encode([(ME, 0), (A, 0)])))
    far.open(resume.resumed(ME, [(ME, 0), (A, SHARED_REPLAY_MAX + 1)], resume.encode([(ME, 0), (A, 0)])))
    assert (near.feed.followed[A], near.behind) == (0, [])
    assert (far.feed.followed[A], far.behind) == (SHARED_REPLAY_MAX + 1, [far.me])


def test_what_the_own_channel_has_no_word_of_is_followed_from_the_listed_head_in_the_end() -> None:
    """Memberships that were written without an event, or that a token of too many channels left out."""
    house = House()
    opening = resume.resumed(ME, [(ME, 1), (A, 5), (B, 7)], resume.encode([(ME, 0)]))
    house.open(opening)
    assert house.hub.is_replaying(house.me)
    house.hub.deliver([user_event(1, change((A, 2)))])
    assert not house.hub.is_replaying(house.me)
    assert house.feed.followed == {ME: 0, A: 2}
    house.me.got.clear()
    house.hub.settle(house.me)
    assert house.me.got == [{"type": "positions", "token": {B: 7}}]
    assert house.feed.followed[B] == 7


def test_a_cut_log_of_the_own_channel_fails_the_channels_whose_start_it_held() -> None:
    """Told, and followed from the list; the rest of the session goes on."""
    house = House()
    house.open(resume.resumed(ME, [(ME, 9), (A, 5), (B, 7)], resume.encode([(ME, 2), (A, 5)])))
    house.hub.lost(ME, 9)
    assert house.me.got == [
        {"type": "resume_failed", "channels": [ME, B]},
        {"type": "positions", "token": {ME: 9, B: 7}},
    ]
    assert house.feed.followed[B] == 7
    assert house.stale == []
    house.hub.lost(ME, 10)
    assert house.stale == [house.me], "what came after the list is unknown"


def test_a_cut_log_is_told_with_the_new_start() -> None:
    """And what is left of it follows."""
    house = House()
    house.hub.join(FakeMember("other", "U0000000002"), A, 50)
    house.open(resume.resumed(ME, [(ME, 0), (A, 500)], resume.encode([(ME, 0), (A, 10)])))
    [(channel_id, after)] = house.hub.missing(house.me, 10)
    assert (channel_id, after) == (A, 10)
    house.hub.read(house.me, A, [event(A, offset) for offset in range(499, 501)], 500, True)
    assert house.me.got == [
        {"type": "resume_failed", "channels": [A]},
        {"type": "positions", "token": {A: 498}},
        "C499",
        "C500",
    ]
