"""The rules by which writes get their places."""

from __future__ import annotations

from dataclasses import asdict

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from svc.kit.errors import InvalidArgumentError
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.log import (
    DRAFTS_MAX,
    Committed,
    Draft,
    Effect,
    Follow,
    Mention,
    MessageDraft,
    Place,
    PutDirectory,
    PutUser,
    Unfollow,
    Write,
)
from svc.webapp.commit.plan import Head, Plan, Request, State, plan
from svc.webapp.store.rows import Conversation, ConversationKind, User
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note, post

NOW_US = 1_700_000_000_000_000


def committed(planned: Plan) -> list[Committed]:
    """Return the results, none of which is an error."""
    assert not [result for result in planned.results if isinstance(result, Exception)]
    return [result for result in planned.results if isinstance(result, Committed)]


def test_offsets_go_on_from_the_head_without_a_hole() -> None:
    """The first guarantee of the log."""
    planned = plan(State({CHANNEL: Head(41, 5)}), [post(CHANNEL, "a"), Write(CHANNEL, (note(), note()))], NOW_US)
    assert [place.offset for result in committed(planned) for place in result.places] == [42, 43, 44]
    assert planned.heads == {CHANNEL: Head(44, NOW_US + 2, NOW_US)}
    assert [row[:2] for row in planned.log] == [(CHANNEL, 42), (CHANNEL, 43), (CHANNEL, 44)]
    assert [row[:2] for row in planned.outbox] == [row[:2] for row in planned.log]


@pytest.mark.parametrize(
    ("last_ts_us", "expected"),
    [(0, NOW_US), (NOW_US - 1, NOW_US), (NOW_US, NOW_US + 1), (NOW_US + 10_000_000, NOW_US + 10_000_001)],
)
def test_a_ts_is_the_time_and_above_the_last(last_ts_us: int, expected: int) -> None:
    """Also when the clock went back: a ts is a message's identity."""
    [result] = committed(plan(State({CHANNEL: Head(1, last_ts_us)}), [post(CHANNEL, "a")], NOW_US))
    assert result.ts_us == expected
    assert result.places[0].ts == f"{expected // 1_000_000}.{expected % 1_000_000:06d}"


def test_the_payload_carries_its_place() -> None:
    """Clients dedupe and resume by "position"; a message has its ts, any event its event_ts."""
    planned = plan(State(), [Write(CHANNEL, (message("hi"), note()))], NOW_US)
    first, second = committed(planned)[0].events
    assert orjson.loads(first.payload) == {
        "type": "message",
        "channel": CHANNEL,
        "user": ALICE,
        "text": "hi",
        "position": f"{CHANNEL}:1",
        "event_ts": "1700000000.000000",
        "ts": "1700000000.000000",
    }
    assert orjson.loads(second.payload)["event_ts"] == "1700000000.000001"
    assert "ts" not in orjson.loads(second.payload)
    assert event_pb2.Event.FromString(planned.log[0][3]) == first
    assert (first.offset, first.sender_id, first.commit_unix_us) == (1, ALICE, NOW_US)


def test_a_used_request_id_gets_the_first_answer() -> None:
    """A retried post is the same post, whether it was used before or earlier in the batch."""
    before = Request(7, 2, NOW_US - 50)
    state = State({CHANNEL: Head(9, NOW_US - 10)}, {(CHANNEL, "old"): before})
    writes = [post(CHANNEL, "again", "old"), post(CHANNEL, "a", "new"), post(CHANNEL, "b", "new"), post(CHANNEL, "c")]
    old, new, again, other = committed(plan(state, writes, NOW_US))
    assert old.duplicate
    assert old.places == (Place(CHANNEL, 7, NOW_US - 50), Place(CHANNEL, 8, NOW_US - 49))
    assert (new.places, new.duplicate) == ((Place(CHANNEL, 10, NOW_US),), False)
    assert (again.places, again.duplicate, again.events) == (new.places, True, ())
    assert other.places == (Place(CHANNEL, 11, NOW_US + 1),)


