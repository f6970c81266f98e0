"""What the edge answers from a model."""

from __future__ import annotations

import pytest

from parley.boot.v1 import boot_pb2 as boot_pb
from parley.edge.v1 import edge_service_pb2 as pb
from svc.edge import boot
from svc.edge.models.changes import History
from svc.edge.models.model import Model
from svc.edge.models.names import Query
from svc.edge.models.numbers import number_of
from svc.kit.errors import NotFoundError
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM

CAROL, OTHER = "U0000000003", "C0000000003"


def model() -> Model:
    """Two users, one of them at version 3, a channel at version 4 and one at 0, as of 7."""
    made = Model(boot_pb.Team(id=TEAM, name="Acme"), 7)
    public = boot_pb.CHANNEL_KIND_PUBLIC
    made.put(
        users=[boot_pb.User(id=ALICE, name="alice", version=3), boot_pb.User(id=BOB, name="bob")],
        channels=[
            boot_pb.Channel(id=GENERAL, name="general", kind=public, version=4, purpose="all of us"),
            boot_pb.Channel(id=RANDOM, name="random", kind=public),
        ],
    )
    history = History()
    for identifier, version in ((GENERAL, 4), (ALICE, 3), (BOB, 0), (RANDOM, 0)):
        history.note(version, number_of(identifier) or 0)
    made.remember(history)
    return made


def asked(since: int = 0, user_id: str = ALICE) -> pb.BootRequest:
    """A boot that asks about conversations of all kinds, and two users."""
    return pb.BootRequest(
        team_id=TEAM,
        user_id=user_id,
        channel_ids=[GENERAL, "D0000000001", RANDOM, OTHER, user_id],
        user_ids=[BOB, CAROL],
        since_model_offset=since,
    )


def test_a_boot_has_the_team_oneself_and_what_was_asked_for() -> None:
    """Public channels and users that there are; how many there are in all, and as of when."""
    activities = [boot_pb.ConversationActivity(channel_id=GENERAL, head_offset=9, latest_message_ts_us=5)]
    response = boot.boot(model(), asked(), activities)
    assert (response.team.name, response.self.id, response.model_offset) == ("Acme", ALICE, 7)
    assert (response.user_count, response.channel_count, response.is_delta) == (2, 2, False)
    assert [channel.id for channel in response.channels] == [GENERAL, RANDOM]
    assert response.channels[0].purpose == "all of us"
    assert [user.id for user in response.users] == [BOB]
    assert list(response.activities) == activities


def test_the_people_of_the_newest_direct_messages_are_described() -> None:
    """As many as asked for, by the newest message; nobody of a conversation without one, nobody twice."""
    held = model()
    held.put(users=[boot_pb.User(id=CAROL, name="carol")])
    rooms = {"D0000000001": (BOB, 5), "D0000000002": (CAROL, 7), "D0000000003": (ALICE, 0), GENERAL: ("", 9)}
    activities = [
        boot_pb.ConversationActivity(channel_id=each, latest_message_ts_us=us) for each, (_, us) in rooms.items()
    ]
    request = pb.BootRequest(
        team_id=TEAM, user_id=ALICE, channel_ids=rooms, peer_ids=[peer for peer, _ in rooms.values()], recent_max=1
    )
    assert [user.id for user in boot.boot(held, request, activities).users] == [CAROL]
    request.recent_max = 5
    assert [user.id for user in boot.boot(held, request, activities).users] == [CAROL, BOB]
    request.user_ids.append(BOB)
    assert [user.id for user in boot.boot(held, request, activities).users] == [BOB, CAROL]


def test_a_delta_has_what_changed_and_names_everything_else_that_did() -> None:
    """Who missed nothing gets nothing but itself; who is ahead of this edge, or long behind, gets everything."""
    held = model()
    nothing = boot.boot(held, asked(since=7), [])
    assert (nothing.is_delta, nothing.HasField("team"), nothing.self.id) == (True, False, ALICE)
    assert [*nothing.channels, *nothing.users, *nothing.changed_ids] == []
    assert not nothing.has_changed_emoji
    general = boot_pb.Channel(id=GENERAL, name="general", kind=boot_pb.CHANNEL_KIND_PUBLIC, version=8)
    held.apply(8, boot_pb.ModelChange(channels=[general]))
    held.apply(9, boot_pb.ModelChange(users=[boot_pb.User(id=BOB, version=9)], team=boot_pb.Team(id=TEAM, name="New")))
    held.apply(10, boot_pb.ModelChange(emoji=[boot_pb.Emoji(name="tada", value="https://e/1")]))
    delta = boot.boot(held, asked(since=7), [])
    assert (delta.is_delta, delta.team.name, delta.has_changed_emoji) == (True, "New", True)
    assert [channel.id for channel in delta.channels] == [GENERAL]
    assert [user.id for user in delta.users] == [BOB]
    assert list(delta.changed_ids) == [GENERAL, BOB]
    later = boot.boot(held, asked(since=9), [])
    assert (list(later.changed_ids), later.has_changed_emoji, later.HasField("team")) == ([], True, False)
    for since in (0, 11):
        full = boot.boot(held, asked(since=since), [])
        assert (full.is_delta, len(full.channels), len(full.changed_ids)) == (False, 2, 0)


