"""Two people in two browsers: what one does, the other sees, without a reload and without being asked."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Page, expect

from tests.browser.screen import Screen
from tests.browser.visits import Browsing

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def two(browsing: Browsing) -> tuple[Screen, Screen]:
    """Return ada's and grace's screens, both in a channel of theirs."""
    room, screens = await browsing.room("ada", "grace"), []
    for name in ("ada", "grace"):
        visit = await browsing.signed_in(name)
        screens.append(Screen(visit.page))
        await screens[-1].start(f"/client/{room}")
    return screens[0], screens[1]


async def test_a_message_is_seen_reacted_to_edited_and_deleted(browsing: Browsing) -> None:
    """Each step in one browser, and what it did in the other."""
    ada, grace = await two(browsing)
    await ada.main.say("The kettle is *on*, <everyone> & all")
    seen = grace.main.message("The kettle is on, <everyone> & all")
    await expect(seen).to_have_count(1)
    await expect(ada.main.message("The kettle is on")).to_have_count(1)

    await grace.main.act(seen, "Find another reaction")
    await grace.page.get_by_role("combobox", name="Find an emoji").fill("tada")
    await expect(grace.page.get_by_role("option", name="tada").first).to_be_visible()
    await grace.page.keyboard.press("Enter")
    await expect(ada.main.message("The kettle").get_by_role("button", name="tada, 1")).to_be_visible()
    await ada.main.message("The kettle").get_by_role("button", name="tada, 1").click()
    await expect(grace.main.message("The kettle").get_by_role("button", name="tada, 2")).to_be_visible()

    await ada.main.choose(ada.main.message("The kettle"), "Edit message")
    await ada.page.keyboard.press("ControlOrMeta+a")
    await ada.page.keyboard.insert_text("The kettle is off")
    await ada.page.keyboard.press("Enter")
    await expect(grace.main.message("The kettle is off")).to_contain_text("edited")
    await expect(grace.main.message("The kettle is on")).to_have_count(0)

    await ada.main.choose(ada.main.message("The kettle is off"), "Delete")
    await ada.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await grace.main.has("The kettle", 0)
    await ada.main.has("The kettle", 0)


async def test_a_thread_is_spoken_in_beside_the_channel(browsing: Browsing) -> None:
    """The other opens it by what stands under the parent; replies are in the thread, and not in the channel."""
    ada, grace = await two(browsing)
    await ada.main.say("Who brings the tea?")
    await ada.main.act(ada.main.message("Who brings the tea?"), "Reply in thread")
    await ada.thread.has("Who brings the tea?")
    await ada.thread.say("I could")
    await grace.main.message("Who brings the tea?").get_by_role("button", name="1 reply").click()
    await grace.thread.has("I could")
    await grace.thread.say("Then I bring milk")
    await ada.thread.has("Then I bring milk")
    await grace.main.has("Then I bring milk", 0)
    await expect(ada.main.message("Who brings the tea?")).to_contain_text("2 replies")


async def test_a_direct_message_appears_at_the_other(browsing: Browsing) -> None:
    """Opened by the switcher; the other has it in the list with its count, and reads it."""
    ada, grace = await two(browsing)
    await ada.page.keyboard.press("ControlOrMeta+k")
    await ada.page.get_by_role("combobox", name="Name of a conversation or a person").fill("grac")
    await ada.page.get_by_role("option", name="grace").first.click()
    await expect(ada.page.get_by_role("heading", level=1, name="grace")).to_be_visible()
    await ada.main.say("Between us")
    await expect(grace.place("ada")).to_contain_text("1")
    await grace.open("ada")
    await grace.main.has("Between us")
    await grace.main.say("Not a word")
    await ada.main.has("Not a word")
    await expect(grace.place("ada")).not_to_contain_text("mention")


async def test_typing_is_seen(browsing: Browsing) -> None:
    """By name, while it lasts."""
    ada, grace = await two(browsing)
    await ada.main.field.press_sequentially("Well, ")
    await expect(grace.page.get_by_text("ada is typing")).to_be_visible()
    await ada.main.field.fill("")


async def test_files_are_picked_dropped_and_shown(browsing: Browsing) -> None:
    """By the button, and by dropping; the other sees the picture, and the text's beginning."""
    ada, grace = await two(browsing)
    picture = await ada.page.screenshot()
    async with ada.page.expect_file_chooser() as chooser:
        await ada.main.place.get_by_role("button", name="Attach").click()
    await (await chooser.value).set_files({"name": "view.png", "mimeType": "image/png", "buffer": picture})
    await ada.main.say("A view of it")
    shown = grace.main.message("A view of it")
    await expect(shown.get_by_role("img", name="view.png")).to_be_visible()
    await _drop(ada.page, ada, "notes.txt", "first line of the notes")
    await ada.main.say("And the notes")
    await expect(grace.main.message("And the notes")).to_contain_text("notes.txt")
    await expect(grace.main.message("And the notes")).to_contain_text("first line of the notes")


async def _drop(page: Page, screen: Screen, name: str, content: str) -> None:
    """Drop a file where one writes."""
    carried = await page.evaluate_handle(
        """([name, content]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([content], name, {type: "text/plain"}));
          return carried;
        }""",
        [name, content],
    )
    for event in ("dragenter", "dragover", "drop"):
        await screen.main.field.dispatch_event(event, {"dataTransfer": carried})


async def test_a_search_leads_to_the_message(browsing: Browsing) -> None:
    """What was said just now is found, marked, and shown in its place."""
    ada, grace = await two(browsing)
    word = f"quokka{time.time_ns()}"
    await ada.main.say(f"A wild {word} appears")
    await grace.main.has(word)
    deadline = time.monotonic() + 60
    while True:  # the index follows within two seconds, when there is a processor for it
        await grace.search(word)
        hit = (
            grace.page.get_by_role("main")
            .get_by_role("link")
            .or_(grace.page.get_by_role("article"))
            .filter(has_text=word)
        )
        try:
            await expect(hit.first).to_be_visible(timeout=3_000)
            break
        except AssertionError:
            assert time.monotonic() < deadline
            await grace.page.go_back()
    await hit.first.click()
    await expect(grace.main.message(word)).to_be_in_viewport()
