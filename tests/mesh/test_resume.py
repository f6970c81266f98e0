"""Our own client on a real mesh: gateways die, memberships change, logs are cut off; nothing is lost in silence."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomysql
import pytest

from parley_client import Client, Event, ResumeFailed
from svc.webapp.store.dsn import Dsn
from tests.mesh.people import Json
from tests.mesh.towns import Town, town

pytestmark = pytest.mark.mesh

CLIENTS = 50


@dataclass
class Reader:
    """An application, and what its client handed to it."""

    client: Client
    events: list[Event] = field(default_factory=list)
    failures: list[ResumeFailed] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        async for event in self.client.events():
            if isinstance(event, ResumeFailed):
                self.failures.append(event)
            else:
                self.events.append(event)
            self.changed.set()

    def offsets(self, channel: str) -> list[int]:
        return [event.offset for event in self.events if event.channel_id == channel]

    def texts(self, channel: str) -> list[str]:
        """Return the texts of plain messages."""
        mine = (event.json for event in self.events if event.channel_id == channel and event.type == "message")
        return [str(json["text"]) for json in mine if "subtype" not in json]

    async def hears(self, channel: str, text: str, within_s: float = 10.0) -> None:
        """Wait for a message."""
        async with asyncio.timeout(within_s):
            while text not in self.texts(channel):
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def reading(there: Town, name: str, **options: Any) -> AsyncIterator[Reader]:
    """Be one of the people, with our client."""
    made = Client(there[name].token, f"{there.mesh.web_url}/api/", http=there.http, **options)
    async with made as client, asyncio.TaskGroup() as group:
        reader = Reader(client)
        task = group.create_task(reader.read())
        yield reader
        task.cancel()


async def flow(there: Town, channels: Sequence[str], seconds: float, acked: dict[str, list[int]]) -> None:
    """Post to the channels in turn until the time is over; note the offset of each post that was acknowledged."""
    deadline = time.monotonic() + seconds
    number = 0
    while time.monotonic() < deadline:
        channel = channels[number % len(channels)]
        body: Json = await there["ada"].call("chat.postMessage", channel=channel, text=f"{number}")
        if body["ok"]:
            acked[channel].append(int(body["position"].rpartition(":")[2]))
        number += 1
        await asyncio.sleep(0.01)


async def gateway_of(there: Town) -> str:
    """Return the gateway with the most connections."""
    counts = {name: await there.metric(name, "parley_gateway_connections") for name in there.mesh.names("gateway")}
    return max(counts, key=lambda name: counts[name])


async def back(readers: Sequence[Reader], connections: Sequence[int]) -> float:
    """Return the time when every client is connected once more than it was."""
    async with asyncio.timeout(20):
        while not all(
            reader.client.connections > before and reader.client.is_ready
            for reader, before in zip(readers, connections, strict=True)
        ):
            await asyncio.sleep(0.02)
    return time.monotonic()


async def channel_with(there: Town, name: str, *members: str) -> str:
    """Make a channel of ada's with these members."""
    channel: str = (await there["ada"].ok("conversations.create", name=name))["channel"]["id"]
    for member in members:
        await there["ada"].ok("conversations.invite", channel=channel, users=there[member].user_id)
    return channel


