"""The gRPC face over a real server and real MariaDB: what gateways and edges ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
import pytest_asyncio

from parley.event.v1 import event_pb2
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.kit.config import InstanceConfig
from svc.kit.errors import InvalidArgumentError, NotFoundError, from_rpc_error
from svc.kit.ids import us_from_ts
from svc.kit.rpc import rpc_server
from svc.webapp import loading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import RateLimited
from svc.webapp.gate import Gate
from svc.webapp.limits.limiter import Unlimited
from svc.webapp.limits.tiers import Tier
from svc.webapp.servicer import webapp_service
from svc.webapp.store.rows import Emoji
from tests.svc.webapp.api.office import Office, Someone, office

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Office, Any]]:
    """An office, and a stub of its gRPC service."""
    async with office(tmp_path_factory.mktemp("office")) as here:
        instance = InstanceConfig(secret="a secret for these tests alone")
        async with rpc_server(instance, [webapp_service(here.services, Gate())]) as server:
            async with grpc.aio.insecure_channel(server.address) as channel:
                yield here, WebappServiceStub(channel)


def message(who: Someone, channel: str, text: str, **more: Any) -> pb.PostMessageRequest:
    return pb.PostMessageRequest(
        team_id=who.user.team_id, user_id=who.id, bot_id=who.user.bot_id, channel_id=channel, text=text, **more
    )


async def test_a_session_follows_its_conversations_its_workspace_and_itself(served: tuple[Office, Any]) -> None:
    """Each with the head from which it goes on; nobody else's private conversations."""
    acme, stub = served
    ada = acme["ada"]
    private = (await ada.ok("conversations.create", name="closed", is_private="1"))["channel"]["id"]
    answer = await stub.ListSubscriptions(pb.ListSubscriptionsRequest(team_id=ada.user.team_id, user_id=ada.id))
    heads = {position.channel_id: position.offset for position in answer.heads}
    assert {ada.id, ada.user.team_id, acme.general, private} <= heads.keys()
    assert all(offset > 0 for offset in heads.values())
    grace = acme["grace"]
    others = await stub.ListSubscriptions(pb.ListSubscriptionsRequest(team_id=grace.user.team_id, user_id=grace.id))
    assert private not in {position.channel_id for position in others.heads}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListSubscriptions(pb.ListSubscriptionsRequest(team_id="T0000000000", user_id=ada.id))
    assert isinstance(from_rpc_error(caught.value), NotFoundError)


class Counted(Unlimited):
    """Limits that let one call of each caller and place pass."""

    def __init__(self) -> None:
        self.seen: list[tuple[Tier, str, str, str]] = []

    async def check(self, tier: Tier, method: str, caller: Caller, reference: str = "") -> None:
        call = (tier, method, caller.app_id or caller.user_id, reference)
        self.seen.append(call)
        if self.seen.count(call) > 1:
            raise RateLimited(3.0)


async def test_posts_over_sockets_count_as_posts(served: tuple[Office, Any]) -> None:
    """To the limits of chat.postMessage: an app's with its calls, a person's by themselves; refused is not stored."""
    acme, _ = served
    ada, helper, limits = acme["ada"], acme["helper"], Counted()
    services = replace(acme.services, limits=limits)
    instance = InstanceConfig(secret="a secret for these tests alone")
    async with rpc_server(instance, [webapp_service(services, Gate())]) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub: Any = WebappServiceStub(channel)
            for who in (ada, helper):
                assert (await stub.PostMessage(message(who, acme.general, "once"))).error == ""
                before = len(acme.payloads(acme.general))
                assert (await stub.PostMessage(message(who, acme.general, "again"))).error == "ratelimited"
                assert len(acme.payloads(acme.general)) == before
    owners = [ada.id, helper.user.app_id or helper.id]
    assert limits.seen == [
        (Tier.POSTING, "chat.postMessage", owner, acme.general) for owner in owners for _ in range(2)
    ]


