"""Reading: from a search into the past, what is new and meant for oneself, what one began."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.rows import channel_with
from tests.browser.screen import Screen
from tests.browser.visits import Browsing
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

MESSAGES = 2_000
DRAWN_MAX = 150
PAUSE = "I pushed a fix, can somebody have a look? It is the one that we talked about."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long(mesh: Town) -> str:
    """A channel with much in it; message 700 has a word of its own."""

    def text(number: int) -> str:
        return f"No {number}: {'kakapo ' if number == 700 else ''}{PAUSE * (number % 4)}"

    return await channel_with(mesh, "long-story", MESSAGES, text, ("ada", "grace", "linus"))


async def test_one_scrolls_through_all_of_it(browsing: Browsing, long: str) -> None:
    """Up by the wheel through several pages: consecutive, without gaps, few of them drawn; and back to now at once."""
    visit = await browsing.signed_in("ada")
    screen = Screen(visit.page)
    await screen.start(f"/client/{long}")
    await screen.main.has(f"No {MESSAGES}:")
    await screen.main.feed.hover()
    last = MESSAGES
    while last > MESSAGES - 400:
        await visit.page.mouse.wheel(0, -1_200)
        numbers = [int(text) for text in await screen.main.texts(r"(?<=No )\d+(?=:)")]
        # The one that has the focus is kept in the document, wherever it is.
        seen = [number for number in numbers if number < MESSAGES or numbers[-2:-1] == [MESSAGES - 1]]
        assert seen == list(range(seen[0], seen[-1] + 1))
        assert len(numbers) <= DRAWN_MAX
        last = min([last, *numbers])
    await visit.page.get_by_role("button", name="Jump to latest").click()
    await expect(screen.main.message(f"No {MESSAGES}:")).to_be_in_viewport()


async def test_a_link_to_an_old_message_shows_it_among_its_neighbours(browsing: Browsing, long: str) -> None:
    """And what is newer comes as one reads on."""
    ada = browsing.town["ada"]
    cursor, found = "", None
    while found is None:
        page = await ada.ok("conversations.history", channel=long, limit=1_000, cursor=cursor)
        found = next((each["ts"] for each in page["messages"] if "kakapo" in each["text"]), None)
        cursor = page.get("response_metadata", {}).get("next_cursor", "")
    visit = await browsing.signed_in("grace")
    screen = Screen(visit.page)
    await visit.page.goto(f"/client/{long}?at={found}")
    await expect(screen.main.message("No 700: kakapo")).to_be_in_viewport()
    await screen.main.has("No 699:")
    await screen.main.has("No 701:")
    await expect(visit.page.get_by_role("button", name=re.compile("Jump to latest|new message"))).to_be_visible()


async def test_what_is_new_is_marked_and_counted(browsing: Browsing) -> None:
    """Bold in the list, with a number where one is meant; a line above the first; gone when it is read."""
    town = browsing.town
    room = (await town["ada"].ok("conversations.create", name="news-room"))["channel"]["id"]
    await town["ada"].ok("conversations.invite", channel=room, users=town["grace"].user_id)
    visit = await browsing.signed_in("grace")
    screen = Screen(visit.page)
    await screen.start(f"/client/{room}")
    await screen.open("general")
    await town["ada"].post(room, "the first news")
    await expect(screen.place("news-room")).to_contain_text("unread")
    await town["ada"].post(room, f"news for <@{town['grace'].user_id}>")
    await expect(screen.place("news-room")).to_contain_text("1 mention")
    await screen.open("news-room")
    await screen.main.has("the first news")
    await expect(screen.main.feed.get_by_text("New", exact=True)).to_be_visible()
    await expect(screen.main.message("news for")).to_contain_text("@grace")
    await screen.open("general")
    await expect(screen.place("news-room")).not_to_contain_text(re.compile("mention|unread"))
    await screen.conversations.get_by_role("link", name="Activity").click()
    await expect(visit.page.get_by_role("main")).to_contain_text("news for @grace")


async def test_what_one_began_is_kept(browsing: Browsing) -> None:
    """A draft stays in its conversation, over others and over a reload; sent, it is gone."""
    visit = await browsing.signed_in("grace")
    screen = Screen(visit.page)
    await screen.start(f"/client/{browsing.town.general}")
    await screen.main.field.fill("half a thought")
    await screen.open("random")
    await expect(screen.main.field).not_to_contain_text("half a thought")
    await expect(screen.place("general").get_by_label("Draft")).to_be_visible()
    await visit.page.reload()
    await screen.open("general")
    assert "half a thought" in await screen.main.field.evaluate("(field) => field.value ?? field.textContent")
    await screen.main.field.focus()
    await visit.page.keyboard.press("End")
    await visit.page.keyboard.insert_text(", whole now")
    await visit.page.keyboard.press("Enter")
    await screen.main.has("half a thought, whole now")
    await screen.open("random")
    await expect(screen.place("general").get_by_label("Draft")).to_have_count(0)
