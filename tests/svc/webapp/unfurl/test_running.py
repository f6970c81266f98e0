"""The line of messages, and who fetches for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from svc.kit.clock import ManualClock, SystemClock
from svc.kit.errors import UnavailableError
from svc.kit.lifecycle import Tasks
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Message
from svc.webapp.unfurl.config import Networks, PreviewConfig
from svc.webapp.unfurl.fetching import run_fetcher
from svc.webapp.unfurl.finding import BURST_OF_A_HOST, FETCHES_A_HOST_MAX, KNOWN_S, UNKNOWN_S, Finder
from svc.webapp.unfurl.offers import Offered, Wish
from svc.webapp.unfurl.previews import Json
from svc.webapp.unfurl.running import Line, run_previews
from svc.webapp.unfurl.shelf import Paces, Shelf
from tests.svc.webapp.unfurl.sites import LOOPBACK, Names, page, reach
from tests.svc.webapp.websites import Handler, site

PATIENCE_S = 60.0
ALL = Wish(links=True, media=True)
EVERYWHERE = Names(a_example=["127.0.0.1"], b_example=["127.0.0.1"])


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something under a deadline."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def finding(handler: Handler, clock: ManualClock) -> AsyncIterator[tuple[Finder, int]]:
    """Have a finder, and a site for it."""
    async with (
        site(handler) as port,
        run_fetcher(reach(port), EVERYWHERE.lookup) as fetcher,
        Tasks("previews", 300) as tasks,
    ):
        yield Finder(fetcher, clock, tasks), port


async def test_a_crowd_that_asks_for_a_page_fetches_it_once() -> None:
    """Those who come while it is fetched, and those who come later; after its time it is fetched again."""
    count, go = 0, asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        nonlocal count
        count += 1
        await go.wait()
        return page("tea")

    clock = ManualClock()
    async with finding(answer, clock) as (finder, port), asyncio.timeout(PATIENCE_S):
        url = f"http://a.example:{port}/"
        asking = [asyncio.create_task(finder.find(url)) for _ in range(50)]
        # Who gives up does not take it from the others.
        await until(lambda: count == 1)
        asking[0].cancel()
        go.set()
        found = await asyncio.gather(*asking[1:])
        assert {each.attachment["title"] for each in found if each} == {"tea"}
        assert await finder.find(url) is found[0]
        assert count == 1
        await clock.advance(KNOWN_S + 1)
        assert await finder.find(url) is not None
    assert count == 2
    assert finder.outcomes == {"joined": 49, "found": 2, "known": 1}


async def test_what_was_not_found_is_not_asked_for_again_soon() -> None:
    """A page without words, one that is not there, and one that is forbidden."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=404) if request.path == "/gone" else web.Response(text="", content_type="text/html")

    clock = ManualClock()
    async with finding(answer, clock) as (finder, port), asyncio.timeout(PATIENCE_S):
        urls = [f"http://a.example:{port}/{name}" for name in ("gone", "blank")] + ["http://10.0.0.1/"]
        for _ in range(3):
            assert [await finder.find(url) for url in urls] == [None, None, None]
        assert asked == ["/gone", "/blank"]
        await clock.advance(UNKNOWN_S + 1)
        await finder.find(urls[0])
    assert asked == ["/gone", "/blank", "/gone"]
    assert finder.outcomes == {"failed": 2, "nothing": 1, "forbidden": 1, "known": 6}


async def test_a_host_is_asked_politely() -> None:
    """A few at a time, a burst at most, then one a second; another host all the same."""
    now, most = 0, 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return page("tea")

    clock = ManualClock()
    async with finding(answer, clock) as (finder, port), asyncio.timeout(PATIENCE_S):
        many = BURST_OF_A_HOST + 10
        found = await asyncio.gather(*(finder.find(f"http://a.example:{port}/{number}") for number in range(many)))
        assert sum(each is not None for each in found) == BURST_OF_A_HOST
        assert most <= FETCHES_A_HOST_MAX
        assert await finder.find(f"http://b.example:{port}/") is not None
        await clock.advance(1.0)
        assert await finder.find(f"http://a.example:{port}/x") is not None
        assert await finder.find(f"http://a.example:{port}/y") is None
    assert finder.outcomes["refused"] == 11


