"""The edge over real gRPC, loading from a real gRPC twin of the webapp."""

from __future__ import annotations

import asyncio
from typing import Any

from discovery.ring import Member, Ring
from parley.edge.v1 import edge_service_pb2 as pb
from svc.kit.errors import (
    InvalidArgumentError,
    NotFoundError,
    NotOwnerError,
    ResourceExhaustedError,
    UnavailableError,
)
from tests.svc.edge.served import Town, town
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM


async def test_a_boot_is_answered_from_one_load_and_the_events_after_it() -> None:
    """A hundred boots at once cost the webapp one load; a change is in the next boot without another."""
    async with town() as here:
        boots = await asyncio.gather(*(here.boot() for _ in range(100)))
        assert all(boot.self.title == "first" and boot.user_count == 2 for boot in boots)
        here.world.user(ALICE, "second")
        here.world.channel(RANDOM)
        here.feed.pump()
        boot = await here.boot()
        assert (boot.self.title, boot.model_offset) == ("second", 5)
        assert [channel.id for channel in boot.channels] == [GENERAL, RANDOM]
        assert here.webapp.loads == 1


async def test_boots_asked_together_are_answered_as_each_alone() -> None:
    """One load; a stranger and a malformed one are refused by their places, and nobody else."""
    async with town() as here:
        wanted = [
            pb.BootRequest(team_id=TEAM, user_id=user_id, channel_ids=[GENERAL], since_model_offset=since)
            for user_id in (ALICE, "U0000000009", BOB, "nobody")
            for since in (0, 2)
        ]
        answer = await here.stub.BootMany(pb.BootManyRequest(boots=wanted), timeout=5)
        assert list(answer.refused) == [2, 3, 6, 7]
        for place, request in enumerate(wanted):
            if place not in answer.refused:
                assert answer.boots[place] == await here.stub.Boot(request, timeout=5)
        assert len(answer.boots) == len(wanted)
        assert here.webapp.loads == 1


async def test_objects_come_by_id_and_version() -> None:
    """What the caller has is left out; what the workspace has not is named."""
    async with town() as here:
        wanted = [
            pb.KnownObject(id=ALICE, version=1, held=True),
            pb.KnownObject(id=BOB, version=1, held=True),
            pb.KnownObject(id=GENERAL),
            pb.KnownObject(id=RANDOM),
        ]
        response = await here.stub.GetObjects(pb.GetObjectsRequest(team_id=TEAM, objects=wanted), timeout=5)
        assert [user.id for user in response.users] == [BOB]
        assert [channel.id for channel in response.channels] == [GENERAL]
        assert list(response.unknown_ids) == [RANDOM]


async def test_the_model_is_described_once_it_is_held() -> None:
    """Asking for its numbers does not load it."""
    async with town() as here:
        asked = pb.GetModelInfoRequest(team_id=TEAM)
        assert isinstance(await here.refusal(here.stub.GetModelInfo(asked, timeout=5)), NotFoundError)
        await here.boot()
        info = await here.stub.GetModelInfo(asked, timeout=5)
        assert (info.model_offset, info.user_count, info.channel_count, info.load_count) == (3, 2, 1, 1)
        assert (info.emoji_count, info.followed_count) == (0, 4)
        assert info.model_bytes > 500


async def test_another_edges_workspace_is_refused_with_the_ring() -> None:
    """All calls answer NOT_OWNER, so that the caller looks at its own ring again."""
    async with town() as here:
        here.ownership.ring = Ring([Member("edge-2")])
        calls = [
            here.boot(),
            here.stub.BootMany(pb.BootManyRequest(boots=[pb.BootRequest(team_id=TEAM, user_id=ALICE)] * 2), timeout=5),
            here.stub.GetObjects(pb.GetObjectsRequest(team_id=TEAM), timeout=5),
            here.stub.GetModelInfo(pb.GetModelInfoRequest(team_id=TEAM), timeout=5),
            here.found("a"),
            here.stub.ListMembers(pb.ListMembersRequest(team_id=TEAM, user_id=ALICE, channel_id=GENERAL), timeout=5),
            here.stub.ListEmoji(pb.ListEmojiRequest(team_id=TEAM), timeout=5),
            here.stub.ReadModel(pb.ReadModelRequest(team_id=TEAM), timeout=5).read(),
        ]
        for call in calls:
            error = await here.refusal(call)
            assert isinstance(error, NotOwnerError)
            assert error.ring_fingerprint == here.ownership.ring.fingerprint
        assert here.webapp.loads == 0


async def test_a_webapp_that_fails_for_a_moment_is_not_noticed() -> None:
    """The load is tried again within its time; only when that is over the caller hears of it."""
    async with town() as here:
        here.webapp.failures = [UnavailableError("restarting")]
        assert (await here.boot()).self.title == "first"
    async with town() as here:
        here.webapp.failures = [UnavailableError("down")] * 1000
        assert isinstance(await here.refusal(here.boot()), UnavailableError)


async def test_a_load_goes_on_where_it_broke() -> None:
    """The next call names the place; nobody sees it."""
    async with town() as here:
        here.webapp.cut_after = 2
        assert [channel.id for channel in (await here.boot()).channels] == [GENERAL]
        assert (here.webapp.loads, here.webapp.resumed) == (2, 1)


async def test_a_boot_tells_how_far_conversations_have_come_and_what_changed() -> None:
    """Activities in the order asked; a delta to who booted before."""
    async with town() as here:
        boot = await here.boot()
        assert [(each.channel_id, each.head_offset) for each in boot.activities] == [(GENERAL, 0), (RANDOM, 1)]
        assert not boot.is_delta
        here.world.user(BOB, "second")
        here.feed.pump()
        delta = await here.boot(since_model_offset=boot.model_offset, user_ids=[ALICE, BOB])
        assert (delta.is_delta, list(delta.changed_ids), delta.HasField("team")) == (True, [BOB], False)
        assert [user.title for user in delta.users] == ["second"]
        assert not delta.channels


