"""search.* over a real MariaDB and a real index: what is found, by whom, and what is never shown to anybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from parley.search.v1 import search_service_pb2 as pb
from svc.kit.clock import SystemClock
from svc.kit.errors import ParleyError
from svc.webapp.search import wire
from svc.webapp.search.answering import Answering
from svc.webapp.search.config import FeedLimits
from svc.webapp.search.feeder import Feeder
from svc.webapp.search.generations import Generations
from svc.webapp.search.ranking import Weights
from svc.webapp.search.tantivy_index import TantivyIndex
from svc.webapp.store.feed_reads import FeedReads
from svc.webapp.store.pools import Pools
from tests.svc.webapp.api.office import Json, Office, Someone, office

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]


class Shelf:
    """A search instance within the test: a MessageIndex that is fed before it answers, unless it is `stale`."""

    def __init__(self, pools: Pools, folder: Path) -> None:
        clock = SystemClock()
        self.generations = Generations(folder, TantivyIndex)
        self.feeder = Feeder(FeedReads(pools.channel), self.generations, clock, FeedLimits(commit_s=0.0))
        self._answering = Answering(self.generations, Weights(), clock)
        self._turn = asyncio.Lock()
        self.is_stale = False

    async def search(self, request: pb.SearchRequest) -> pb.SearchResponse:
        async with self._turn:
            if not self.is_stale:
                self.feeder._looks.forget()
                while await self.feeder.step():
                    pass
        return wire.response(await self._answering.answer(wire.asked(request)))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A workspace, and an index of it."""
    async with office(tmp_path_factory.mktemp("acme")) as here:
        shelf = Shelf(here.pools, tmp_path_factory.mktemp("index"))
        here.library.index = shelf
        yield here
        shelf.generations.close()


@asynccontextmanager
async def stale(here: Office) -> AsyncIterator[None]:
    """Let the index hear of nothing for the block."""
    shelf = here.library.index
    assert isinstance(shelf, Shelf)
    shelf.is_stale = True
    yield
    shelf.is_stale = False


async def find(who: Someone, query: str, **arguments: Any) -> list[Json]:
    """Return what somebody finds, the newest first unless it is asked otherwise."""
    answer = await who.ok("search.messages", query=query, **{"sort": "timestamp", "count": 100, **arguments})
    found: list[Json] = answer["messages"]["matches"]
    return found


async def texts(who: Someone, query: str, **arguments: Any) -> list[str]:
    """Return the texts of that."""
    return [match["text"] for match in await find(who, query, **arguments)]


async def say(who: Someone, channel: str, text: str, **more: Any) -> str:
    """Post; return the ts."""
    return str((await who.ok("chat.postMessage", channel=channel, text=text, **more))["ts"])


async def test_a_hit_is_a_message_in_its_place(acme: Office) -> None:
    """Everything that Slack's clients read of a match, and both kinds of paging."""
    ada, grace = acme["ada"], acme["grace"]
    ts = await say(ada, acme.general, "The axolotl <https://a.b|regenerates>")
    answer = await grace.ok("search.messages", query="axolotl", highlight="true")
    assert answer["query"] == "axolotl"
    messages = answer["messages"]
    assert messages["total"] == 1
    assert messages["paging"] == {"count": 20, "total": 1, "page": 1, "pages": 1}
    paged = {"total_count": 1, "page": 1, "per_page": 20, "page_count": 1, "first": 1, "last": 1}
    assert messages["pagination"] == paged
    (match,) = messages["matches"]
    assert match["text"] == "The \ue000axolotl\ue001 <https://a.b|regenerates>"
    assert (match["type"], match["user"], match["username"], match["ts"]) == ("message", ada.id, "ada", ts)
    assert match["permalink"].endswith(f"/archives/{acme.general}/p{ts.replace('.', '')}")
    channel = match["channel"]
    assert (channel["id"], channel["name"], channel["is_private"]) == (acme.general, "general", False)
    assert len(match["iid"]) == 36
    assert match["team"] == ada.user.team_id
    assert match["score"] > 0
    assert (await find(grace, "axolotl"))[0]["iid"] == match["iid"]