async def test_a_post_over_a_socket_obeys_the_same_rules(served: tuple[Office, Any]) -> None:
    """Refusals are answers with the Web API's code; the event names the connection that it came from."""
    acme, stub = served
    helper = acme["helper"]
    posted = await stub.PostMessage(message(helper, acme.general, "by socket", origin_connection_id="c-1"))
    assert (posted.error, posted.text) == ("", "by socket")
    event = acme.events[-1]
    assert (event.channel_id, event.offset, event.origin_connection_id) == (acme.general, posted.offset, "c-1")
    assert acme.payloads(acme.general)[-1]["bot_profile"]["name"] == "helper"
    for text, channel, code in (
        ("", acme.general, "no_text"),
        ("x" * 4001, acme.general, "msg_too_long"),
        ("x", "C0000000000", "channel_not_found"),
        ("x", "", "channel_not_found"),
    ):
        assert (await stub.PostMessage(message(helper, channel, text))).error == code
    odd = await stub.PostMessage(message(helper, acme.general, "x", thread_ts="soon"))
    assert odd.error == "cannot_reply_to_message"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.PostMessage(pb.PostMessageRequest(channel_id=acme.general, text="x"))
    assert isinstance(from_rpc_error(caught.value), InvalidArgumentError)


async def test_a_repeated_post_is_the_same_message(served: tuple[Office, Any]) -> None:
    """A gateway may ask again when it heard no answer."""
    acme, stub = served
    request = message(acme["ada"], acme.general, "once", client_msg_id="key-1")
    first, second = await stub.PostMessage(request), await stub.PostMessage(request)
    assert (first.ts, first.offset) == (second.ts, second.offset)


