"""Processes die, join and come back; people notice nothing, or little and for a short time."""

from __future__ import annotations

import asyncio
import signal
import time
from functools import partial
from pathlib import Path

import grpc
import pytest

from discovery.ring import Member, Ring
from parley.webapp.v1 import webapp_service_pb2 as webapp_pb2
from parley.webapp.v1 import webapp_service_pb2_grpc as webapp_grpc
from tests.mesh.people import Json, Socket
from tests.mesh.towns import Town, town

pytestmark = pytest.mark.mesh

RESUBSCRIBED = "parley_feed_resubscribed_channels_total"


async def channels_with(there: Town, count: int, *names: str) -> list[str]:
    """Make channels with these members."""
    made = []
    for number in range(count):
        channel = (await there["ada"].ok("conversations.create", name=f"c{number}-{time.time_ns()}"))["channel"]["id"]
        await there["ada"].ok("conversations.invite", channel=channel, users=",".join(there[n].user_id for n in names))
        made.append(channel)
    return made


async def owners(there: Town, channels: list[str]) -> dict[str, str]:
    """Return which channel server (by name) owns each channel, by the ring that Consul gives now."""
    listed = [each for each in await there.mesh.instances("channel") if each.health == "passing"]
    names = {each.instance.id: each.name for each in listed}
    ring = Ring(tuple(Member(each.instance.id) for each in listed))
    return {channel: names[ring.owner(channel)] for channel in channels}


def is_text(channel: str, text: str, event: Json) -> bool:
    """Tell whether an event is this message in this channel."""
    return event.get("channel") == channel and event.get("text") == text


async def deliver_all(there: Town, socket: Socket, channels: list[str], text: str, within_s: float) -> float:
    """Post to every channel and return how long it took until the socket had all of them."""
    began = time.monotonic()
    await asyncio.gather(*(there["ada"].post(channel, text) for channel in channels))
    for channel in channels:
        await socket.wait_for(partial(is_text, channel, text), within_s)
    return time.monotonic() - began


async def test_a_killed_channel_server_is_replaced_within_three_seconds(tmp_path: Path) -> None:
    """Its channels deliver again with nothing restarted, and nothing that was acknowledged is missing or doubled."""
    async with town(tmp_path / "var") as there:
        channels = await channels_with(there, 12, "grace")
        async with there["grace"].connected() as socket:
            await deliver_all(there, socket, channels, "before", 5)
            before = await owners(there, channels)
            victim = next(iter(before.values()))
            assert len(set(before.values())) == 2, "both servers must own some for the test to mean anything"
            await there.mesh.kill(victim)
            assert await deliver_all(there, socket, channels, "after", 3) <= 3.0
            for channel in channels:
                assert [t for t in socket.texts(channel) if t in ("before", "after")] == ["before", "after"]


async def test_a_joining_channel_server_takes_its_share_and_only_that_moves(tmp_path: Path) -> None:
    """Gateways re-subscribe the channels of moved slots, and no others."""
    async with town(tmp_path / "var") as there:
        channels = await channels_with(there, 30, "grace")
        async with there["grace"].connected() as socket:
            await deliver_all(there, socket, channels, "before", 5)
            gateways = [n for n in there.mesh.names("gateway") if await there.metric(n, "parley_gateway_connections")]
            assert len(gateways) == 1
            counted = await there.metric(gateways[0], RESUBSCRIBED)
            before = await owners(there, await followed(there, "grace"))
            added = await there.mesh.add("channel", "az1")
            after = await owners(there, list(before))
            moved = {channel for channel in before if before[channel] != after[channel]}
            assert {after[channel] for channel in moved} == {added}
            assert 0 < len(moved) < len(before)
            await deliver_all(there, socket, channels, "after", 5)
            async with asyncio.timeout(5):
                while await there.metric(gateways[0], RESUBSCRIBED) - counted < len(moved):
                    await asyncio.sleep(0.05)
            assert await there.metric(gateways[0], RESUBSCRIBED) - counted == len(moved)


