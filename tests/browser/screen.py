"""The screen as somebody uses it who sees no pixels: everything is found by its role and its name.

A test that cannot find a thing so has found that a screen reader cannot either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.async_api import Error, Locator, Page, expect

from tests.browser.visits import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)

TRIES = 6
WRITING = re.compile("^(Message|Reply)")


@dataclass(frozen=True, slots=True)
class Pane:
    """A list of messages and what one writes in under it: a conversation, or a thread beside it."""

    place: Locator
    page: Page

    @property
    def field(self) -> Locator:
        """What one writes in."""
        return self.place.get_by_role("textbox", name=WRITING)

    @property
    def feed(self) -> Locator:
        """The messages."""
        return self.place.get_by_role("feed")

    def message(self, text: str | re.Pattern[str]) -> Locator:
        """Return the message with this in it."""
        return self.feed.get_by_role("article").filter(has_text=text)

    async def say(self, text: str) -> None:
        """Write a message, and send it by Enter."""
        await self.field.click()
        await self.page.keyboard.insert_text(text)
        await self.page.keyboard.press("Enter")

    async def has(self, text: str, count: int = 1) -> None:
        """Wait until the text is in exactly so many messages."""
        await expect(self.message(text)).to_have_count(count)

    async def texts(self, part: str) -> list[str]:
        """Return what of the drawn messages' texts matches `part`, from top to bottom."""
        found = [re.search(part, text) for text in await self.feed.get_by_role("article").all_inner_texts()]
        return [match.group() for match in found if match]

    async def act(self, message: Locator, action: str) -> None:
        """Use a button of the bar that comes with the pointer; what moved away under the pointer is followed."""
        button = message.get_by_role("toolbar").get_by_role("button", name=action)
        for _ in range(TRIES):
            await self.page.mouse.move(0, 0)
            await message.hover()
            try:
                return await button.click(timeout=PATIENCE_MS / TRIES)
            except Error:
                continue
        raise AssertionError(f"no {action} comes with the pointer")

    async def choose(self, message: Locator, item: str) -> None:
        """Choose from a message's menu."""
        await self.act(message, "More actions")
        await self.page.get_by_role("menuitem", name=item).click()


@dataclass(frozen=True, slots=True)
class Screen:
    """The window of somebody signed in."""

    page: Page

    @property
    def main(self) -> Pane:
        """The conversation that is open."""
        return Pane(self.page.get_by_role("main"), self.page)

    @property
    def thread(self) -> Pane:
        """The thread beside it."""
        return Pane(self.page.get_by_role("region", name="Thread", exact=True), self.page)

    @property
    def conversations(self) -> Locator:
        """The list at the left."""
        return self.page.get_by_role("navigation", name="Conversations")

    def place(self, name: str) -> Locator:
        """Return the way to a conversation; its name may go on with what is new in it."""
        return self.conversations.get_by_role("link", name=re.compile(rf"(^|\s){re.escape(name)}\b"))

    async def start(self, path: str = "/") -> None:
        """Load the page; ends when messages are there."""
        await self.page.goto(path)
        await expect(self.main.feed.get_by_role("article")).not_to_have_count(0)

    async def open(self, name: str) -> None:
        """Go to a conversation by the list."""
        await self.place(name).click()
        await expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()
        await expect(self.main.field).to_be_visible()

    async def search(self, query: str) -> None:
        """Search for messages."""
        await self.page.get_by_role("combobox", name="Search messages").first.fill(query)
        await self.page.keyboard.press("Enter")
