"""What two people do with all that is around messages: pins, presence, channels, profiles, invitations."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import Locator, expect

from tests.browser.screen import Screen
from tests.browser.visits import Browsing

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def seated(browsing: Browsing, name: str, room: str) -> Screen:
    """Return somebody's screen, in a conversation."""
    screen = Screen((await browsing.signed_in(name)).page)
    await screen.start(f"/client/{room}")
    return screen


def details(screen: Screen) -> Locator:
    """Return the pane beside a conversation."""
    return screen.page.get_by_role("region", name="Details", exact=True)


async def test_what_one_pins_the_other_finds_and_takes_down(browsing: Browsing) -> None:
    """On the message, and in the list of pins, without a reload."""
    room = await browsing.room("ada", "grace")
    ada, grace = [await seated(browsing, name, room) for name in ("ada", "grace")]
    await ada.main.say("the door code is 4711")
    await grace.main.has("the door code")
    await ada.main.choose(ada.main.message("the door code"), "Pin to conversation")
    await expect(grace.main.message("the door code")).to_contain_text("Pinned")
    await grace.page.get_by_role("button", name="Details").click()
    await details(grace).get_by_role("tab", name="Pins").click()
    await expect(details(grace).get_by_role("article")).to_contain_text("the door code is 4711")
    await details(grace).get_by_role("button", name="Unpin").click()
    await expect(details(grace)).to_contain_text("Nothing is pinned")
    await expect(ada.main.message("the door code")).not_to_contain_text("Pinned")


async def test_who_is_there_has_a_dot(browsing: Browsing) -> None:
    """Only who is on the screen is asked about; away by hand is seen, and being back."""
    town = browsing.town
    talk = str((await town["ada"].ok("conversations.open", users=town["linus"].user_id))["channel"]["id"])
    await town["linus"].post(talk, "I am here")
    ada = await seated(browsing, "ada", talk)
    row, header = ada.place("linus"), ada.page.get_by_role("heading", level=1, name="linus")
    linus = await seated(browsing, "linus", talk)
    for place in (row, header):
        await expect(place.get_by_role("img", name="Active")).to_be_visible()
    you = linus.page.get_by_role("navigation").get_by_role("button", name="linus")
    for choice, told in (("Set yourself as away", "Away"), ("Set yourself as active", "Active")):
        await you.click()
        await linus.page.get_by_role("menuitem", name=choice).click()
        for place in (row, header):
            await expect(place.get_by_role("img", name=told)).to_be_visible()


async def test_a_private_channel_is_made_described_renamed_and_closed_to_somebody(browsing: Browsing) -> None:
    """By the dialogs and panes of one; the other sees it come, change and go."""
    ada, grace = [await seated(browsing, name, browsing.town.general) for name in ("ada", "grace")]
    page, name = ada.page, f"den-{time.time_ns()}"
    await ada.conversations.get_by_role("button", name="Create a channel").click()
    dialog = page.get_by_role("dialog", name="Create a channel")
    await dialog.get_by_role("textbox", name="Name").fill(name)
    await dialog.get_by_role("textbox", name="Purpose").fill("Where foxes talk")
    await dialog.get_by_role("radio", name=re.compile("Private")).check(force=True)
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()

    await page.get_by_role("button", name="Details").click()
    await details(ada).get_by_role("button", name="Add people").click()
    await page.get_by_role("combobox", name="Whom?").fill("grac")
    await page.get_by_role("option", name="grace").first.click()
    await page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    await grace.open(name)
    header = grace.page.get_by_role("main").get_by_role("banner").or_(grace.page.get_by_role("main"))

    await details(ada).get_by_role("button", name="Edit the topic").click()
    await details(ada).get_by_role("textbox", name="Topic").fill("only at night")
    await page.keyboard.press("Enter")
    await expect(header.first).to_contain_text("only at night")
    await details(ada).get_by_role("button", name="Edit the name").click()
    await details(ada).get_by_role("textbox", name="Name").fill(f"{name}-deep")
    await page.keyboard.press("Enter")
    await expect(grace.page.get_by_role("heading", level=1, name=f"{name}-deep")).to_be_visible()

    await details(ada).get_by_role("tab", name="Members").click()
    await details(ada).get_by_role("button", name="Remove grace").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(grace.place(f"{name}-deep")).to_have_count(0)
    await expect(details(ada).get_by_role("button", name="Remove grace")).to_have_count(0)


async def test_what_one_says_of_oneself_the_other_reads(browsing: Browsing) -> None:
    """Title and status are seen in the card that is open, and beside the name."""
    room = await browsing.room("ada", "grace")
    ada, grace = [await seated(browsing, name, room) for name in ("ada", "grace")]
    await grace.main.say("look at my card")
    await ada.main.message("look at my card").get_by_role("button", name="grace").click()
    card, title = ada.page.get_by_role("dialog", name="Profile"), f"Admiral {time.time_ns()}"
    await expect(card).to_contain_text("Grace Hopper")
    you = grace.page.get_by_role("navigation").get_by_role("button", name="grace")
    await you.click()
    await grace.page.get_by_role("menuitem", name="Profile").click()
    await grace.page.get_by_role("button", name="Edit profile").click()
    await grace.page.get_by_role("textbox", name="Title").fill(title)
    await grace.page.get_by_role("button", name="Save").click()
    await expect(grace.page.get_by_role("dialog")).to_have_count(0)
    await expect(card).to_contain_text(title)
    await you.click()
    await grace.page.get_by_role("menuitem", name="Set a status").click()
    await grace.page.get_by_role("textbox", name="What is going on?").fill("counting nanoseconds")
    await grace.page.keyboard.press("Enter")
    await expect(grace.page.get_by_role("dialog")).to_have_count(0)
    await expect(card).to_contain_text("counting nanoseconds")
    await you.click()
    await grace.page.get_by_role("menuitem", name="Clear your status").click()
    await expect(card).not_to_contain_text("counting nanoseconds")


async def test_who_is_invited_by_a_link_is_there(browsing: Browsing) -> None:
    """One makes the link in a dialog, somebody new opens it and makes an account; then they write to each other."""
    ada = await seated(browsing, "ada", browsing.town.general)
    page, name = ada.page, f"mary{time.time_ns() % 1_000_000_000}"
    await page.get_by_role("navigation").get_by_role("button", name="Demo").click()
    await page.get_by_role("menuitem", name="Invite people").click()
    await page.get_by_role("textbox", name="E-mail address").fill(f"{name}@example.org")
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_role("textbox", name="Link").input_value()
    await page.get_by_role("button", name="Done").click()

    new = Screen((await browsing.visit()).page)
    await new.page.goto(link)
    await expect(new.page.get_by_role("heading", name="Join Demo")).to_be_visible()
    await new.page.get_by_role("textbox", name="Your name").fill("Mary Somerville")
    await new.page.get_by_role("textbox", name="User name").fill(name)
    await new.page.get_by_label("Password").fill("correct horse battery staple")
    await new.page.get_by_role("button", name="Create account").click()
    await expect(new.main.feed.get_by_role("article")).not_to_have_count(0)

    await page.keyboard.press("ControlOrMeta+k")
    await page.get_by_role("combobox", name="Name of a conversation or a person").fill(name)
    await page.get_by_role("option").filter(has_text=name).first.click()
    await ada.main.say("welcome, Mary")
    await expect(new.place("ada")).to_contain_text("1")
    await new.open("ada")
    await new.main.has("welcome, Mary")