def test_a_request_id_is_one_channels_own() -> None:
    """The same key in another channel is another post."""
    first, second = committed(plan(State(), [post(CHANNEL, "a", "k"), post("C0000000002", "a", "k")], NOW_US))
    assert not first.duplicate
    assert not second.duplicate


def test_guards_count_joins_and_leaves_earlier_in_the_batch() -> None:
    """Two joins at once tell one join; a post after a leave in the same batch is refused."""
    join = Write(CHANNEL, (note(),), members_added=(BOB,), unless_member=BOB)
    leave = Write(CHANNEL, (note(),), members_removed=(ALICE,), if_member=ALICE)
    late = Write(CHANNEL, (message("late"),), if_member=ALICE)
    planned = plan(State(members={(CHANNEL, ALICE)}), [join, join, leave, leave, late], NOW_US)
    assert [result.refused for result in committed(planned)] == [False, True, False, True, True]
    assert planned.members == {(CHANNEL, BOB): NOW_US, (CHANNEL, ALICE): 0}
    assert len(planned.log) == 2


def test_a_write_that_cannot_be_planned_fails_alone() -> None:
    """A payload that raises, and writes over their limits, take no offset from the others."""

    def broken(place: Place) -> dict[str, object]:
        raise LookupError("no such thing")

    writes = [
        post(CHANNEL, "a"),
        Write(CHANNEL, (note(), Draft(event_pb2.EVENT_KIND_MESSAGE, broken)), members_added=(BOB,)),
        Write(CHANNEL, (note(),) * (DRAFTS_MAX + 1)),
        Write(CHANNEL, (note("x" * 600_000),)),
        Write(CHANNEL, change={"id": "C0000000009"}),
        Write(CHANNEL, request_id="é" * 101),
        post(CHANNEL, "b"),
    ]
    planned = plan(State(), writes, NOW_US)
    kinds = [type(result) for result in planned.results]
    assert kinds == [Committed, LookupError, *[InvalidArgumentError] * 4, Committed]
    assert [row[1] for row in planned.log] == [1, 2]
    assert planned.members == {}


def test_replies_are_counted_with_their_parent() -> None:
    """What the parent says about its replies needs no counting at read time."""
    writes = [Write(CHANNEL, (message("r", thread_ts_us=77),)), Write(CHANNEL, (message("s", thread_ts_us=77),))]
    assert plan(State(), writes, NOW_US).threads == {(CHANNEL, 77): (2, NOW_US + 1)}


def test_model_objects_get_the_offset_as_their_version() -> None:
    """The edge keeps the higher version of an object."""
    change = boot_pb2.ModelChange(users=[boot_pb2.User(id=ALICE)], channels=[boot_pb2.Channel(id=CHANNEL)])
    draft = Draft(event_pb2.EVENT_KIND_WORKSPACE, lambda place: None, model_change=change)
    [result] = committed(plan(State({TEAM: Head(5, 1)}), [Write(TEAM, (draft,))], NOW_US))
    event = result.events[0]
    assert event.model_change.users[0].version == event.model_change.channels[0].version == 6
    assert change.users[0].version == 0
    assert event.payload == b""


def test_a_write_without_events_still_moves_the_ts() -> None:
    """Its effects and revision are named by a ts that nothing else has."""
    created = Conversation("D0000000001", TEAM, ConversationKind.IM)
    first = Write(created.id, create=created, members_added=(ALICE,), effects=(Follow(ALICE, TEAM, created.kind),))
    planned = plan(State(), [first, Write(created.id, change={"topic": "t"})], NOW_US)
    assert planned.heads == {created.id: Head(0, NOW_US + 1)}
    assert planned.creates[0].revision_us == NOW_US
    assert planned.changes == [(created.id, {"topic": "t"}, NOW_US + 1)]
    assert [row[:4] for row in planned.effects] == [(created.id, NOW_US, 0, 1)]


