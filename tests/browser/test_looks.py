"""The main views, light, dark and narrow: a screenshot of each is kept, and axe-core finds nothing serious in it.

axe-core (Deque) is put in by the browser's protocol, which no policy of a page holds back. All of its rules are asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from ops.setup.binaries import ROOT
from tests.browser.screen import Screen
from tests.browser.visits import NARROW, WIDE, Browsing, Theme
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
RUN_AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, nodes: nodes.map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`).slice(0, 4),
  }));
}"""
LOOKS: tuple[tuple[str, Theme, tuple[int, int]], ...] = (
    ("light", "light", WIDE),
    ("dark", "dark", WIDE),
    ("narrow", "light", NARROW),
    ("narrow-dark", "dark", NARROW),
)


async def violations(page: Page) -> list[dict[str, Any]]:
    """Return what axe-core finds that is serious or critical."""
    protocol = await page.context.new_cdp_session(page)
    await protocol.send("Runtime.evaluate", {"expression": AXE.read_text()})
    await protocol.detach()
    found: list[dict[str, Any]] = await page.evaluate(RUN_AXE)
    return [each for each in found if each["impact"] in GRAVE]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(mesh: Town) -> tuple[str, str]:
    """A channel as people have them, and a thread in it."""
    ada, grace, linus, helper = (mesh[name] for name in ("ada", "grace", "linus", "helper"))
    channel = str((await ada.ok("conversations.create", name="engine-room"))["channel"]["id"])
    members = f"{grace.user_id},{linus.user_id},{helper.user_id}"
    await ada.ok("conversations.invite", channel=channel, users=members)
    await ada.ok("conversations.setTopic", channel=channel, topic="Release on Thursday; see :books: *the plan*")
    await ada.ok("conversations.setPurpose", channel=channel, purpose="Where the engine is looked after")
    await grace.post(channel, "Good morning! The deploy is out, please keep an eye on the graphs :eyes:")
    first = await ada.post(
        channel, f"Thanks <@{grace.user_id}>. Two things:\n• latency is *back to normal*\n• `boot` is faster"
    )
    await ada.post(channel, "```\nboot p50  12 ms\nboot p99  31 ms\n```\n&gt; and that is with a cold cache")
    for person, name in ((grace, "tada"), (linus, "tada"), (linus, "rocket")):
        await person.ok("reactions.add", channel=channel, timestamp=first["ts"], name=name)
    for person, text in (
        (linus, "How did you do it?"),
        (ada, "We ask once, and remember."),
        (grace, "Nice work :clap:"),
    ):
        await person.ok("chat.postMessage", channel=channel, thread_ts=first["ts"], text=text)
    await ada.ok("pins.add", channel=channel, timestamp=first["ts"])
    await helper.post(channel, "Build <https://example.org/builds/4711|#4711> of `main` passed in 4 min 12 s")
    await linus.post(channel, f"<@{ada.user_id}> I have a question about the ring, in <#{mesh.general}>")
    return channel, str(first["ts"])


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


@pytest.mark.parametrize(("look", "theme", "size"), LOOKS, ids=[look for look, _, _ in LOOKS])
async def test_main_views_look_and_are_accessible(
    browsing: Browsing, scene: Scene, look: str, theme: Theme, size: tuple[int, int]
) -> None:
    """Each view in its state as people see it."""
    visit = await browsing.signed_in("ada", theme, size)
    found = {}
    for view in VIEWS:
        await view(visit.page, scene)
        await visit.page.evaluate("document.fonts.ready")
        await browsing.keep(visit.page, f"{look}-{view.__name__}")
        if grave := await violations(visit.page):
            found[view.__name__] = grave
    assert not found, found


@pytest.mark.parametrize(("look", "theme", "size"), LOOKS, ids=[look for look, _, _ in LOOKS])
async def test_the_way_in_looks_and_is_accessible(
    browsing: Browsing, look: str, theme: Theme, size: tuple[int, int]
) -> None:
    """Choosing who to be, and the form of the password."""
    visit = await browsing.visit(theme, size)
    page = visit.page
    await page.goto("/")
    await expect(page.get_by_role("button", name="Ada Lovelace")).to_be_visible()
    await browsing.keep(page, f"{look}-demo")
    assert await violations(page) == []
    await page.get_by_role("button", name="Sign in with a password instead").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    await browsing.keep(page, f"{look}-password")
    assert await violations(page) == []
