"""Booting on a real mesh: slim and lazy shows what the full model says, deltas are small and right, edges may die."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from ops.keyspaces import workspace_rules
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, counts
from ops.seeding import Seeder, SeedSpec
from parley_client import Booted, Client, Conversation, Workspace
from tests.mesh.people import Json, Person

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

PEOPLE, CHANNELS = 60, 20
FULL_ONLY = {"is_open", "last_read", "has_unreads", "mention_count", "members", "num_members"}
"""Fields of rtm.start that are the member's own state, which a slim boot tells in its entries."""
FRESH_S = 1.0
"""How long an acked change may be missing from a boot."""


@dataclass(frozen=True, slots=True)
class Office:
    """A mesh with a lived-in workspace, and some of its people."""

    mesh: Mesh
    http: aiohttp.ClientSession
    people: tuple[Person, ...]
    general: str

    def client(self, person: Person, **options: Any) -> Client:
        return Client(person.token, f"{self.mesh.web_url}/api/", http=self.http, boots=True, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One mesh for this file, two edges in its zone."""
    spec = MeshSpec(
        var=tmp_path_factory.mktemp("boot"), counts=counts(edge=2), zones=("az1",), supervise=False, graceful=False
    )
    async with Mesh(spec) as mesh, aiohttp.ClientSession() as http, workspace_rules(mesh.dsns) as rules:
        seed = SeedSpec("Office", "office", PEOPLE, CHANNELS, is_lived_in=True)
        made = await Seeder(rules.services, rules.bulk, lambda what, count: None).populate(seed)
        users = [user for user in await rules.services.workspaces.users(made.team.id, limit=8) if not user.is_bot]
        people = [
            Person(user.name, user.id, await rules.services.accounts.token_for(user), mesh.web_url, http)
            for user in users
        ]
        yield Office(mesh, http, tuple(people), made.general.id)


async def booted(person: Person, **arguments: Any) -> tuple[Json, int]:
    """Return the answer of client.boot, and its size in bytes."""
    answer = await person.ok("client.boot", **arguments)
    return answer, len(json.dumps(answer, separators=(",", ":")))


def told(workspace: Workspace) -> dict[str, Conversation]:
    """Return conversations as they compare: people of group messages are told of recent ones only."""
    return {each: replace(now, member_ids=()) for each, now in workspace.conversations.items()}


def shown(shape: Json | None) -> Json:
    """Return what is shown of an object, without its version and its member's own state."""
    return {name: value for name, value in (shape or {}).items() if name != "v" and name not in FULL_ONLY}


@asynccontextmanager
async def reading(client: Client) -> AsyncIterator[Workspace]:
    """Be connected, with somebody who takes the events."""

    async def read() -> None:
        async for _ in client.events():
            pass

    async with client, asyncio.TaskGroup() as group:
        task = group.create_task(read())
        yield client.workspace
        task.cancel()


async def test_what_is_booted_slim_and_loaded_lazily_is_what_the_full_model_says(office: Office) -> None:
    """Users, channels, topics, members, unread state and emoji, for everything that one can see."""
    person = office.people[1]
    client = office.client(person)
    async with reading(client) as workspace:
        full = await person.ok("rtm.start")
        public = {each["id"]: each for each in full["channels"]}
        await client.lazy.load([*(user["id"] for user in full["users"]), *public, *workspace.conversations])
        assert len(full["users"]) == PEOPLE + 1
        assert len(public) == CHANNELS
        for user in full["users"]:
            assert shown(workspace.user(user["id"])) == shown(user)
        for each in [*full["channels"], *full["groups"]]:
            assert shown(workspace.channel(each["id"])) == shown(each)
        own = [each for each in full["channels"] if each["is_member"]]
        own += [*full["groups"], *full["ims"], *full["mpims"]]
        assert {each["id"] for each in own} == workspace.conversations.keys()
        for each in own:
            now = workspace.conversations[each["id"]]
            assert (now.last_read or "0.000000") == each["last_read"]
            assert (now.is_unread, now.mentions) == (each["has_unreads"], each["mention_count"])
            assert (now.user_id, now.name) == (each.get("user", ""), each.get("name", ""))
        for each in full["mpims"]:
            assert await client.lazy.all_members(each["id"]) == sorted(each["members"])
        for channel in [*public][:8]:
            page = await person.ok("conversations.members", channel=channel, limit=1_000)
            assert await client.lazy.all_members(channel) == sorted(page["members"])
        assert await client.lazy.emoji() == (await person.ok("emoji.list"))["emoji"]
        assert (workspace.team["id"], workspace.me["id"]) == (full["team"]["id"], person.user_id)
        asked = len(workspace.ask([user["id"] for user in full["users"]]).ids)
    assert asked == 0


async def test_the_first_screen_is_one_round_trip(office: Office) -> None:
    """One call, whose answer names every conversation of the sidebar; then the socket, and nothing else."""
    asked: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(session: Any, context: Any, params: aiohttp.TraceRequestStartParams) -> None:
        asked.append(params.url.path.split("/")[2] if params.url.path.startswith("/api/") else "socket")

    trace.on_request_start.append(note)
    screens: list[list[str]] = []
    person = office.people[2]

    def draw(boot: Booted) -> None:
        screens.append([*asked])
        recent = sorted(client.workspace.conversations.values(), key=lambda each: each.latest, reverse=True)
        for each in [each for each in recent if not each.is_direct] + [each for each in recent if each.kind == "im"][
            :30
        ]:
            name = each.name or (client.workspace.user(each.user_id) or {}).get("real_name")
            assert name, each

    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        client = Client(person.token, f"{office.mesh.web_url}/api/", http=http, boots=True, on_boot=draw)
        async with client:
            assert client.is_ready
    assert screens == [["client.boot"]]
    assert asked == ["client.boot", "socket"]


async def test_a_delta_of_nothing_is_some_hundred_bytes_and_one_of_changes_makes_a_fresh_boot(office: Office) -> None:
    """Posts, mentions, marks, joins, leaves, new channels, preferences, away, emoji; each told once, and small."""
    me, other = office.people[3], office.people[0]
    first, _ = await booted(me)
    for each in first["channels"]:
        if each.get("mentions"):
            await me.ok("conversations.mark", channel=each["id"], ts=each["latest"])
    first, whole_bytes = await booted(me)
    nothing, nothing_bytes = await booted(me, since=first["token"])
    assert nothing["is_delta"]
    assert nothing_bytes <= 1_000 < whole_bytes
    workspace = Workspace()
    workspace.boot(first)
    workspace.boot(nothing)
    await me.ok("conversations.join", channel=office.general)
    post = await other.post(office.general, f"<@{me.user_id}> look")
    await asyncio.sleep(FRESH_S)
    delta, posted_bytes = await booted(me, since=first["token"])
    assert [each["id"] for each in delta["channels"]] == [office.general]
    assert posted_bytes < 1_500
    made = (await other.ok("conversations.create", name="brand-new"))["channel"]["id"]
    await me.ok("conversations.join", channel=made)
    left = next(each for each in first["channels"] if each["kind"] == "public" and not each.get("general"))["id"]
    await me.ok("conversations.leave", channel=left)
    await me.ok("conversations.mark", channel=office.general, ts=post["ts"])
    await me.ok("users.prefs.set", name="theme", value="dark")
    await me.ok("users.setPresence", presence="away")
    await office.people[0].ok("admin.emoji.add", name="new-one", url="https://example.org/new.gif")
    await asyncio.sleep(FRESH_S)
    workspace.boot((await booted(me, since=nothing["token"] if nothing["complete"] else first["token"]))[0])
    fresh = Workspace()
    fresh.boot((await booted(me))[0])
    assert told(workspace) == told(fresh)
    assert (made in fresh.conversations, left in fresh.conversations) == (True, False)
    assert (
        (workspace.prefs, workspace.is_away)
        == (fresh.prefs, fresh.is_away)
        == ({**first["prefs"], "theme": "dark"}, True)
    )
    assert (workspace.me, workspace.team, workspace.model) == (fresh.me, fresh.team, fresh.model)
    assert workspace.is_emoji_old


async def test_what_was_acked_is_in_every_boot_within_a_second(office: Office) -> None:
    """A post, a mention and a read mark, whichever edge and webapp answer."""
    me, other = office.people[4], office.people[0]
    worst = 0.0
    for number in range(5):
        post = await other.post(office.general, f"<@{me.user_id}> {number}")
        acked = time.monotonic()
        while True:
            entry = {each["id"]: each for each in (await booted(me))[0]["channels"]}[office.general]
            if entry["latest"] == post["ts"] and entry.get("unread") and entry.get("mentions"):
                break
        worst = max(worst, time.monotonic() - acked)
        await me.ok("conversations.mark", channel=office.general, ts=post["ts"])
        acked = time.monotonic()
        while True:
            entry = {each["id"]: each for each in (await booted(me))[0]["channels"]}[office.general]
            if "unread" not in entry and "mentions" not in entry and entry["last_read"] == post["ts"]:
                break
        worst = max(worst, time.monotonic() - acked)
    assert worst <= FRESH_S


async def test_events_and_reconnects_keep_a_workspace_right(office: Office) -> None:
    """A client that stays shows what a fresh boot shows; what a connection missed while it broke is in the delta."""
    me, other = office.people[5], office.people[0]
    boots: list[Booted] = []
    client = office.client(me, on_boot=boots.append)
    async with reading(client) as workspace:
        await other.post(office.general, f"<@{me.user_id}> one")
        direct = (await other.ok("conversations.open", users=me.user_id))["channel"]["id"]
        await other.post(direct, "two")
        client.reboot()
        await other.post(direct, "three")
        await until(lambda: len(boots) >= 2 and client.is_ready)
        await other.post(direct, "four")
        link = client._connecting.link if client._connecting else None
        assert link is not None
        link.part("for a test")
        await other.post(direct, "five")
        await until(lambda: len(boots) >= 3 and client.is_ready)
        assert [boot.is_delta for boot in boots] == [False, False, True]
        last = await other.post(direct, "six")
        await until(lambda: workspace.conversations[direct].latest == last["ts"])
        fresh = Workspace()
        fresh.boot((await booted(me))[0])
        assert told(workspace) == told(fresh)
        assert workspace.conversations[direct].mentions >= 5
        assert "heard-of" not in await client.lazy.emoji()
        await other.ok("admin.emoji.add", name="heard-of", url="https://example.org/heard.gif")
        await until(lambda: workspace.is_emoji_old)
        while "heard-of" not in await client.lazy.emoji():
            assert workspace.is_emoji_old
        assert [workspace.is_emoji_old] == [False]


async def until(is_so: Any, within_s: float = 10.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_boots_and_lazy_queries_go_on_when_edges_die(office: Office) -> None:
    """One after the other is killed until none is left, then they come back cold; nothing that is shown is old.

    Only a search by names needs an edge: nobody else has an index.
    """
    me, other = office.people[6], office.people[0]
    client = office.client(me)
    async with reading(client) as workspace:
        edges = office.mesh.names("edge")
        for number, step in enumerate((*edges, *edges)):
            if number < len(edges):
                await office.mesh.kill(step)
            else:
                await office.mesh.start(step)
            post = await other.post(office.general, f"after {number}")
            acked = time.monotonic()
            latest = ""
            while latest != post["ts"]:
                answer = await me.ok("client.boot")
                latest = {each["id"]: each for each in answer["channels"]}[office.general]["latest"]
                assert latest == post["ts"] or time.monotonic() - acked <= FRESH_S
            workspace.objects.age()
            ids = [other.user_id, office.general]
            await client.lazy.load(ids)
            assert not workspace.ask(ids).ids
            assert len(await client.lazy.all_members(office.general)) == PEOPLE + 1
            if number != len(edges) - 1:
                assert [user["id"] for user in (await client.lazy.search(other.name)).users][:1] == [other.user_id]
