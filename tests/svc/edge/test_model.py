"""A workspace's model: how it is loaded, what changes it, and that it ends up right whatever happens during a load."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.model import Applied, Model, ModelBuilder
from svc.edge.names import Query, search
from svc.kit.errors import FailedPreconditionError, InternalError, ParleyError, UnavailableError
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM, World

HEADER = webapp.LoadWorkspaceResponse(header=webapp.WorkspaceHeader(team=boot.Team(id=TEAM), model_offset=5))
USERS = webapp.LoadWorkspaceResponse(users=webapp.UserPage(users=[boot.User(id=ALICE), boot.User(id=BOB)]))
CHANNELS = webapp.LoadWorkspaceResponse(
    channels=webapp.ChannelPage(channels=[boot.Channel(id=GENERAL, kind=boot.CHANNEL_KIND_PUBLIC)])
)
TRAILER = webapp.LoadWorkspaceResponse(trailer=webapp.WorkspaceTrailer(user_count=2, channel_count=1))
OTHER_TEAM = webapp.LoadWorkspaceResponse(header=webapp.WorkspaceHeader(team=boot.Team(id="T0000000009")))


def build(*parts: webapp.LoadWorkspaceResponse, limits: ModelLimits | None = None) -> Model:
    """Load a model from parts."""
    builder = ModelBuilder(TEAM, limits or ModelLimits())
    for part in parts:
        builder.take(part)
    return builder.finish()


def test_a_whole_load_gives_a_model() -> None:
    """The header says as of when, the pages what, the trailer that it is all."""
    model = build(HEADER, USERS, CHANNELS, TRAILER)
    assert (model.offset, len(model.users), len(model.channels)) == (5, 2, 1)
    assert [user.id for user in model.users] == [ALICE, BOB]


def test_the_end_of_a_load_can_be_taken_in_pieces() -> None:
    """Whoever loads lets others have their turns between them; each piece is work that finishing need not do."""
    builder = ModelBuilder(TEAM, ModelLimits())
    assert not builder.settle()
    named = webapp.UserPage(users=[boot.User(id=ALICE, name="alice"), boot.User(id=BOB, name="bob")])
    for part in (HEADER, webapp.LoadWorkspaceResponse(users=named), CHANNELS, TRAILER):
        builder.take(part)
    assert [builder.settle(), builder.settle(), builder.settle()] == [True, True, False]
    assert search(Query(prefix="b"), builder.finish().user_names) == [BOB]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], UnavailableError),
        ([HEADER, USERS, CHANNELS], UnavailableError),
        ([USERS], InternalError),
        ([OTHER_TEAM], InternalError),
        ([HEADER, HEADER], InternalError),
        ([HEADER, TRAILER], InternalError),
        ([HEADER, USERS, CHANNELS, TRAILER, USERS], InternalError),
    ],
    ids=["nothing", "no trailer", "no header", "another workspace", "two headers", "wrong counts", "after the trailer"],
)
def test_a_load_that_is_not_whole_is_no_model(
    parts: list[webapp.LoadWorkspaceResponse], expected: type[ParleyError]
) -> None:
    """A broken stream may be tried again; a defect of the sender is named."""
    with pytest.raises(expected):
        build(*parts)


def test_a_part_of_a_kind_yet_unknown_is_passed_over() -> None:
    """A newer webapp may send more than this edge understands."""
    newer = webapp.LoadWorkspaceResponse.FromString(b"\xfa\x01\x00")
    assert len(build(HEADER, USERS, newer, CHANNELS, TRAILER).users) == 2


@pytest.mark.parametrize("limits", [ModelLimits(users_max=1), ModelLimits(channels_max=0)], ids=["users", "channels"])
def test_a_workspace_that_is_too_large_is_refused_with_the_numbers(limits: ModelLimits) -> None:
    """Trying again does not help, and the message says which limit to raise."""
    with pytest.raises(FailedPreconditionError) as refused:
        build(HEADER, USERS, CHANNELS, TRAILER, limits=limits)
    assert refused.value.subject in ("users_max", "channels_max")
    assert refused.value.actual == refused.value.limit + 1


@pytest.mark.parametrize(
    ("offset", "expected", "offset_after"),
    [(4, Applied.KNOWN, 5), (5, Applied.KNOWN, 5), (6, Applied.APPLIED, 6), (7, Applied.GAP, 5), (99, Applied.GAP, 5)],
)
def test_offsets_decide_what_an_event_does(offset: int, expected: Applied, offset_after: int) -> None:
    """The next one is applied, an old one ignored, anything later proves a loss."""
    model = build(HEADER, USERS, CHANNELS, TRAILER)
    change = boot.ModelChange(users=[boot.User(id=ALICE, title="changed", version=offset)])
    assert model.apply(offset, change) is expected
    alice = model.users.get(ALICE)
    assert alice is not None
    assert (model.offset, alice.title) == (offset_after, "changed" if expected is Applied.APPLIED else "")


def test_an_object_newer_than_the_load_is_not_put_back() -> None:
    """Objects are read after the load's offset: an event from in between must not undo what was read."""
    model = Model(boot.Team(id=TEAM), 5)
    model.put(users=[boot.User(id=ALICE, title="seventh", version=7)])
    model.apply(6, boot.ModelChange(users=[boot.User(id=ALICE, title="sixth", version=6)]))
    assert [user.title for user in model.users] == ["seventh"]
    model.apply(7, boot.ModelChange(users=[boot.User(id=ALICE, title="seventh", version=7)]))
    model.apply(8, boot.ModelChange(users=[boot.User(id=ALICE, title="eighth", version=8)]))
    assert [user.title for user in model.users] == ["eighth"]