async def test_what_cannot_be_searched_is_refused(acme: Office) -> None:
    """Bots have no search, and nothing is no query."""
    assert await acme["helper"].error("search.messages", query="x") == "not_allowed_token_type"
    for method in ("search.messages", "search.files", "search.all"):
        assert await acme["ada"].error(method) == "no_query"
        assert await acme["ada"].error(method, query=" !? ") == "no_query"
    assert await texts(acme["ada"], "nothingatallofthiskind") == []


async def test_edits_and_removals_are_followed_and_never_shown_late(acme: Office) -> None:
    """Even by an index that has not heard of them: what is shown is what is there."""
    ada, grace = acme["ada"], acme["grace"]
    ts = await say(ada, acme.general, "first okapi")
    gone = await say(ada, acme.general, "second okapi")
    assert await texts(grace, "okapi") == ["second okapi", "first okapi"]
    async with stale(acme):
        await ada.ok("chat.update", channel=acme.general, ts=ts, text="edited")
        await ada.ok("chat.delete", channel=acme.general, ts=gone)
        assert await texts(grace, "okapi") == ["edited"]
    assert await texts(grace, "okapi") == []


async def test_modifiers_narrow(acme: Office) -> None:
    """Who, where, when, and what a message has."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    private = (await ada.ok("conversations.create", name="burrow", is_private="true"))["channel"]["id"]
    await ada.ok("conversations.invite", channel=private, users=grace.id)
    direct = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
    one = await say(ada, acme.general, "wombat one")
    await say(grace, acme.general, "wombat two https://wombat.org", thread_ts=one)
    await say(grace, private, f"wombat three <@{ada.id}>")
    await say(grace, direct, "wombat four")
    await say(ada, direct, "wombat five")
    await grace.ok("reactions.add", channel=acme.general, timestamp=one, name="tada")
    await ada.ok("pins.add", channel=acme.general, timestamp=one)
    all_of_ada = ["five", "four", "three", "two", "one"]
    for query, wanted in {
        "wombat": all_of_ada,
        "wombat from:me": ["five", "one"],
        "wombat from:@grace": ["four", "three", "two"],
        f"wombat from:<@{grace.id}> -in:burrow": ["four", "two"],
        "wombat from:grace from:ada": all_of_ada,
        "wombat -from:grace": ["five", "one"],
        "wombat from:nobody": [],
        "wombat in:#general": ["two", "one"],
        f"wombat in:<#{private}|burrow>": ["three"],
        "wombat in:@grace": ["five", "four"],
        "wombat in:nowhere": [],
        "wombat to:me": ["four", "three"],
        "wombat to:@grace": ["five"],
        "wombat has:link": ["two"],
        "wombat has:pin": ["one"],
        "wombat has:reaction": ["one"],
        "wombat has::tada:": ["one"],
        "wombat has::sad:": [],
        "wombat -has::tada: in:general": ["two"],
        "wombat is:thread": ["two", "one"],
        "wombat on:today": all_of_ada,
        "wombat before:today": [],
        "wombat after:yesterday": all_of_ada,
        "wombat during:2001": [],
        '"wombat one"': ["one"],
        "wombat -one": ["five", "four", "three", "two"],
        "womb* three": ["three"],
        "wombats": [],
    }.items():
        found = [text.split()[1] for text in await texts(ada, query)]
        assert found == wanted, query
    assert [text.split()[1] for text in await texts(linus, "wombat")] == ["two", "one"]
    assert await texts(linus, "wombat in:burrow") == await texts(linus, f"wombat in:{private}") == []
    assert [each["channel"]["user"] for each in await find(ada, "wombat in:@grace")] == [grace.id, grace.id]
    loose = await texts(ada, "wombats", sort="score")
    assert len(loose) == 5


async def test_pages_are_numbered_and_turn_round(acme: Office) -> None:
    """The same hits from either end, in pages without gaps."""
    ada = acme["ada"]
    for number in range(7):
        await say(ada, acme.general, f"numbat n{number}")
    for sort in ("timestamp", "score"):
        wanted = await texts(ada, "numbat", sort=sort)
        assert len(wanted) == 7
        for direction, order in (("desc", wanted), ("asc", wanted[::-1])):
            found: list[str] = []
            for page in (1, 2, 3, 4):
                found += await texts(ada, "numbat", sort=sort, sort_dir=direction, count=3, page=page)
            assert found == order, (sort, direction)
    answer = await ada.ok("search.messages", query="numbat", count=3, page=3)
    assert answer["messages"]["pagination"]["first"] == answer["messages"]["pagination"]["last"] == 7
    assert answer["messages"]["paging"]["pages"] == 3


async def test_pages_go_on_by_cursor(acme: Office) -> None:
    """From `*` to the last one, whatever is said meanwhile; each hit once."""
    ada = acme["ada"]
    for number in range(7):
        await say(ada, acme.general, f"quokka n{number}")
    for sort in ("timestamp", "score"):
        for direction, step in (("desc", 1), ("asc", -1)):
            wanted = (await texts(ada, "quokka", sort=sort))[::step]
            found, cursor = [], "*"
            for turn in range(len(wanted)):
                ways = {"sort": sort, "sort_dir": direction, "count": 3, "cursor": cursor}
                answer = await ada.ok("search.messages", query="quokka", **ways)
                found += [each["text"] for each in answer["messages"]["matches"]]
                cursor = answer["response_metadata"]["next_cursor"]
                assert answer["messages"]["next_cursor"] == cursor
                if not turn:
                    await say(ada, acme.general, f"quokka late {sort} {direction}")
                if not cursor:
                    break
            assert found == wanted, (sort, direction)
    assert "response_metadata" not in await ada.ok("search.messages", query="quokka")
    for wrong in ("x", "bWVtYmVyOlUx"):
        assert await ada.error("search.messages", query="quokka", cursor=wrong) == "invalid_cursor"


async def test_who_has_left_or_was_removed_finds_nothing_more(acme: Office) -> None:
    """At once, and also by an index, or a list of memberships, that does not know it yet."""
    ada, grace = acme["ada"], acme["grace"]
    private = (await ada.ok("conversations.create", name="den", is_private="true"))["channel"]["id"]
    await ada.ok("conversations.invite", channel=private, users=grace.id)
    await say(ada, private, "the fossa hunts")
    assert await texts(grace, "fossa") == ["the fossa hunts"]
    await grace.ok("conversations.leave", channel=private)
    assert await texts(grace, "fossa") == []
    asked = acme.library.asked[-1]
    asked.member_channel_ids.append(private)
    shelf = acme.library.index
    assert shelf is not None
    assert (await shelf.search(asked)).total == 1, "the index alone would tell"
    assert await texts(ada, "fossa") == ["the fossa hunts"]


async def test_no_private_message_is_ever_shown_to_a_non_member(acme: Office) -> None:
    """Random conversations, members who come and go, and an index that is right, behind, or told too much."""
    rng = Random(11)
    people = [acme[name] for name in ("ada", "grace", "linus")]
    members: dict[str, set[str]] = {}
    for number in range(5):
        owner = rng.choice(people)
        created = await owner.ok("conversations.create", name=f"warren-{number}", is_private="true")
        members[created["channel"]["id"]] = {owner.id}
    posted: dict[str, list[str]] = {channel: [] for channel in members}
    by_id = {person.id: person for person in people}
    count = 0
    for _ in range(120):
        channel = rng.choice(list(members))
        inside = sorted(members[channel])
        someone = rng.choice(people)
        match rng.choice(("say", "say", "invite", "leave", "edit", "look", "look")):
            case "say" if inside:
                count += 1
                ts = await say(by_id[rng.choice(inside)], channel, f"pangolin {channel} n{count}")
                posted[channel].append(ts)
            case "invite" if inside and someone.id not in inside:
                await by_id[inside[0]].ok("conversations.invite", channel=channel, users=someone.id)
                members[channel].add(someone.id)
            case "leave" if len(inside) > 1 and someone.id in inside:
                await someone.ok("conversations.leave", channel=channel)
                members[channel].discard(someone.id)
            case "look":
                shelf = acme.library.index
                assert isinstance(shelf, Shelf)
                shelf.is_stale = rng.random() < 0.5
                mode = rng.choice(("timestamp", "score"))
                found = await find(someone, rng.choice(("pangolin", "pangolin -n1", f"in:{channel}")), sort=mode)
                assert all(someone.id in members[match["channel"]["id"]] for match in found)
                assert not any("pangolin" in match["text"] and match["channel"]["id"] not in members for match in found)
                shelf.is_stale = False
    for person in people:
        wanted = sorted(ts for channel, all_ in posted.items() if person.id in members[channel] for ts in all_)
        assert sorted(match["ts"] for match in await find(person, "pangolin")) == wanted
    assert count > 20


async def test_other_workspaces_are_other_worlds(acme: Office) -> None:
    """Nothing public here is public there."""
    await say(acme["ada"], acme.general, "a public echidna")
    team, _ = await acme.services.accounts.team("Umbrella", "umbrella")
    (eve,) = (await acme.hire(team.id, ["eve"])).values()
    assert await texts(eve, "echidna") == []
    assert await texts(eve, f"echidna in:{acme.general}") == []
    assert await texts(eve, f"echidna from:<@{acme['ada'].id}>") == []


async def test_files_are_found_by_name_and_title(acme: Office) -> None:
    """Those that the caller sees; in search.all beside messages."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    private = (await ada.ok("conversations.create", name="vault", is_private="true"))["channel"]["id"]
    await ada.ok("conversations.invite", channel=private, users=grace.id)
    for name, channel in (("quoll-report.txt", acme.general), ("quoll-secret.txt", private)):
        await ada.ok("files.upload", content="x", filename=name, title=name, channels=channel)
    names = {
        who.user.name: [file["name"] for file in (await who.ok("search.files", query="quoll"))["files"]["matches"]]
        for who in (grace, linus)
    }
    assert names == {"grace": ["quoll-secret.txt", "quoll-report.txt"], "linus": ["quoll-report.txt"]}
    for query, wanted in {"repo": 1, "quoll from:grace": 0, "quoll in:vault": 1, "quoll -report": 1}.items():
        assert (await grace.ok("search.files", query=query))["files"]["total"] == wanted, query
    answer = await grace.ok("search.all", query="quoll")
    assert answer["files"]["total"] == 2
    assert {match["channel"]["id"] for match in answer["messages"]["matches"]} == {acme.general, private}
    assert answer["posts"] == {"matches": [], "total": 0}


async def test_who_is_near_is_preferred(acme: Office) -> None:
    """The conversations that one reads, and the people that one writes to, are told to the second stage."""
    ada, grace = acme["ada"], acme["grace"]
    direct = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
    await find(ada, "anything")
    asked = acme.library.asked[-1]
    assert {direct, acme.general} <= set(asked.near_channels)
    assert {grace.id, ada.id} <= set(asked.near_users)
    assert acme.general not in asked.member_channel_ids
    assert direct in asked.member_channel_ids


async def test_without_a_search_instance_nothing_else_is_touched(acme: Office) -> None:
    """503, which clients may repeat; files, which need no index, are found as ever."""
    ada, index = acme["ada"], acme.library.index
    acme.library.burn()
    try:
        url, form = f"{ada.base}search.messages", {"query": "x"}
        async with ada.http.post(url, data=form, headers=ada.headers) as answer:
            assert answer.status == 503
            assert json.loads(await answer.text()) == {"ok": False, "error": "service_unavailable"}
        await ada.ok("search.files", query="x")
        await say(ada, acme.general, "life goes on")
        with pytest.raises(ParleyError):
            await acme.library.search(pb.SearchRequest())
    finally:
        acme.library.index = index
