"""The views of the client, each brought into the state in which people see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.browser.screen import Screen

Scene = tuple[str, str]
Opening = Callable[[Page, Scene], Awaitable[None]]


async def conversation(page: Page, scene: Scene) -> None:
    """A channel."""
    await Screen(page).start(f"/client/{scene[0]}")
    await Screen(page).main.has("question about the ring")


async def thread(page: Page, scene: Scene) -> None:
    """A thread beside its channel."""
    await page.goto(f"/client/{scene[0]}/thread/{scene[1]}")
    await Screen(page).thread.has("Nice work")


async def details(page: Page, scene: Scene) -> None:
    """What a channel is, and who is in it."""
    await page.goto(f"/client/{scene[0]}/details")
    await expect(page.get_by_role("region", name="Details", exact=True)).to_contain_text(
        "Where the engine is looked after"
    )


async def home(page: Page, _: Scene) -> None:
    """Where one starts: in a narrow window, the list of conversations."""
    await page.goto("/")
    await expect(page.get_by_role("navigation", name="Conversations")).to_be_visible()
    await expect(Screen(page).place("general")).to_be_visible()


async def search(page: Page, _: Scene) -> None:
    """What was found."""
    await page.goto("/client/search?q=latency")
    await expect(page.get_by_role("main")).to_contain_text("back to normal")


async def activity(page: Page, _: Scene) -> None:
    """Where one is mentioned."""
    await page.goto("/client/activity")
    await expect(page.get_by_role("main")).to_contain_text("question about the ring")


async def browse(page: Page, _: Scene) -> None:
    """All channels."""
    await page.goto("/client/browse")
    await expect(page.get_by_role("main")).to_contain_text("engine-room")


async def switcher(page: Page, scene: Scene) -> None:
    """Going anywhere by a few letters."""
    await conversation(page, scene)
    await page.keyboard.press("ControlOrMeta+k")
    # The first time its code may still be on its way; letters typed meanwhile go nowhere.
    await expect(page.get_by_role("combobox", name="Name of a conversation or a person")).to_be_focused()
    await page.keyboard.type("r")
    await expect(page.get_by_role("option").first).to_be_visible()


async def preferences(page: Page, scene: Scene) -> None:
    """The dialog of preferences."""
    await conversation(page, scene)
    await page.keyboard.press("ControlOrMeta+,")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def shortcuts(page: Page, scene: Scene) -> None:
    """The keys that there are."""
    await conversation(page, scene)
    await page.keyboard.press("ControlOrMeta+/")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def emoji(page: Page, scene: Scene) -> None:
    """The picker of emoji."""
    await conversation(page, scene)
    message = Screen(page).main.message("question about the ring")
    await message.focus()
    await expect(message).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.get_by_label("Find an emoji")).to_be_visible()


VIEWS: tuple[Opening, ...] = (
    home, conversation, thread, details, search, activity, browse, switcher, preferences, shortcuts, emoji,
)  # fmt: skip


async def card(page: Page, scene: Scene) -> None:
    """Who somebody is."""
    await conversation(page, scene)
    await Screen(page).main.message("question about the ring").get_by_role("button", name="linus").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Linus Torvalds")


async def own_card(page: Page, scene: Scene) -> None:
    """What one says of oneself."""
    await conversation(page, scene)
    await page.get_by_role("navigation").get_by_role("button", name="ada").click()
    await page.get_by_role("menuitem", name="Profile").click()
    await page.get_by_role("button", name="Edit profile").click()
    await expect(page.get_by_role("textbox", name="Full name")).to_be_visible()


async def status(page: Page, scene: Scene) -> None:
    """The dialog of one's status."""
    await conversation(page, scene)
    await page.get_by_role("navigation").get_by_role("button", name="ada").click()
    await page.get_by_role("menuitem", name="Set a status").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def new_channel(page: Page, scene: Scene) -> None:
    """Making a channel, with a name that will not do."""
    await conversation(page, scene)
    await Screen(page).conversations.get_by_role("button", name="Create a channel").click()
    await page.get_by_role("textbox", name="Name").fill("engine-room")
    await page.get_by_role("dialog").get_by_role("button", name="Create").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()


async def new_message(page: Page, scene: Scene) -> None:
    """Choosing whom to write to."""
    await conversation(page, scene)
    await page.get_by_role("button", name="New message").first.click()
    await expect(page.get_by_role("option").first).to_be_visible()


async def invitation(page: Page, scene: Scene) -> None:
    """Inviting somebody."""
    await conversation(page, scene)
    await page.get_by_role("navigation").get_by_role("button", name="Demo").click()
    await page.get_by_role("menuitem", name="Invite people").click()
    await expect(page.get_by_role("textbox", name="E-mail address")).to_be_visible()


async def menu(page: Page, scene: Scene) -> None:
    """What can be done with a message."""
    await conversation(page, scene)
    message = Screen(page).main.message("Thanks")
    await message.focus()
    await expect(message).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()


async def question(page: Page, scene: Scene) -> None:
    """Before something that cannot be taken back."""
    await conversation(page, scene)
    message = Screen(page).main.message("Thanks")
    await message.focus()
    await expect(message).to_be_focused()
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def members(page: Page, scene: Scene) -> None:
    """Who is in a channel."""
    await details(page, scene)
    await page.get_by_role("tab", name="Members").click()
    await expect(page.get_by_role("tabpanel").get_by_role("button", name="linus").first).to_be_visible()


async def pins(page: Page, scene: Scene) -> None:
    """What is pinned there."""
    await details(page, scene)
    await page.get_by_role("tab", name="Pins").click()
    await expect(page.get_by_role("tabpanel").get_by_role("article")).to_be_visible()


async def writing(page: Page, scene: Scene) -> None:
    """Names that are offered as one writes."""
    await conversation(page, scene)
    await Screen(page).main.field.click()
    await page.keyboard.type("ask @")
    await expect(page.get_by_role("option").first).to_be_visible()


DIALOGS: tuple[Opening, ...] = (
    card, own_card, status, new_channel, new_message, invitation, menu, question, members, pins, writing,
)  # fmt: skip