def test_a_channel_made_private_leaves_the_model() -> None:
    """The model holds what everyone may know."""
    model = build(HEADER, USERS, CHANNELS, TRAILER)
    model.apply(6, boot.ModelChange(channels=[boot.Channel(id=GENERAL, kind=boot.CHANNEL_KIND_PRIVATE, version=6)]))
    assert len(model.channels) == 0
    assert model.channels.get(GENERAL) is None


def test_the_workspace_itself_may_change() -> None:
    """A new name is served from then on."""
    model = build(HEADER, USERS, CHANNELS, TRAILER)
    model.apply(6, boot.ModelChange(team=boot.Team(id=TEAM, name="Renamed")))
    assert model.team.name == "Renamed"


def test_bytes_follow_what_is_held() -> None:
    """The estimate counts replacing and removing; beside the tables nothing is left of what is gone."""
    model = Model(boot.Team(id=TEAM), 0)
    user = boot.User(id=ALICE, name="alice", title="x" * 100)
    channel = boot.Channel(id=GENERAL, name="general", kind=boot.CHANNEL_KIND_PUBLIC)
    model.put(users=[user], channels=[channel])
    held = model.bytes
    assert user.ByteSize() + channel.ByteSize() < held < 4000
    model.put(users=[user], channels=[channel])
    assert model.bytes == held
    model.put(users=[boot.User(id=ALICE, name="alice", title="x" * 1100)])
    assert 980 <= model.bytes - held <= 1030
    model.users.remove(ALICE)
    model.users.remove(ALICE)
    assert model.bytes < held - 100
    assert list(model.users) == []


def test_an_object_without_an_id_is_a_defect_of_the_sender() -> None:
    """Nothing can be found by such an id, and nobody would ask for it."""
    with pytest.raises(InternalError):
        Model(boot.Team(id=TEAM), 0).put(users=[boot.User(id="alice")])