async def followed(there: Town, name: str) -> list[str]:
    """Return every channel that a person's sessions follow, as the webapp tells gateways."""
    listed = (await there.mesh.instances("webapp"))[0]
    team_id = (await there[name].ok("auth.test"))["team_id"]
    async with grpc.aio.insecure_channel(listed.instance.address) as channel:
        stub = webapp_grpc.WebappServiceStub(channel)
        request = webapp_pb2.ListSubscriptionsRequest(team_id=team_id, user_id=there[name].user_id)
        return [head.channel_id for head in (await stub.ListSubscriptions(request)).heads]


async def test_after_a_gateway_is_killed_a_reconnecting_client_works_on_the_other(tmp_path: Path) -> None:
    """The ticket leads to a gateway that lives, at once, whichever was killed."""
    async with town(tmp_path / "var") as there:
        async with there["grace"].connected():
            used = [n for n in there.mesh.names("gateway") if await there.metric(n, "parley_gateway_connections")]
        await there.mesh.kill(used[0])
        deadline = time.monotonic() + 10
        while True:
            try:
                async with there["grace"].connected() as socket:
                    await there["ada"].post(there.general, "still here")
                    await socket.wait_text("still here")
                break
            except (OSError, AssertionError):
                assert time.monotonic() < deadline, "no working gateway within 10 s"
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("keep_data", [True, False], ids=["data kept", "data lost"])
async def test_consul_stops_and_comes_back_and_traffic_goes_on(tmp_path: Path, keep_data: bool) -> None:
    """Nobody needs Consul to go on; registrations come back by themselves."""
    async with town(tmp_path / "var") as there:
        async with there["grace"].connected() as socket:
            await there.mesh.kill("consul", signal.SIGKILL)
            for number in range(20):
                await there["ada"].post(there.general, f"without consul {number}")
                await asyncio.sleep(0.1)
            await socket.wait_text("without consul 19")
            if not keep_data:
                there.mesh.wipe_consul()
            await there.mesh.start("consul")
            started = asyncio.get_running_loop().time()
            wanted = len(there.mesh.names("channel")) + len(there.mesh.names("gateway")) + 4
            while len([each for each in await there.mesh.instances() if each.health == "passing"]) < wanted:
                assert asyncio.get_running_loop().time() - started < 30, await there.mesh.instances()
                await there["ada"].post(there.general, "meanwhile")
                await asyncio.sleep(0.2)
            await there["ada"].post(there.general, "with consul again")
            await socket.wait_text("with consul again")
            got = [text for text in socket.texts(there.general) if text.startswith("without")]
            assert got == [f"without consul {number}" for number in range(20)]


async def test_without_memcached_everything_still_works(tmp_path: Path) -> None:
    """A cache is a shortcut, never the way."""
    async with town(tmp_path / "var") as there:
        async with there["grace"].connected() as socket:
            for name in there.mesh.names():
                if name.startswith("memcached"):
                    await there.mesh.kill(name)
            for number in range(5):
                await there["ada"].post(there.general, f"uncached {number}")
            await socket.wait_text("uncached 4")
            channel = (await there["grace"].ok("conversations.create", name="no-cache"))["channel"]["id"]
            await there["ada"].ok("conversations.join", channel=channel)
            await there["ada"].post(channel, "joined without cache")
            await socket.wait_text("joined without cache")


async def test_a_database_that_restarts_costs_errors_while_it_is_away_and_nothing_after(tmp_path: Path) -> None:
    """No post is acknowledged that is not there afterwards, and nobody has to be restarted."""
    async with town(tmp_path / "var") as there:
        async with there["grace"].connected() as socket:
            await there["ada"].post(there.general, "acked before")
            await there.mesh.kill("mariadb")
            failed = await there["ada"].call("chat.postMessage", channel=there.general, text="into the void")
            assert (failed["ok"], failed["error"]) == (False, "service_unavailable")
            await there.mesh.start("mariadb")
            async with asyncio.timeout(10):
                while not (await there["ada"].call("chat.postMessage", channel=there.general, text="after"))["ok"]:
                    await asyncio.sleep(0.1)
            await socket.wait_text("after")
            history = await there["ada"].ok("conversations.history", channel=there.general, limit=50)
            texts = [message["text"] for message in history["messages"]]
            assert "acked before" in texts
            assert "into the void" not in texts