async def test_fifty_clients_of_a_killed_gateway_are_back_within_ten_seconds_and_missed_nothing(tmp_path: Path) -> None:
    """Under a flow of posts: every acknowledged one arrives at each once, in order, with its neighbours."""
    async with town(tmp_path / "var") as there, AsyncExitStack() as up:
        second = await channel_with(there, "second", "grace", "linus")
        channels = (there.general, second)
        names = ["grace", "linus"] * (CLIENTS // 2)
        readers = [await up.enter_async_context(reading(there, name)) for name in names]
        acked: dict[str, list[int]] = {channel: [] for channel in channels}
        posting = asyncio.create_task(flow(there, channels, 6.0, acked))
        await asyncio.sleep(1.5)
        victim = await gateway_of(there)
        connections = [reader.client.connections for reader in readers]
        killed = time.monotonic()
        await there.mesh.kill(victim)
        took = await back(readers, connections) - killed
        await posting
        await there["ada"].post(there.general, "the end")
        await there["ada"].post(second, "the end")
        for reader in readers:
            for channel in channels:
                await reader.hears(channel, "the end")
        assert took <= 10.0
        assert all(len(offsets) > 50 for offsets in acked.values())
        for reader in readers:
            assert reader.failures == []
            assert reader.client.session.holes == 0
            for channel in channels:
                got = reader.offsets(channel)
                assert got == list(range(got[0], got[-1] + 1)), "dense: nothing missing, doubled or out of order"
                assert set(acked[channel]) <= set(got)


async def test_what_was_joined_and_left_while_away_is_right_afterwards(tmp_path: Path) -> None:
    """A client is away while its user joins here, leaves there, and leaves and joins again elsewhere."""
    async with town(tmp_path / "var") as there:
        stays, left, again = [await channel_with(there, name, "grace") for name in ("stays", "left", "again")]
        async with reading(there, "grace") as reader:
            for channel in (stays, left, again):
                await there["ada"].post(channel, "before")
                await reader.hears(channel, "before")
            token = reader.client.resume_token()
        for channel in (left, again):
            await there["grace"].ok("conversations.leave", channel=channel)
            await there["ada"].post(channel, "without grace")
        await there["ada"].ok("conversations.invite", channel=again, users=there["grace"].user_id)
        joined = await channel_with(there, "joined", "grace")
        for channel in (stays, left, again, joined):
            await there["ada"].post(channel, "while away")
        async with reading(there, "grace", resume_token=token) as reader:
            for channel in (stays, again, joined):
                await reader.hears(channel, "while away")
            for channel in (stays, left, again, joined):
                await there["ada"].post(channel, "live")
            for channel in (stays, again, joined):
                await reader.hears(channel, "live")
                got = reader.offsets(channel)
                assert got == sorted(set(got))
            assert reader.texts(stays) == ["while away", "live"]
            assert reader.texts(joined) == ["while away", "live"]
            assert reader.texts(again)[-2:] == ["while away", "live"]
            assert reader.offsets(left) == []
            assert {"channel_joined", "channel_left"} <= {event.type for event in reader.events}
            assert reader.failures == []


async def test_a_log_that_was_cut_off_meanwhile_fails_explicitly_and_goes_on_live(tmp_path: Path) -> None:
    """Retention outlasts no vacation: only that channel fails, with the place where it goes on."""
    async with town(tmp_path / "var") as there:
        other = await channel_with(there, "other", "grace")
        async with reading(there, "grace") as reader:
            await there["ada"].post(there.general, "before")
            await reader.hears(there.general, "before")
            token = reader.client.resume_token()
        for number in range(20):
            await there["ada"].post(there.general, f"lost {number}")
            last = int((await there["ada"].post(other, f"kept {number}"))["position"].rpartition(":")[2])
        head = await cut_off(there, there.general)
        async with reading(there, "grace", resume_token=token) as reader:
            await reader.hears(other, "kept 19")
            async with asyncio.timeout(10):
                while not reader.failures:
                    reader.changed.clear()
                    await reader.changed.wait()
            await there["ada"].post(there.general, "live")
            await reader.hears(there.general, "live")
            assert reader.failures == [ResumeFailed({there.general: head})]
            assert reader.texts(there.general) == ["live"]
            assert reader.texts(other) == [f"kept {number}" for number in range(20)]
            assert reader.offsets(other)[-1] == last


async def test_parley_tail_shows_everything_once_over_breaks_and_over_its_own_restart(tmp_path: Path) -> None:
    """With a state file it begins where the last one ended."""
    async with town(tmp_path / "var") as there:
        arguments = ["#general", "--count", "3", "--timeout", "20", "--state", str(tmp_path / "seen"), "--json"]
        first = await tailing(there, *arguments)
        for number in range(3):
            await there["ada"].post(there.general, str(number))
            if number == 1:
                await there.mesh.kill(await gateway_of(there))
        assert await shown_by(first) == ["0", "1", "2"]
        for number in range(3, 5):
            await there["ada"].post(there.general, str(number))
        second = await tailing(there, *arguments)
        await there["ada"].post(there.general, "5")
        assert await shown_by(second) == ["3", "4", "5"]


async def shown_by(tail: asyncio.subprocess.Process) -> list[str]:
    """Return the texts that `parley tail --json` showed until it ended."""
    shown, _ = await tail.communicate()
    return [json.loads(line)["text"] for line in shown.splitlines()]


async def tailing(there: Town, *arguments: str) -> asyncio.subprocess.Process:
    """Start `parley tail` as grace; return once it is connected."""
    whose = ("--url", there.mesh.web_url, "--token", there["grace"].token)
    command = (str(Path(sys.executable).parent / "parley"), "tail", *arguments, *whose)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(10):
        while b"listening" not in (line := await process.stderr.readline()):
            assert line, "it ended"
    return process


async def cut_off(there: Town, channel: str) -> int:
    """Delete a channel's log, as retention would, and have every server forget its tail; return the head."""
    dsn = Dsn.parse(there.mesh.dsns.channel)
    connection = await aiomysql.connect(  # type: ignore[no-untyped-call]
        host=dsn.host, port=dsn.port, user=dsn.user, password=dsn.password, db=dsn.database, autocommit=True
    )
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT MAX(`offset`) FROM log WHERE channel_id = %s", (channel,))
        head = int((await cursor.fetchone())[0])
        await cursor.execute("DELETE FROM log WHERE channel_id = %s", (channel,))
    connection.close()
    for name in there.mesh.names("channel"):
        await there.mesh.kill(name)
        await there.mesh.start(name)
    return head