def test_names_follow_the_model() -> None:
    """Renamed, deactivated, archived, made private, or older than what is held: search sees the same as get."""
    model = Model(boot.Team(id=TEAM), 5)
    public = boot.CHANNEL_KIND_PUBLIC

    def found(prefix: str) -> list[str]:
        return search(Query(prefix=prefix), model.user_names, model.channel_names)

    model.put(
        users=[boot.User(id=ALICE, name="alice", real_name="Alice Liddell", version=7)],
        channels=[boot.Channel(id=GENERAL, name="all-lids", kind=public)],
    )
    assert (found("al"), found("lid")) == ([ALICE, GENERAL], [GENERAL, ALICE])
    model.apply(6, boot.ModelChange(users=[boot.User(id=ALICE, name="older", version=6)]))
    assert (found("older"), found("lidd")) == ([], [ALICE])
    model.apply(7, boot.ModelChange(channels=[boot.Channel(id=GENERAL, name="lids", kind=public, is_archived=True)]))
    model.apply(8, boot.ModelChange(users=[boot.User(id=ALICE, name="carroll", version=8)]))
    assert (found("li"), found("carr")) == ([], [ALICE])
    model.apply(9, boot.ModelChange(users=[boot.User(id=ALICE, name="carroll", version=9, deleted=True)]))
    private = boot.Channel(id=GENERAL, name="lids", kind=boot.CHANNEL_KIND_PRIVATE, version=10)
    model.apply(10, boot.ModelChange(channels=[private]))
    assert found("carr") == []
    everything = Query(prefix="lids", inactive=True)
    assert search(everything, model.user_names, model.channel_names) == []


CHANGES = st.lists(
    st.tuples(st.sampled_from(["user", "channel", "private", "nothing"]), st.integers(0, 3)), min_size=1, max_size=12
)


def commit(world: World, kind: str, number: int) -> None:
    """Commit one random change."""
    if kind == "user":
        world.user(f"U000000000{number}", title=f"at {world.head}")
    elif kind == "nothing":
        world.nothing()
    else:
        public = kind == "channel"
        channel_kind = boot.CHANNEL_KIND_PUBLIC if public else boot.CHANNEL_KIND_PRIVATE
        world.channel(f"C000000000{number}", topic=f"at {world.head}", kind=channel_kind)


@settings(deadline=None)
@given(before=CHANGES, during=CHANGES, after=CHANGES, repeat_from=st.integers(0, 20))
def test_a_load_and_the_events_after_it_give_the_truth(
    before: list[tuple[str, int]], during: list[tuple[str, int]], after: list[tuple[str, int]], repeat_from: int
) -> None:
    """Whatever is committed between the header and the pages, and however often events are repeated."""
    world = World()
    for change in before:
        commit(world, *change)
    builder = ModelBuilder(TEAM, ModelLimits())
    builder.take(world.parts()[0])
    for change in during:
        commit(world, *change)
    for part in world.parts()[1:]:
        builder.take(part)
    model = builder.finish()
    for change in after:
        commit(world, *change)
    for event in [*world.log, *world.log[repeat_from:]]:
        assert model.apply(event.offset, event.model_change) is not Applied.GAP
    assert model.offset == world.head
    assert {user.id: user for user in model.users} == world.users
    assert {channel.id: channel for channel in model.channels} == world.public_channels()


@given(offsets=st.lists(st.integers(1, 8), max_size=20))
def test_a_model_never_skips_an_event(offsets: list[int]) -> None:
    """In whatever order offsets come, the model's own grows by one at a time, and a gap is always told."""
    model = Model(boot.Team(id=TEAM), 0)
    for offset in offsets:
        before = model.offset
        applied = model.apply(offset, None)
        assert (applied is Applied.GAP) == (offset > before + 1)
        assert model.offset == (offset if applied is Applied.APPLIED else before)


def test_versions_are_known_without_parsing() -> None:
    """An object that never changed has version 0; a stranger has none."""
    model = build(HEADER, USERS, CHANNELS, TRAILER)
    assert model.channels.version(RANDOM) is None
    assert model.channels.version(GENERAL) == 0
