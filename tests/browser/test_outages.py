"""What people write outlives the death of a gateway and the loss of a network: all of it arrives, once, in order."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.screen import Screen
from tests.browser.visits import PATIENCE_MS, Browsing, Visit
from tests.browser.wire import wire

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

AWAY_S = 20.0
LOST = ("WebSocket connection to", "net::ERR_", "Failed to load resource", "Failed to fetch")
"""What a browser itself says of a lost network."""


async def seated(browsing: Browsing, name: str, room: str, proxy: str = "") -> tuple[Visit, Screen]:
    """Return somebody's screen, in a conversation, with a network that may be lost."""
    context: dict[str, Any] = {"proxy": {"server": proxy}} if proxy else {}
    visit = await browsing.signed_in(name, **context)
    visit.pardon(*LOST)
    screen = Screen(visit.page)
    await screen.start(f"/client/{room}")
    return visit, screen


def gateway_of(visit: Visit) -> str:
    """Return the name of the gateway that a page connected to last."""
    (name,) = [name for name, url in visit.town.mesh.ws_urls.items() if visit.sockets[-1].startswith(url)]
    return name


async def all_there(screen: Screen, part: str, count: int) -> None:
    """Wait until messages 1 to `count` are shown, in order; none of them may be there twice at any time."""
    wanted = [f"{part} {number}." for number in range(1, count + 1)]
    deadline = time.monotonic() + 2 * PATIENCE_MS / 1_000
    while (now := await screen.main.texts(rf"{part} \d+\.")) != wanted:
        assert len(set(now)) == len(now), now
        assert time.monotonic() < deadline, (now, wanted)
        await asyncio.sleep(0.05)


async def test_a_gateway_dies_and_then_the_network_for_a_while(browsing: Browsing) -> None:
    """Both go on writing all the while; in the end both have everything, once, in the order of each writer."""
    town, room = browsing.town, await browsing.room("ada", "grace")
    async with wire() as line:
        _, ada = await seated(browsing, "ada", room)
        visit, grace = await seated(browsing, "grace", room, proxy=line.address)
        await ada.main.say("before 1.")
        await grace.main.has("before 1.")
        victim = gateway_of(visit)
        try:
            await town.mesh.kill(victim)
            for number in (1, 2, 3):
                await ada.main.say(f"killed {number}.")
                await grace.main.say(f"dark {number}.")
            await all_there(grace, "killed", 3)
            await all_there(ada, "dark", 3)
            line.cut()
            lost_at = asyncio.get_running_loop().time()
            for number in (4, 5, 6):
                await ada.main.say(f"killed {number}.")
                await grace.main.say(f"dark {number}.")
            await all_there(ada, "killed", 6)
            # What is written meanwhile is shown as waiting, and the line as lost.
            await grace.main.has("dark 6.")
            # Not a wait for something: this is how long it is away.
            await asyncio.sleep(max(0.0, lost_at + AWAY_S - asyncio.get_running_loop().time()))
            line.mend()
            await all_there(grace, "killed", 6)
            await all_there(ada, "dark", 6)
            await all_there(grace, "dark", 6)
        finally:
            await town.mesh.start(victim)


async def test_a_killed_gateway_costs_no_boot(browsing: Browsing) -> None:
    """Each open tab goes on at the other gateway by the ticket that it was sent, and has what was said meanwhile."""
    town, room = browsing.town, await browsing.room("ada", "grace")
    visit, first = await seated(browsing, "grace", room)
    tabs = [first]
    for _ in range(2):
        tabs.append(Screen(await visit.tab()))
        await tabs[-1].start(f"/client/{room}")
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while visit.returning < {tab.page for tab in tabs}:
            await asyncio.sleep(0.05)
    booted, victim = visit.boots, gateway_of(visit)
    assert booted >= len(tabs)
    try:
        await town.mesh.kill(victim)
        await town["ada"].post(room, "meanwhile 1.")
        for tab in tabs:
            await all_there(tab, "meanwhile", 1)
            await tab.main.say("still here")
        for tab in tabs:
            await tab.main.has("still here", len(tabs))
        assert visit.boots == booted
        assert gateway_of(visit) != victim
    finally:
        await town.mesh.start(victim)


async def test_unsent_messages_outlive_a_reload(browsing: Browsing) -> None:
    """Offline one may write and reload nothing; what was written is sent, in order, when the page is there again."""
    room = await browsing.room("ada", "grace")
    _, ada = await seated(browsing, "ada", room)
    visit, grace = await seated(browsing, "grace", room)
    await visit.context.set_offline(True)
    for number in (1, 2, 3):
        await grace.main.say(f"kept {number}.")
    await grace.main.has("kept 3.")
    await expect(grace.main.message("kept 1.")).to_contain_text("Will be sent when you are back online")
    await visit.page.close()
    await visit.context.set_offline(False)
    page = await visit.tab()
    again = Screen(page)
    await again.start(f"/client/{room}")
    await all_there(ada, "kept", 3)
    await all_there(again, "kept", 3)
    await expect(again.main.message("kept 3.")).not_to_contain_text("Will be sent")


async def test_being_offline_is_said(browsing: Browsing) -> None:
    """And not any more when it is over; what came meanwhile is there."""
    room = await browsing.room("ada", "grace")
    visit, grace = await seated(browsing, "grace", room)
    await visit.context.set_offline(True)
    said = visit.page.get_by_role("status").filter(has_text="You are offline")
    await expect(said).to_be_visible()
    await browsing.town["ada"].post(room, "said meanwhile")
    await visit.context.set_offline(False)
    await grace.main.has("said meanwhile")
    await expect(said).to_have_count(0)


async def test_two_tabs_of_one_person_are_one(browsing: Browsing) -> None:
    """What is written in one is in the other, once; also what both kept while they were offline."""
    room = await browsing.room("ada", "grace")
    visit, first = await seated(browsing, "grace", room)
    second = Screen(await visit.tab())
    await second.start(f"/client/{room}")
    await first.main.say("tabbed 1.")
    await second.main.has("tabbed 1.")
    await visit.context.set_offline(True)
    await first.main.say("tabbed 2.")
    await second.main.say("tabs 1.")
    await visit.context.set_offline(False)
    for screen in (first, second):
        await all_there(screen, "tabbed", 2)
        await all_there(screen, "tabs", 1)
    sent = ("tabbed 1.", "tabbed 2.", "tabs 1.")
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while not set(sent) <= set(texts := await said(browsing, room)):
            await asyncio.sleep(0.1)
    assert [texts.count(each) for each in sent] == [1, 1, 1]


async def said(browsing: Browsing, room: str) -> list[str]:
    """Return what the server knows to be in a conversation."""
    found = await browsing.town["ada"].ok("conversations.history", channel=room)
    return [message["text"] for message in found["messages"]]