def test_shelves_and_paces_are_bounded() -> None:
    """The least used goes first, and whatever is over its time."""
    shelf = Shelf[int](2)
    shelf.put("a", 1, 10.0)
    shelf.put("b", 2, 10.0)
    assert shelf.get("a", 0.0) == (1,)
    shelf.put("c", 3, 10.0)
    assert (shelf.get("b", 0.0), shelf.get("a", 9.9), shelf.get("a", 10.0), len(shelf)) == (None, (1,), None, 1)
    paces = Paces(2, 1.0, 100)
    assert [paces.may_ask("a", now) for now in (0.0, 0.0, 0.0, 0.9, 1.0, 1.0, 50.0, 50.0, 50.0)] == [
        *(True, True, False, False, True, False),
        *(True, True, False),
    ]


@dataclass
class Room:
    """Messages in memory, and what was added to them."""

    texts: dict[int, str] = field(default_factory=dict)
    added: dict[int, Mapping[str, Json]] = field(default_factory=dict)
    fails_with: Exception | None = None

    async def read(self, channel_id: str, ts_us: int) -> Message | None:
        if self.fails_with is not None and ts_us == 0:
            raise self.fails_with
        text = self.texts.get(ts_us)
        return None if text is None else Message(channel_id, ts_us, 1, "U1", "", "", text, 0, False, "", b"")

    async def add(self, channel_id: str, ts_us: int, previews: Mapping[str, Json]) -> bool:
        self.added[ts_us] = previews
        return True


@asynccontextmanager
async def working(room: Room, answer: Handler) -> AsyncIterator[tuple[Line, int]]:
    """Make previews of what is offered to a line."""
    line = Line()
    async with site(answer) as port:
        config = PreviewConfig(is_on=True, networks=Networks((LOOPBACK,)), ports=(port,))
        async with run_previews(config, line, room.read, room.add, SystemClock(), EVERYWHERE.lookup):
            yield line, port


async def tea(request: web.Request) -> web.Response:
    """Answer every path with a page of its name."""
    return page(request.path)


async def test_a_message_gets_what_its_author_wants() -> None:
    """Of its links those that are new; nothing for a message that is gone."""
    room = Room()
    async with working(room, tea) as (line, port):
        base = f"http://a.example:{port}"
        for number in (1, 2, 3):
            room.texts[number] = f"<{base}/x|here> and {base}/y"
        line.offer(Offered("C1", 1, ALL))
        line.offer(Offered("C1", 2, ALL, frozenset({f"{base}/x"})))
        line.offer(Offered("C1", 3, Wish(links=False, media=True)))
        line.offer(Offered("C1", 4, ALL))
        await until(lambda: line.outcomes.total() == 4)
    assert {number: [each["title"] for each in added.values()] for number, added in room.added.items()} == {
        1: ["/x", "/y"],
        2: ["/y"],
    }
    assert line.outcomes == {"shown": 2, "nothing": 2}


@pytest.mark.parametrize("failure", [UnavailableError("away"), Refused("cannot_unfurl_message")])
async def test_a_message_that_cannot_be_looked_at_stops_no_other(failure: Exception) -> None:
    """Nobody was promised a preview."""
    room = Room({1: "https://nobody.example"}, fails_with=failure)
    async with working(room, tea) as (line, port):
        room.texts[2] = f"http://a.example:{port}/x"
        for number in (0, 1, 2):
            line.offer(Offered("C1", number, ALL))
        await until(lambda: line.outcomes.total() == 3)
    assert list(room.added) == [2]
    assert line.outcomes == {"failed": 1, "nothing": 1, "shown": 1}


async def test_a_line_that_is_full_takes_no_more() -> None:
    """And says so in a number; what is in it is looked at."""
    line = Line(waiting_max=3)
    for number in range(5):
        line.offer(Offered("C1", number, ALL))
    assert (len(line), line.outcomes) == (3, {"dropped": 2})
    async with asyncio.timeout(PATIENCE_S):
        assert [(await line.next()).ts_us for _ in range(3)] == [0, 1, 2]


async def test_nothing_runs_where_previews_are_off() -> None:
    """No sockets, no tasks."""
    before = len(asyncio.all_tasks())
    room = Room()
    async with run_previews(PreviewConfig(is_on=False), Line(), room.read, room.add, SystemClock()) as finder:
        assert finder is None
        assert len(asyncio.all_tasks()) == before