def test_a_boot_from_before_the_load_is_a_delta_by_versions() -> None:
    """Emoji and the workspace itself have none there: they count as changed."""
    delta = boot.boot(model(), asked(since=3), [])
    assert (delta.is_delta, list(delta.changed_ids)) == (True, [GENERAL])
    assert (delta.has_changed_emoji, delta.team.name) == (True, "Acme")


def test_who_is_not_in_the_workspace_cannot_boot() -> None:
    """A stranger is not found."""
    with pytest.raises(NotFoundError):
        boot.boot(model(), asked(user_id="U0000000009"), [])


@pytest.mark.parametrize(
    ("query", "kinds", "expected"),
    [
        (Query(prefix="b"), [], [BOB]),
        (Query(prefix="r"), [pb.OBJECT_KIND_CHANNEL], [RANDOM]),
        (Query(prefix="r"), [pb.OBJECT_KIND_USER], []),
        (Query(prefix="a"), [pb.OBJECT_KIND_CHANNEL, pb.OBJECT_KIND_USER], [ALICE]),
    ],
)
def test_a_search_returns_objects_of_the_kinds_asked_for(
    query: Query, kinds: list[pb.ObjectKind.ValueType], expected: list[str]
) -> None:
    """Whole objects, the best first, of each kind its own list."""
    response = boot.find(model(), query, kinds)
    assert [user.id for user in response.users] + [channel.id for channel in response.channels] == expected


def part(reading: boot.Reading) -> pb.ReadModelResponse:
    """Return the next part, which there must be."""
    part = reading.part()
    assert part is not None
    return part


def test_a_whole_model_is_read_in_parts_while_it_changes() -> None:
    """What was there is sent as it is when its turn comes; what came later is told by events."""
    held = Model(boot_pb.Team(id=TEAM, name="Acme"), 7)
    held.put(users=[boot_pb.User(id=f"U{number:010}") for number in range(501)])
    held.put(channels=[boot_pb.Channel(id=each, kind=boot_pb.CHANNEL_KIND_PUBLIC) for each in (GENERAL, RANDOM)])
    held.emoji.put([boot_pb.Emoji(name="tada", value="https://e/1")])
    reading = boot.Reading(held)
    first, second = part(reading), part(reading)
    assert (first.team.name, first.model_offset, len(first.users)) == ("Acme", 7, 0)
    assert len(second.users) == 500
    held.apply(8, boot_pb.ModelChange(users=[boot_pb.User(id="U0000000500", title="new", version=8)]))
    private = boot_pb.Channel(id=GENERAL, kind=boot_pb.CHANNEL_KIND_PRIVATE, version=9)
    held.apply(9, boot_pb.ModelChange(channels=[private], removed_emoji=["tada"]))
    third, fourth, fifth = part(reading), part(reading), part(reading)
    assert [user.title for user in third.users] == ["new"]
    assert [channel.id for channel in fourth.channels] == [RANDOM]
    assert not fifth.emoji
    assert reading.part() is None


@pytest.mark.parametrize(
    ("known", "returned"),
    [
        (pb.KnownObject(id=ALICE), [ALICE]),
        (pb.KnownObject(id=ALICE, version=3), [ALICE]),
        (pb.KnownObject(id=ALICE, version=2, held=True), [ALICE]),
        (pb.KnownObject(id=ALICE, version=3, held=True), []),
        (pb.KnownObject(id=ALICE, version=9, held=True), []),
        (pb.KnownObject(id=BOB, version=0, held=True), []),
        (pb.KnownObject(id=BOB, version=0), [BOB]),
        (pb.KnownObject(id=GENERAL, version=3, held=True), [GENERAL]),
        (pb.KnownObject(id=GENERAL, version=4, held=True), []),
    ],
)
def test_an_object_that_the_caller_has_costs_nothing(known: pb.KnownObject, returned: list[str]) -> None:
    """Versions are compared only for what is held; version 0 is a version like any other."""
    response = boot.objects(model(), [known])
    assert [user.id for user in response.users] + [channel.id for channel in response.channels] == returned
    assert not response.unknown_ids


def test_unknown_ids_are_named() -> None:
    """So that the caller does not ask again."""
    response = boot.objects(
        model(), [pb.KnownObject(id=OTHER), pb.KnownObject(id="U0000000009"), pb.KnownObject(id=BOB)]
    )
    assert list(response.unknown_ids) == [OTHER, "U0000000009"]
    assert [user.id for user in response.users] == [BOB]
