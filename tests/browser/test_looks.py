"""The main views, light, dark and narrow: a screenshot of each is kept, and axe-core finds nothing serious in it.

axe-core (Deque) is put in by the browser's protocol, which no policy of a page holds back. All of its rules are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from ops.setup.binaries import ROOT
from tests.browser.views import DIALOGS, VIEWS, Opening, Scene
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
async def scene(mesh: Town) -> Scene:
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


@pytest.mark.parametrize(("look", "theme", "size"), LOOKS, ids=[look for look, _, _ in LOOKS])
async def test_main_views_look_and_are_accessible(
    browsing: Browsing, scene: Scene, look: str, theme: Theme, size: tuple[int, int]
) -> None:
    """Each view in its state as people see it."""
    visit = await browsing.signed_in("ada", theme, size)
    await look_at(browsing, visit.page, scene, VIEWS, look)


@pytest.mark.parametrize(("look", "theme", "size"), LOOKS[:2], ids=[look for look, _, _ in LOOKS[:2]])
async def test_dialogs_menus_and_panes_look_and_are_accessible(
    browsing: Browsing, scene: Scene, look: str, theme: Theme, size: tuple[int, int]
) -> None:
    """What opens above the main views and beside them."""
    visit = await browsing.signed_in("ada", theme, size)
    await look_at(browsing, visit.page, scene, DIALOGS, look)


async def look_at(browsing: Browsing, page: Page, scene: Scene, views: Sequence[Opening], look: str) -> None:
    """Keep a picture of each view, and have none of them with something grave in it."""
    found = {}
    for view in views:
        await view(page, scene)
        await page.evaluate("document.fonts.ready")
        await browsing.keep(page, f"{look}-{view.__name__}")
        if grave := await violations(page):
            found[view.__name__] = grave
    assert not found, found


@pytest.mark.parametrize(("look", "theme", "size"), LOOKS, ids=[look for look, _, _ in LOOKS])
async def test_the_way_in_looks_and_is_accessible(
    browsing: Browsing, look: str, theme: Theme, size: tuple[int, int]
) -> None:
    """Choosing who to be, the form of the password, and that of who is invited."""
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
    asked = await browsing.town["ada"].ok("admin.users.invite", email=f"{look}@example.org")
    await page.goto(asked["url"])
    await page.get_by_label("Password").fill("not so long")
    await browsing.keep(page, f"{look}-join")
    assert await violations(page) == []
