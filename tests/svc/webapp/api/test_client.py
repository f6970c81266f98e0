"""client.* and rtm.start over HTTP, from the rows and from an edge, on real MariaDB and memcached."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from svc.kit.clock import SystemClock
from svc.shapes.positions import decode, encode
from svc.webapp.boot_gate import BootGate
from svc.webapp.domain.boot.rate import BootRules
from tests.svc.webapp.api.office import Office, Someone

Json = dict[str, Any]
pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
_NUMBERS = itertools.count(1)
SOCKET = ("url", "host_id")


@pytest_asyncio.fixture(loop_scope="session", params=["rows", "edge"])
async def served(request: pytest.FixtureRequest, acme: Office) -> AsyncIterator[Office]:
    """The office, with its edge gone or there."""
    acme.edges.down = request.param == "rows"
    yield acme
    acme.edges.down = True


@contextmanager
def edge_of(acme: Office) -> Iterator[None]:
    acme.edges.down = False
    try:
        yield
    finally:
        acme.edges.down = True


def entries(boot: Json) -> dict[str, Json]:
    return {entry["id"]: entry for entry in boot["channels"]}


async def opened(by: Someone, *others: Someone) -> str:
    answer = await by.ok("conversations.open", users=",".join(other.id for other in others))
    return str(answer["channel"]["id"])


async def room(by: Someone, **arguments: object) -> str:
    answer = await by.ok("conversations.create", name=f"boot-{next(_NUMBERS)}", **arguments)
    return str(answer["channel"]["id"])


async def test_a_boot_has_what_the_first_screen_shows(served: Office) -> None:
    """Who one is, where one is, what there is to read, and the people of recent direct messages."""
    ada, grace = served["ada"], served["grace"]
    secret = await room(ada, is_private=True)
    direct = await opened(grace, ada)
    said = await grace.ok("chat.postMessage", channel=direct, text="hello")
    boot = await ada.ok("client.boot")
    assert not boot["is_delta"]
    assert boot["complete"]
    assert (boot["self"]["id"], boot["self"]["name"], boot["team"]["name"]) == (ada.id, "ada", "Acme")
    assert boot["url"].startswith("ws://")
    assert boot["host_id"]
    assert {"users", "channels", "version"} == set(boot["model"])
    assert boot["model"]["users"] == len(await served.services.workspaces.users(ada.user.team_id, limit=1000))
    told = entries(boot)
    assert told[served.general]["kind"] == "public"
    assert told[served.general]["general"]
    assert told[secret]["kind"] == "private"
    assert told[secret]["name"].startswith("boot-")
    mine = told[direct]
    assert (mine["kind"], mine["user"], mine["latest"], mine["unread"]) == ("im", grace.id, said["ts"], True)
    assert grace.id in {user["id"] for user in boot["users"]}
    positions = decode(boot["token"])
    assert set(positions) == {ada.id, ada.user.team_id, *told}


async def test_both_ways_give_the_same_boot(acme: Office) -> None:
    """Whoever serves it: the first boot, a delta after nothing, and one after a bit of everything."""
    ada, grace = acme["ada"], acme["grace"]
    await opened(ada, grace)
    cold = {by: await _boots(acme, ada, edge=by == "edge") for by in ("rows", "edge")}
    assert cold["rows"] == cold["edge"]
    token = cold["rows"]["token"]
    channel = await room(grace)
    await grace.ok("conversations.invite", channel=channel, users=ada.id)
    await grace.ok("chat.postMessage", channel=acme.general, text="news")
    later = {by: await _boots(acme, ada, edge=by == "edge", since=token) for by in ("rows", "edge")}
    # An edge that loaded a moment ago cannot know since when these are as they are.
    for boot in later.values():
        boot.pop("team", None)
        boot.pop("emoji_version", None)
    assert later["rows"] == later["edge"]
    assert later["edge"]["is_delta"]
    assert channel in later["edge"]["changed"]
    assert channel in entries(later["edge"])


async def test_a_boot_is_one_question_to_the_edge(acme: Office) -> None:
    """The people of recent direct messages come with all else; how far one's own channel has come is asked of it, too,
    when what one is in is not cached.
    """
    names = [f"asked{next(_NUMBERS)}" for _ in range(3)]
    ada, grace, linus = (await acme.hire(acme["ada"].user.team_id, names)).values()
    group = await opened(ada, grace, linus)
    for channel in (await opened(grace, ada), group):
        await grace.ok("chat.postMessage", channel=channel, text="hello")
    with edge_of(acme):
        first = await ada.ok("client.boot")
        before = acme.edges.boots, acme.edges.objects_asked
        again = await ada.ok("client.boot")
        assert (acme.edges.boots, acme.edges.objects_asked) == (before[0] + 1, before[1])
        await acme.services.lookups.forget_side(ada.id, group)
        cold = await ada.ok("client.boot")
        assert (acme.edges.boots, acme.edges.objects_asked) == (before[0] + 3, before[1])
    for boot in (first, again, cold):
        assert {grace.id, linus.id} <= {user["id"] for user in boot["users"]}
        assert set(entries(boot)[group]["members"]) == {ada.id, grace.id, linus.id}
        assert {name: each for name, each in boot.items() if name not in SOCKET} == {
            name: each for name, each in first.items() if name not in SOCKET
        }


async def test_people_who_were_not_guessed_are_asked_for(acme: Office) -> None:
    """Of more groups than are looked at beforehand those with the newest messages are described, whoever serves it."""
    names = [f"guess{next(_NUMBERS)}" for _ in range(7)]
    people = list((await acme.hire(acme["ada"].user.team_id, names)).values())
    me, others = people[0], people[1:]
    groups = [await opened(me, *pair) for pair in itertools.combinations(others, 2)]
    for group in groups:
        await me.ok("chat.postMessage", channel=group, text="hello")
    for by_edge in (True, False):
        told = entries(boot := await _boots(acme, me, edge=by_edge))
        assert [group for group in groups if "members" in told[group]] == groups[-5:]
        members = {user_id for group in groups[-5:] for user_id in told[group]["members"]}
        assert {user["id"] for user in boot["users"]} == members - {me.id}


async def _boots(acme: Office, who: Someone, *, edge: bool, **arguments: object) -> Json:
    acme.edges.down = not edge
    try:
        boot = await who.ok("client.boot", **arguments)
    finally:
        acme.edges.down = True
    return {name: value for name, value in boot.items() if name not in SOCKET}


async def test_who_missed_nothing_gets_a_few_hundred_bytes(served: Office) -> None:
    """Most of it is the URL of the socket."""
    somebody = (await served.hire(served["ada"].user.team_id, [f"calm{next(_NUMBERS)}"])).popitem()[1]
    token = (await somebody.ok("client.boot"))["token"]
    delta = await somebody.ok("client.boot", since=token, resume=True)
    assert delta["is_delta"]
    assert delta["channels"] == []
    assert not decode(delta["token"])
    assert not {"self", "team", "prefs", "model", "users", "changed"} & set(delta)
    assert len(json.dumps(delta)) < 700


async def test_a_message_moves_one_entry_and_a_mark_moves_all(served: Office) -> None:
    """What is told is what the client would have heard of over its socket."""
    ada, grace = served["ada"], served["grace"]
    channel = await room(ada)
    await grace.ok("conversations.join", channel=channel)
    token = (await ada.ok("client.boot"))["token"]
    said = await grace.ok("chat.postMessage", channel=channel, text="one")
    delta = await ada.ok("client.boot", since=token)
    mine = entries(delta)[channel]
    assert (mine["latest"], mine["unread"], mine["kind"], mine["name"][:5]) == (said["ts"], True, "public", "boot-")
    assert not delta["complete"]
    await ada.ok("conversations.mark", channel=channel, ts=said["ts"])
    delta = await ada.ok("client.boot", since=token)
    assert delta["complete"]
    assert entries(delta)[channel]["last_read"] == said["ts"]
    assert "unread" not in entries(delta)[channel]


async def test_a_profile_that_changed_is_said_to_have(served: Office) -> None:
    """New people are in the model; who asks for one by the version that it has gets what is new."""
    ada, linus = served["ada"], served["linus"]
    boot = await ada.ok("client.boot")
    found = await ada.ok("client.objects", ids={linus.id: None, served.general: None, "U00000000ZZ": 3, "nobody": None})
    assert [user["id"] for user in found["users"]] == [linus.id]
    assert found["channels"][0]["is_member"]
    assert set(found["unknown"]) == {"U00000000ZZ", "nobody"}
    versions = {each["id"]: each["v"] for each in (*found["users"], *found["channels"])}
    again = await ada.ok("client.objects", ids=versions)
    assert (again["users"], again["channels"], again["unknown"]) == ([], [], [])
    added = (await served.hire(ada.user.team_id, [f"new{next(_NUMBERS)}"])).popitem()[1]
    delta = await ada.ok("client.boot", since=boot["token"])
    assert added.id in delta["changed"]
    assert delta["model"]["version"] > boot["model"]["version"]


async def test_a_boot_brings_the_history_that_is_asked_for_with_its_authors(served: Office) -> None:
    """What the caller may not read is simply not there."""
    ada, grace, linus = served["ada"], served["grace"], served["linus"]
    channel = await room(grace, is_private=True)
    await grace.ok("conversations.invite", channel=channel, users=ada.id)
    await grace.ok("chat.postMessage", channel=channel, text="read me")
    boot = await ada.ok("client.boot", channel=channel)
    assert boot["history"]["channel"] == channel
    assert boot["history"]["messages"][0]["text"] == "read me"
    assert not boot["history"]["has_more"]
    assert grace.id in {user["id"] for user in boot["users"]}
    assert "history" not in await linus.ok("client.boot", channel=channel)


async def test_members_come_by_page(served: Office) -> None:
    """Of a public channel for anyone; a private one does not exist for others."""
    ada, grace, linus = served["ada"], served["grace"], served["linus"]
    channel = await room(ada, is_private=True)
    await ada.ok("conversations.invite", channel=channel, users=f"{grace.id}")
    first = await ada.ok("client.members", channel=channel, limit=1)
    assert (first["total"], len(first["members"]), first["cursor"]) == (2, 1, first["members"][0])
    last = await ada.ok("client.members", channel=channel, limit=1, cursor=first["cursor"])
    assert last["cursor"] == ""
    assert {*first["members"], *last["members"]} == {ada.id, grace.id}
    assert await linus.error("client.members", channel=channel) == "channel_not_found"
    assert await ada.error("client.members", channel="nonsense") == "channel_not_found"
    assert await ada.error("client.members", channel=channel, cursor="x") == "invalid_cursor"
    assert ada.id in (await linus.ok("client.members", channel=served.general))["members"]


async def test_emoji_come_once(served: Office) -> None:
    """Who has them is told so."""
    ada = served["ada"]
    found = await ada.ok("client.emoji")
    assert isinstance(found["emoji"], dict)
    if found["version"]:
        assert (await ada.ok("client.emoji", version=found["version"]))["unchanged"]


async def test_a_search_needs_an_edge(acme: Office) -> None:
    """Without one it may be repeated later, and is not answered wrongly now."""
    ada = acme["ada"]
    async with acme.http.post(acme.base + "client.search", data={"prefix": "gra"}, headers=ada.headers) as answer:
        assert answer.status == 503
    with edge_of(acme):
        found = await ada.ok("client.search", prefix="gra", kinds="users")
        assert [user["name"] for user in found["users"]] == ["grace"]
        assert await ada.error("client.search", prefix="gra", kinds="teams") == "invalid_arguments"
        assert await ada.error("client.search", prefix="x" * 65) == "invalid_arguments"


async def test_what_is_no_token_is_refused_and_another_ones_is_no_delta(served: Office) -> None:
    """A token proves nothing: it only says what its bearer has."""
    ada, grace = served["ada"], served["grace"]
    assert await ada.error("client.boot", since="@@@") == "invalid_arguments"
    assert await ada.error("client.objects", ids={served.general: "x"}) == "invalid_arguments"
    theirs = (await grace.ok("client.boot"))["token"]
    assert not (await ada.ok("client.boot", since=theirs))["is_delta"]
    beyond = {each: offset + 10**9 for each, offset in decode((await ada.ok("client.boot"))["token"]).items()}
    boot = await ada.ok("client.boot", since=encode(beyond.items()))
    assert boot["complete"]
    assert decode(boot["token"])[ada.id] < 10**9


async def test_rtm_start_has_all_keys_that_old_clients_index(served: Office) -> None:
    """slackclient 1.x reads channels, groups, users, ims, team.domain and self.name."""
    ada, grace = served["ada"], served["grace"]
    secret, direct = await room(ada, is_private=True), await opened(ada, grace)
    group = await opened(ada, grace, served["linus"])
    start = await ada.ok("rtm.start")
    assert {"url", "self", "team", "users", "channels", "groups", "ims", "mpims", "bots", "subteams", "dnd"} <= set(
        start
    )
    assert (start["team"]["domain"], start["self"]["name"]) == ("acme", "ada")
    everybody = await served.services.workspaces.users(ada.user.team_id, limit=1000)
    assert {user["id"] for user in start["users"]} == {user.id for user in everybody}
    by_id = {each["id"]: each for kind in ("channels", "groups", "ims", "mpims") for each in start[kind]}
    assert by_id[served.general]["is_member"]
    assert secret in {each["id"] for each in start["groups"]}
    assert by_id[direct]["user"] == grace.id
    assert set(by_id[group]["members"]) == {ada.id, grace.id, served["linus"].id}
    assert served["helper"].user.bot_id in {bot["id"] for bot in start["bots"]}
    outside = await room(grace)
    await room(grace, is_private=True)
    again = {each["id"]: each for each in (await ada.ok("rtm.start"))["channels"]}
    assert not again[outside]["is_member"]
    assert "last_read" not in again[outside]


async def test_slim_and_lazy_is_what_the_whole_model_says(served: Office) -> None:
    """Entry by entry, and object by object."""
    ada = served["ada"]
    start, boot = await ada.ok("rtm.start"), await ada.ok("client.boot")
    mine = [each for kind in ("channels", "groups", "ims", "mpims") for each in start[kind] if each.get("is_open")]
    told = entries(boot)
    assert {each["id"] for each in mine} == set(told)
    for each in mine:
        entry = told[each["id"]]
        assert each["has_unreads"] == entry.get("unread", False)
        assert each["mention_count"] == entry.get("mentions", 0)
        assert each.get("name", "") == entry.get("name", "")
    public = {each["id"]: each for each in start["channels"]}
    wanted = dict.fromkeys([*public, *(user["id"] for user in start["users"])])
    found = await ada.ok("client.objects", ids=wanted)
    state = {"is_open", "last_read", "has_unreads", "mention_count"}
    for each in found["channels"]:
        assert {k: v for k, v in public[each["id"]].items() if k not in state} == {
            k: v for k, v in each.items() if k != "v"
        }
    users = {user["id"]: user for user in start["users"]}
    assert {u["id"]: {k: v for k, v in u.items() if k != "v"} for u in found["users"]} == users


async def test_too_many_boots_are_told_when_to_come_back(acme: Office) -> None:
    """429 with a Retry-After, and the error at which every client waits."""
    rules = BootRules(rate_max=1.0, rate_min=0.1, rise=0.1, edge_share_min=0.0, boot_s_max=5.0, window_s=0.5)
    before = acme.services.boot_gate
    object.__setattr__(acme.services, "boot_gate", BootGate(rules, SystemClock(), Random(1)))
    try:
        answers = [await _refusal(acme, acme["ada"]) for _ in range(8)]
        async with acme.http.post(acme.base + "client.boot") as answer:
            assert answer.status == 429  # before it is looked at who that is
    finally:
        object.__setattr__(acme.services, "boot_gate", before)
    refused = [after for status, after in answers if status == 429]
    assert len(refused) >= 4
    assert all(1 <= int(after) <= 30 for after in refused)


async def _refusal(acme: Office, who: Someone) -> tuple[int, str]:
    async with acme.http.post(acme.base + "client.boot", headers=who.headers) as answer:
        body = await answer.json()
        assert body["ok"] or body["error"] == "ratelimited"
        return answer.status, answer.headers.get("Retry-After", "")


async def test_answers_are_gzipped_for_real_clients(served: Office) -> None:
    """aiohttp asks for it and undoes it by itself."""
    ada = served["ada"]
    async with aiohttp.ClientSession(auto_decompress=True) as http:
        async with http.post(served.base + "users.list", headers=ada.headers) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert (await answer.json())["ok"]
        plain = {**ada.headers, "Accept-Encoding": "identity"}
        async with http.post(served.base + "users.list", headers=plain) as answer:
            assert "content-encoding" not in answer.headers
            assert (await answer.json())["ok"]