def test_heads_know_the_newest_message_that_is_to_be_read() -> None:
    """Broadcast replies count; replies that only their thread shows, notices and other events do not."""
    notice = Draft(event_pb2.EVENT_KIND_MESSAGE, lambda _: {}, message=MessageDraft(BOB, "", subtype="channel_join"))
    drafts = (
        message("a"),
        message("b", thread_ts_us=1, broadcast=True),
        message("c", thread_ts_us=1),
        notice,
        note(),
    )
    planned = plan(State({CHANNEL: Head(1, 1, 1)}), [Write(CHANNEL, (draft,)) for draft in drafts], NOW_US)
    told = [result.events[0].message_ts_us for result in committed(planned)]
    assert told == [NOW_US, NOW_US + 1, 0, 0, 0]
    assert planned.heads == {CHANNEL: Head(6, NOW_US + 4, NOW_US + 1)}
    again = plan(State({CHANNEL: Head(6, NOW_US, 77)}), [Write(CHANNEL, (note(),))], NOW_US)
    assert again.heads[CHANNEL].message_us == 77


def test_the_first_event_of_a_write_tells_who_came_and_who_left() -> None:
    """Whatever it is about: tiers that hold the members of a conversation need no other source."""
    many = Write(CHANNEL, (note(), note()), members_added=(ALICE, BOB))
    leave = Write(CHANNEL, (note(),), members_removed=(BOB,))
    both, left, neither = committed(plan(State(), [many, leave, post(CHANNEL, "a")], NOW_US))
    assert list(both.events[0].membership_change.joined_user_ids) == [ALICE, BOB]
    assert not both.events[1].HasField("membership_change")
    assert list(left.events[0].membership_change.left_user_ids) == [BOB]
    assert not neither.events[0].HasField("membership_change")
    assert all(event_pb2.Event.FromString(event.SerializeToString()) == event for event in both.events)


@pytest.mark.parametrize(
    "effect",
    [
        Mention((ALICE, BOB)),
        Follow(ALICE, TEAM, ConversationKind.IM, BOB, {"type": "im_created"}),
        Unfollow(ALICE, None),
        PutDirectory(TEAM, {"type": "channel_created"}),
        PutUser(asdict(User(ALICE, TEAM, "alice")), {"type": "team_join"}),
    ],
)
def test_effects_survive_storage(effect: Effect) -> None:
    """What a crash leaves behind is understood by whoever sweeps it."""
    [row] = plan(State(), [Write(CHANNEL, effects=(effect,))], NOW_US).effects
    assert decode_effect(row[5]) == effect


_WRITES = st.lists(
    st.tuples(
        st.sampled_from([CHANNEL, "C0000000002", "D0000000003"]),
        st.integers(0, 3),
        st.sampled_from(["", "k1", "k2", "k3"]),
    ),
    max_size=30,
)


@given(batches=st.lists(st.tuples(_WRITES, st.integers(-5, 5)), max_size=8))
def test_any_batches_give_dense_offsets_rising_ts_and_one_event_a_request(
    batches: list[tuple[list[tuple[str, int, str]], int]],
) -> None:
    """Whatever the cut into batches and however the clock jumps."""
    heads: dict[str, Head] = {}
    requests: dict[tuple[str, str], Request] = {}
    seen: dict[str, list[Place]] = {}
    now_us = NOW_US
    for specs, step_us in batches:
        now_us += step_us
        writes = [Write(channel, tuple(note() for _ in range(count)), key) for channel, count, key in specs]
        planned = plan(State(heads, requests), writes, now_us)
        for write, result in zip(writes, committed(planned), strict=True):
            if result.duplicate:
                assert write.request_id
                assert all(place in seen.get(write.channel_id, []) for place in result.places)
            else:
                seen.setdefault(write.channel_id, []).extend(result.places)
                assert len(result.places) == len(write.drafts)
        heads |= planned.heads
        assert not set(requests) & set(planned.requests)
        requests |= planned.requests
    for channel, places in seen.items():
        assert [place.offset for place in places] == list(range(1, len(places) + 1))
        stamps = [place.ts_us for place in places]
        assert stamps == sorted(set(stamps))
        assert heads[channel].offset == len(places)
        assert heads[channel].ts_us >= max(stamps, default=0)