async def test_the_log_is_read_after_an_offset_without_a_hole(served: tuple[Office, Any]) -> None:
    """In the order asked for, with the head to go on to; unknown channels are empty."""
    acme, stub = served
    for number in range(3):
        await acme["ada"].ok("chat.postMessage", channel=acme.general, text=str(number))
    heads = await stub.ReadHeads(pb.ReadHeadsRequest(channel_ids=[acme.general, "C0000000000"]))
    assert [position.channel_id for position in heads.heads] == [acme.general]
    head = heads.heads[0].offset
    after = [
        event_pb2.ChannelPosition(channel_id="C0000000000", offset=0),
        event_pb2.ChannelPosition(channel_id=acme.general, offset=head - 3),
    ]
    answer = await stub.ReadLog(pb.ReadLogRequest(after=after, limit=2))
    assert [log.channel_id for log in answer.logs] == ["C0000000000", acme.general]
    assert not answer.logs[0].events
    assert [event.offset for event in answer.logs[1].events] == [head - 2, head - 1]
    assert (answer.logs[1].head_offset, answer.logs[1].truncated) == (head, False)
    for request in (pb.ReadLogRequest(limit=1001), pb.ReadLogRequest(after=[after[0]] * 257)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ReadLog(request)
        assert isinstance(from_rpc_error(caught.value), InvalidArgumentError)


async def test_a_workspaces_model_is_streamed_whole(served: tuple[Office, Any]) -> None:
    """Header, users, public channels, emoji, trailer; private conversations are no part of it."""
    acme, stub = served
    team_id = acme["ada"].user.team_id
    rows = [Emoji(team_id, "party", "https://example.org/p.gif"), Emoji(team_id, "fest", "alias:party")]
    await acme.services.workspaces.put_emoji([*rows, Emoji(team_id, "gone", "")])
    parts = [part async for part in stub.LoadWorkspace(pb.LoadWorkspaceRequest(team_id=team_id))]
    kinds = [part.WhichOneof("part") for part in parts]
    assert (kinds[0], kinds[-1]) == ("header", "trailer")
    assert parts[0].header.team.domain == "acme"
    assert parts[0].header.model_offset > 0
    users = [user.name for part in parts for user in part.users.users]
    assert sorted(users) == ["ada", "grace", "helper", "linus"]
    channels = [channel.name for part in parts for channel in part.channels.channels]
    assert "general" in channels
    assert "closed" not in channels
    emoji = [(each.name, each.value) for part in parts for each in part.emoji.emoji]
    assert emoji == [("fest", "alias:party"), ("party", "https://example.org/p.gif")]
    trailer = parts[-1].trailer
    assert (trailer.user_count, trailer.channel_count, trailer.emoji_count) == (len(users), len(channels), 2)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.LoadWorkspace(pb.LoadWorkspaceRequest(team_id="T0000000000")).read()
    assert isinstance(from_rpc_error(caught.value), NotFoundError)


async def test_a_load_goes_on_where_it_broke_off(served: tuple[Office, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a header in any case; what is asked for again and what was received are the whole, each once."""
    acme, stub = served
    monkeypatch.setattr(loading, "MODEL_PAGE", 2)
    team_id = acme["ada"].user.team_id
    for name in ("one", "two", "three"):
        await acme["ada"].ok("conversations.create", name=f"resumed-{name}")
    request = pb.LoadWorkspaceRequest(team_id=team_id)
    whole = [part async for part in stub.LoadWorkspace(request)]
    assert [part.WhichOneof("part") for part in whole].count("users") == 2
    for broken_after in range(len(whole) - 1):
        place = pb.LoadPlace()
        for part in whole[: broken_after + 1]:
            match part.WhichOneof("part"):
                case "users":
                    place.after_user_id = part.users.users[-1].id
                case "channels":
                    place.has_users, place.after_channel_id = True, part.channels.channels[-1].id
                case "emoji":
                    place.has_users = place.has_channels = True
        resumed = [part async for part in stub.LoadWorkspace(pb.LoadWorkspaceRequest(team_id=team_id, resume=place))]
        assert resumed[0].header.model_offset == whole[0].header.model_offset
        is_emoji = whole[broken_after].WhichOneof("part") == "emoji"
        expected = whole[1:] if broken_after == 0 else whole[broken_after + 1 :]
        expected = [part for part in whole if part.WhichOneof("part") == "emoji"] + whole[-1:] if is_emoji else expected
        assert resumed[1:-1] == expected[:-1]
        assert resumed[-1].trailer.user_count == sum(len(part.users.users) for part in resumed)


async def test_members_are_streamed_by_page(served: tuple[Office, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the offset from which on changes apply; a conversation of another workspace is not found."""
    acme, stub = served
    ada = acme["ada"]
    monkeypatch.setattr(loading, "MEMBERS_PAGE", 2)
    request = pb.ListMembersRequest(team_id=ada.user.team_id, channel_id=acme.general)
    parts = [part async for part in stub.ListMembers(request)]
    everybody = sorted(someone.id for someone in acme.people.values())
    assert [len(part.user_ids) for part in parts] == [2, 2]
    assert [user_id for part in parts for user_id in part.user_ids] == everybody
    [position] = (await stub.ReadHeads(pb.ReadHeadsRequest(channel_ids=[acme.general]))).heads
    assert [part.head_offset for part in parts] == [position.offset, 0]
    for team_id, channel_id in (
        ("T0000000000", acme.general),
        (ada.user.team_id, "C0000000000"),
        (ada.user.team_id, ada.user.team_id),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ListMembers(pb.ListMembersRequest(team_id=team_id, channel_id=channel_id)).read()
        assert isinstance(from_rpc_error(caught.value), NotFoundError)


async def test_activity_tells_how_far_channels_have_come(served: tuple[Office, Any]) -> None:
    """All that were asked for, in order; the newest message is one that is to be read."""
    acme, stub = served
    posted = await stub.PostMessage(message(acme["ada"], acme.general, "to be read"))
    await stub.PostMessage(message(acme["ada"], acme.general, "in the thread", thread_ts=posted.ts))
    ids = ["C0000000000", acme.general, "nonsense", acme["ada"].user.team_id]
    answer = await stub.ReadActivity(pb.ReadActivityRequest(channel_ids=ids))
    assert [each.channel_id for each in answer.activities] == ids
    unknown, general, odd, team = answer.activities
    assert (unknown.head_offset, odd.head_offset) == (0, 0)
    # The reply, and what its thread has become.
    assert (general.head_offset, general.latest_message_ts_us) == (posted.offset + 2, us_from_ts(posted.ts))
    assert (team.head_offset > 0, team.latest_message_ts_us) == (True, 0)
    assert not (await stub.ReadActivity(pb.ReadActivityRequest())).activities
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ReadActivity(pb.ReadActivityRequest(channel_ids=["C0000000000"] * 4_097))
    assert isinstance(from_rpc_error(caught.value), InvalidArgumentError)


async def test_who_is_away_by_hand_is_told_with_the_subscriptions(served: tuple[Office, Any]) -> None:
    """As of the user's own channel, whatever is cached."""
    acme, stub = served
    grace = acme["grace"]
    request = pb.ListSubscriptionsRequest(team_id=grace.user.team_id, user_id=grace.id)
    for presence, is_away in (("auto", False), ("away", True), ("auto", False)):
        await grace.ok("users.setPresence", presence=presence)
        assert (await stub.ListSubscriptions(request)).is_away_by_hand is is_away