async def test_a_search_ranks_those_first_whom_the_last_boot_named() -> None:
    """Or the search itself; a leading @ or # is passed over."""
    async with town() as here:
        await here.boot()
        assert await here.found("@u") == [ALICE, BOB]
        assert await here.found("#c", kinds=[pb.OBJECT_KIND_CHANNEL]) == [GENERAL]
        await here.boot(near_ids=[BOB])
        assert await here.found("u") == [BOB, ALICE]
        assert await here.found("u", near_ids=[ALICE]) == [ALICE, BOB]
        assert await here.found("u", limit=1, kinds=[pb.OBJECT_KIND_USER]) == [BOB]


async def test_members_are_asked_for_with_whether_the_channel_is_public() -> None:
    """Of a public channel anyone of the workspace may ask; a stranger not."""
    async with town() as here:

        def members(user_id: str, channel_id: str, **fields: Any) -> Any:
            request = pb.ListMembersRequest(team_id=TEAM, user_id=user_id, channel_id=channel_id, **fields)
            return here.stub.ListMembers(request, timeout=5)

        page = await members(ALICE, GENERAL, after_user_id=BOB)
        assert (list(page.user_ids), page.total_count) == ([BOB, ALICE], 200)
        assert isinstance(await here.refusal(members(ALICE, "G0000000001")), NotFoundError)
        assert isinstance(await here.refusal(members("U0000000009", GENERAL)), NotFoundError)


async def test_emoji_cost_nothing_to_who_has_them() -> None:
    """By the version of the last answer."""
    async with town() as here:
        here.world.put_emoji("tada", "https://e/1")
        first = await here.stub.ListEmoji(pb.ListEmojiRequest(team_id=TEAM), timeout=5)
        assert [(each.name, each.value) for each in first.emoji] == [("tada", "https://e/1")]
        again = await here.stub.ListEmoji(pb.ListEmojiRequest(team_id=TEAM, version=first.version), timeout=5)
        assert (again.is_unchanged, len(again.emoji)) == (True, 0)
        here.world.remove_emoji("tada")
        here.feed.pump()
        last = await here.stub.ListEmoji(pb.ListEmojiRequest(team_id=TEAM, version=first.version), timeout=5)
        assert (last.is_unchanged, len(last.emoji), last.version) == (False, 0, 5)


async def idle(here: Town) -> None:
    """Wait until no model is being sent."""
    async with asyncio.timeout(1):
        while here.servicer.readings:
            await asyncio.sleep(0.001)


async def test_a_whole_model_is_streamed_to_so_many_at_once() -> None:
    """One more is told when to come again; who goes away in the middle makes room."""
    async with town() as here:
        asked = pb.ReadModelRequest(team_id=TEAM)
        parts = [part async for part in here.stub.ReadModel(asked, timeout=5)]
        assert (parts[0].team.name, parts[0].model_offset) == ("Acme", 3)
        assert [user.id for part in parts for user in part.users] == [ALICE, BOB]
        assert [channel.id for part in parts for channel in part.channels] == [GENERAL]
        await idle(here)
        for number in range(10, 2000):
            here.world.user(f"U{number:010}", "x" * 5_000)
        here.feed.pump()
        for _ in range(3):
            call = here.stub.ReadModel(asked, timeout=5)
            assert (await call.read()).team.name == "Acme"
            assert here.servicer.readings == 1
            call.cancel()
            await idle(here)
        here.servicer.readings = 2
        error = await here.refusal(here.stub.ReadModel(asked, timeout=5).read())
        assert isinstance(error, ResourceExhaustedError)
        assert (error.limit, error.actual, error.retry_after_s) == (2, 3, 1.0)


async def test_a_workspace_whose_changes_are_not_heard_is_unavailable() -> None:
    """At once, so that the caller does without the edge."""
    async with town() as here:
        await here.boot()
        here.freshness.doubted.add(TEAM)
        for call in (here.boot(), here.found("a"), here.stub.ListEmoji(pb.ListEmojiRequest(team_id=TEAM), timeout=5)):
            assert isinstance(await here.refusal(call), UnavailableError)
        here.freshness.doubted.clear()
        assert (await here.boot()).self.id == ALICE
        assert here.webapp.loads == 1


async def test_bad_requests_say_what_is_wrong() -> None:
    """Ids of other things, strangers, and more objects than allowed."""
    async with town() as here:
        wrong = [
            (here.boot(team_id="acme"), InvalidArgumentError),
            (here.boot(user_id=""), InvalidArgumentError),
            (here.boot(user_id="U0000000009"), NotFoundError),
            (here.boot(team_id="T0000000009"), NotFoundError),
            (here.stub.BootMany(pb.BootManyRequest(), timeout=5), InvalidArgumentError),
            (
                here.stub.BootMany(
                    pb.BootManyRequest(boots=[pb.BootRequest(team_id=TEAM), pb.BootRequest(team_id="T0000000002")]),
                    timeout=5,
                ),
                InvalidArgumentError,
            ),
            (
                here.stub.BootMany(pb.BootManyRequest(boots=[pb.BootRequest(team_id=TEAM)] * 65), timeout=5),
                InvalidArgumentError,
            ),
            (
                here.stub.GetObjects(
                    pb.GetObjectsRequest(team_id=TEAM, objects=[pb.KnownObject(id=ALICE)] * 501), timeout=5
                ),
                InvalidArgumentError,
            ),
        ]
        for call, expected in wrong:
            assert type(await here.refusal(call)) is expected
