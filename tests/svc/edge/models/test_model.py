"""A workspace's model: what changes it, and that it ends up right whatever happens during a load."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.models.builder import ModelBuilder
from svc.edge.models.changes import History
from svc.edge.models.model import Applied, Model
from svc.edge.models.names import Query, search
from svc.edge.models.numbers import number_of
from svc.kit.errors import InternalError
from tests.svc.edge.loads import CHANNELS, EMOJI, HEADER, TRAILER, USERS, build
from tests.svc.edge.twins import ALICE, GENERAL, RANDOM, TEAM, World


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


def test_emoji_are_added_changed_and_removed() -> None:
    """Whoever has the version of the last change has them all; another change of the model leaves it alone."""
    model = build(
        HEADER, USERS, CHANNELS, EMOJI, webapp.LoadWorkspaceResponse(trailer=webapp.WorkspaceTrailer(
            user_count=2, channel_count=1, emoji_count=1
        ))
    )  # fmt: skip
    first = model.emoji.since(0)
    assert ([each.name for each in first.emoji], first.version, first.is_unchanged) == (["shipit"], 5, False)
    before = model.bytes
    model.apply(6, boot.ModelChange(emoji=[boot.Emoji(name="aha", value="https://e/3" * 20)]))
    assert model.bytes > before + 220
    model.apply(7, boot.ModelChange(users=[boot.User(id=ALICE, version=7)]))
    second = model.emoji.since(first.version)
    assert ([each.name for each in second.emoji], second.version) == (["aha", "shipit"], 6)
    assert model.emoji.since(6).is_unchanged
    assert not model.emoji.since(6).emoji
    changed = boot.ModelChange(emoji=[boot.Emoji(name="shipit", value="alias:aha")], removed_emoji=["aha", "never"])
    model.apply(8, changed)
    assert [(each.name, each.value) for each in model.emoji.since(6).emoji] == [("shipit", "alias:aha")]
    assert len(model.emoji) == 1


def test_what_changed_since_an_offset_is_told_as_long_as_it_is_known() -> None:
    """Each id once; nothing about an offset yet to come, or one before what the model knows."""
    model = Model(boot.Team(id=TEAM), 5)
    model.apply(6, boot.ModelChange(users=[boot.User(id=ALICE, version=6)]))
    model.apply(7, None)
    general = boot.Channel(id=GENERAL, kind=boot.CHANNEL_KIND_PUBLIC, version=8)
    model.apply(8, boot.ModelChange(channels=[general], users=[boot.User(id=ALICE, version=8)]))
    expected: dict[int, tuple[str, ...] | None] = {
        4: None, 5: (ALICE, GENERAL), 6: (ALICE, GENERAL), 7: (ALICE, GENERAL), 8: (), 9: None,
    }  # fmt: skip
    assert {since: model.changes_since(since) for since in expected} == expected
    private = boot.Channel(id=GENERAL, kind=boot.CHANNEL_KIND_PRIVATE, version=9)
    secret = boot.Channel(id=RANDOM, kind=boot.CHANNEL_KIND_PRIVATE, version=9)
    model.apply(9, boot.ModelChange(channels=[private, secret]))
    assert model.changes_since(8) == (GENERAL,), "who was never public is not told of"


def remember(model: Model, users: list[boot.User]) -> None:
    """Load users into a model."""
    model.put(users=users)
    history = History()
    for user in users:
        history.note(user.version, number_of(user.id) or 0)
    model.remember(history)


def test_a_fresh_model_knows_by_versions_what_changed_before_it() -> None:
    """So an edge that took over answers deltas; what changed after its offset is told when its event comes."""
    model = Model(boot.Team(id=TEAM), 50)
    users = [boot.User(id=f"U{number:010}", version=number) for number in range(10)]
    remember(model, [*users, boot.User(id=ALICE, version=52)])
    assert model.changes_since(0) == (*(user.id for user in users if user.version and user.id != ALICE), ALICE)
    assert model.changes_since(7) == (users[8].id, users[9].id, ALICE)
    assert model.changes_since(50) == ()
    model.apply(51, boot.ModelChange(users=[boot.User(id=ALICE, version=51)]))
    assert model.changes_since(50) == (ALICE,)


def test_what_a_model_knows_of_changes_is_bounded() -> None:
    """A thousand ids in an answer, some thousands of changes before a load, twenty thousand after it."""
    model = Model(boot.Team(id=TEAM), 4000)
    people = [boot.User(id=f"U{number:010}", version=number) for number in range(1, 3001)]
    remember(model, people)
    assert model.changes_since(1999) is None
    assert model.changes_since(999) is None
    assert len(model.changes_since(2000) or ()) == 1000
    bytes_before = model.bytes
    for offset in range(4001, 34001):
        model.apply(offset, boot.ModelChange(users=[boot.User(id=people[offset % 900].id, version=offset)]))
    assert model.bytes - bytes_before < 400_000
    assert model.changes_since(13_000) is None
    assert len(model.changes_since(14_000) or ()) == 900
    assert model.changes_since(33_999) == (people[34_000 % 900].id,)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["user", "channel", "private", "emoji", "no emoji", "nothing"]), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


def commit(world: World, kind: str, number: int) -> None:
    """Commit one random change."""
    if kind == "user":
        world.user(f"U000000000{number}", title=f"at {world.head}")
    elif kind == "nothing":
        world.nothing()
    elif kind == "emoji":
        world.put_emoji(f"emoji-{number}", f"https://e/{world.head}")
    elif kind == "no emoji":
        world.remove_emoji(f"emoji-{number}")
    else:
        public = kind == "channel"
        channel_kind = boot.CHANNEL_KIND_PUBLIC if public else boot.CHANNEL_KIND_PRIVATE
        world.channel(f"C000000000{number}", topic=f"at {world.head}", kind=channel_kind)


@settings(deadline=None)
@given(before=CHANGES, during=CHANGES, after=CHANGES, repeat_from=st.integers(0, 20), behind=st.integers(0, 3))
def test_a_load_and_the_events_after_it_give_the_truth(
    before: list[tuple[str, int]],
    during: list[tuple[str, int]],
    after: list[tuple[str, int]],
    repeat_from: int,
    behind: int,
) -> None:
    """Whatever is committed between the header and the pages, however far versions lag behind their events, and
    however often events are repeated. And every change since an offset that a model knows of is told.
    """
    world = World()
    for change in before:
        commit(world, *change)
    builder = ModelBuilder(TEAM, ModelLimits())
    builder.take(world.parts()[0])
    for change in during:
        commit(world, *change)
    for part in world.parts(behind=behind)[1:]:
        builder.take(part)
    builder.put_over(world.changes(max(0, builder.offset - 4), 4))
    model = builder.finish()
    for change in after:
        commit(world, *change)
    for event in [*world.log, *world.log[repeat_from:]]:
        assert model.apply(event.offset, event.model_change) is not Applied.GAP
    assert model.offset == world.head
    assert {user.id: user for user in model.users} == world.users
    assert {channel.id: channel for channel in model.channels} == world.public_channels()
    assert {each.name: each for each in model.emoji.since(0).emoji} == world.emoji
    for since in range(world.head + 1):
        told = model.changes_since(since)
        changed = {each.id for each in (*model.users, *model.channels) if each.version > since}
        assert told is None or changed <= set(told)


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
