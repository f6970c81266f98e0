"""Text from people is text: nothing of it runs, leads astray or leaves its place, wherever the client shows it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.hostile import LINKS, MARKUP, ODD, RUN, SHAPES, escaped
from tests.browser.screen import Screen
from tests.browser.visits import Browsing
from tests.mesh.people import Person
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PICTURES = r"request to elsewhere: https://(example\.org|evil\.example)"
"""Pictures of attachments come from where their author says, by https; the machine has no network to fetch them by."""

FOREIGN = """() => {
  const found = [];
  const never = ["IFRAME", "OBJECT", "EMBED", "BASE", "TEMPLATE", "MATH", "FRAME"];
  for (const each of document.querySelectorAll("*")) {
    if (never.includes(each.tagName)) found.push(each.outerHTML);
    if (each.tagName === "SCRIPT" && !each.src.startsWith(location.origin)) found.push(each.outerHTML);
    if (each.tagName === "STYLE" && each.textContent.includes("display:none")) found.push(each.outerHTML);
    for (const { name, value } of each.attributes) {
      if (/^on/i.test(name) || name === "srcdoc" || name === "formaction") found.push(`${name}=${value}`);
      const leads = ["href", "src", "action", "xlink:href", "data", "poster"].includes(name);
      const scheme = leads && each.tagName !== "use" ? new URL(value, location.href).protocol : "";
      const own = each.tagName === "A" ? ["http:", "https:", "mailto:"] : ["http:", "https:", "blob:", "data:"];
      if (scheme && !own.includes(scheme)) found.push(`${each.tagName} ${name}=${value}`);
      if (scheme === "data:" && !value.startsWith("data:image/")) found.push(`${each.tagName} ${name}=${value}`);
    }
    if (each.tagName === "A" && each.origin !== location.origin) {
      if (!each.rel.includes("noopener") || !each.rel.includes("noreferrer")) found.push(`rel of ${each.outerHTML}`);
    }
  }
  return found;
}"""
"""What a page of ours has no use for, were it made of nothing but our own code."""


async def clean(page: Page) -> None:
    """Check that nothing in the document was made by a text."""
    assert await page.evaluate(FOREIGN) == []
    assert await page.evaluate("window.__ran ?? null") is None


async def room(person: Person, name: str) -> str:
    """Make a channel for a test."""
    return str((await person.ok("conversations.create", name=name))["channel"]["id"])


NEXT_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
WHERE = """(feed) => {
  let at = feed;
  while (at && at.scrollHeight <= at.clientHeight) at = at.parentElement;
  return at?.scrollTop ?? 0;
}"""
SCROLLED_S = 90.0
STUCK_MAX = 5
"""So often may the wheel move nothing before it is turned the other way: it is at an end."""


async def shown_one_by_one(screen: Screen, path: str, count: int) -> list[str]:
    """Scroll up and down through a conversation; return the texts of its numbered messages, each checked as drawn.

    A busy browser scrolls by more than was shown: what was passed over is seen on the way back.
    """
    await screen.start(path)
    texts: dict[int, str] = {}
    feed, step, stuck = screen.main.feed, -500, 0
    await feed.hover()
    deadline = time.monotonic() + SCROLLED_S
    while True:
        await clean(screen.page)
        for text in await feed.get_by_role("article").all_inner_texts():
            if number := re.search(r"no\. (\d+)\b", text):
                texts[int(number[1])] = text
        if len(texts) == count:
            return [texts[number] for number in range(count)]
        assert time.monotonic() < deadline, sorted(set(range(count)) - set(texts))
        before = await feed.evaluate(WHERE)
        await screen.page.mouse.wheel(0, step)
        await screen.page.evaluate(NEXT_FRAMES)
        stuck = stuck + 1 if await feed.evaluate(WHERE) == before else 0
        if stuck == STUCK_MAX:
            step, stuck = -step, 0


async def test_markup_is_shown_as_it_was_typed(browsing: Browsing) -> None:
    """Sent as a client escapes it, and shown to the letter."""
    ada = browsing.town["ada"]
    channel = await room(ada, "markup")
    for number, text in enumerate(MARKUP):
        await ada.post(channel, f"no. {number} {escaped(text)}")
    visit = await browsing.signed_in("ada")
    shown = await shown_one_by_one(Screen(visit.page), f"/client/{channel}", len(MARKUP))
    for text, seen in zip(MARKUP, shown, strict=True):
        # Marks of our own formatting fall away; what makes markup of a text does not.
        assert _letters(text) in _letters(seen), (text, seen)


def _letters(text: str) -> str:
    return "".join(each for each in text if not each.isspace() and each not in "`*_~\0")


async def test_raw_markup_and_links_lead_nowhere(browsing: Browsing) -> None:
    """As the API lets one send it, unescaped, and as links of all of Slack's shapes."""
    ada = browsing.town["ada"]
    channel = await room(ada, "links")
    texts = [*MARKUP, *(shape.format(link) for link in LINKS for shape in SHAPES), *ODD]
    # Many to a message: what is looked for is found anywhere.
    sent = ["\n".join(texts[at : at + 8]) for at in range(0, len(texts), 8)]
    for number, text in enumerate(sent):
        await ada.post(channel, f"no. {number} \n{text[:30_000]}")
    visit = await browsing.signed_in("ada")
    await shown_one_by_one(Screen(visit.page), f"/client/{channel}", len(sent))


async def test_blocks_and_attachments_are_no_way_in(browsing: Browsing) -> None:
    """Where apps say what is drawn: every text and address of blocks and attachments, and the name of the app."""
    ada = browsing.town["ada"]
    channel = await room(ada, "blocks")
    made = [[_block(kind, text) for kind in range(6)] for text in (*MARKUP[:12], *LINKS)]
    for number, blocks in enumerate(made):
        await ada.call("chat.postMessage", channel=channel, text=f"no. {number} x", blocks=blocks)
    for text in (*MARKUP[:12], *LINKS):
        attachment: dict[str, Any] = dict.fromkeys(("title", "text", "pretext", "author_name", "footer"), text)
        attachment |= {
            "title_link": text,
            "author_link": text,
            "image_url": text,
            "thumb_url": text,
            "footer_icon": text,
        }
        attachment |= {"author_icon": text, "color": text, "fields": [{"title": text, "value": text}]}
        await ada.call("chat.postMessage", channel=channel, text="x", attachments=[attachment])
        bot = browsing.town["helper"]
        await bot.call("chat.postMessage", channel=channel, text="x", username=text, icon_url=text, icon_emoji=text)
    visit = await browsing.signed_in("ada")
    visit.pardon(PICTURES, "Failed to load resource", "ERR_", "img-src", "Content Security Policy")
    screen = Screen(visit.page)
    await screen.start(f"/client/{channel}")
    await screen.main.feed.hover()
    for _ in range(60):
        await clean(visit.page)
        await visit.page.mouse.wheel(0, -600)
        await visit.page.evaluate(NEXT_FRAMES)


def _block(kind: int, text: str) -> dict[str, Any]:
    plain = {"type": "plain_text", "text": text[:150]}
    rich = {"type": "rich_text_section", "elements": [{"type": "link", "url": text, "text": text}]}
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"<{text}|x> {text}"}},
        {"type": "header", "text": plain},
        {"type": "image", "image_url": text, "alt_text": text, "title": plain},
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": text}, {"type": "image", "image_url": text, "alt_text": text}],
        },
        {"type": "actions", "elements": [{"type": "button", "text": plain, "url": text, "action_id": f"a{kind}"}]},
        {"type": "rich_text", "elements": [rich]},
    ]
    return blocks[kind]


@pytest_asyncio.fixture(loop_scope="session")
async def villain(mesh: Town) -> Any:
    """Linus, whose profile is hostile while the test lasts."""
    linus = mesh["linus"]
    before = (await linus.ok("users.profile.get"))["profile"]
    kept = {name: before.get(name, "") for name in ("real_name", "display_name", "title", "phone", "status_text")}
    try:
        yield linus
    finally:
        await linus.ok("users.profile.set", profile=json.dumps({**kept, "status_emoji": ""}))


@pytest.mark.parametrize("text", [MARKUP[4], MARKUP[0], f'"><svg/onload={RUN}>', ODD[0], ODD[2]], ids=range(5))
async def test_names_topics_files_and_statuses_are_text(browsing: Browsing, villain: Person, text: str) -> None:
    """Of people, conversations and files: in lists, headers, cards, panes, the switcher, the title and the search."""
    ada = browsing.town["ada"]
    profile = {
        "real_name": text[:50],
        "display_name": text[:80],
        "title": text,
        "phone": text,
        "status_text": text[:100],
    }
    await villain.call("users.profile.set", profile={**profile, "status_emoji": ":tada:"})
    channel = await room(ada, f"hostile-{abs(hash(text)) % 10_000_000}")
    await ada.ok("conversations.invite", channel=channel, users=villain.user_id)
    for method, name in (("conversations.setTopic", "topic"), ("conversations.setPurpose", "purpose")):
        await ada.call(method, channel=channel, **{name: text})
    await _share(browsing, villain, channel, text)
    told = await villain.post(channel, f"from the villain, <@{villain.user_id}>")
    await ada.ok("reactions.add", channel=channel, timestamp=told["ts"], name="eyes")
    await villain.ok("chat.postMessage", channel=channel, thread_ts=told["ts"], text=escaped(text))
    im = (await villain.ok("conversations.open", users=ada.user_id))["channel"]["id"]
    await villain.post(im, escaped(text))

    visit = await browsing.signed_in("ada")
    page, screen = visit.page, Screen(visit.page)
    await screen.start(f"/client/{channel}/thread/{told['ts']}")
    await expect(screen.thread.feed.get_by_role("article")).to_have_count(2)
    await clean(page)
    for path in (
        f"/client/{channel}/details",
        f"/client/{im}",
        "/client/activity",
        "/client/browse",
        "/client/search?q=villain",
    ):
        await page.goto(path)
        await expect(screen.conversations.get_by_role("link").first).to_be_visible()
        await expect(page.get_by_role("main")).to_be_visible()
        await page.wait_for_load_state("networkidle")
        await clean(page)
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("linus")
    await clean(page)


async def _share(browsing: Browsing, person: Person, channel: str, name: str) -> None:
    raw = b"<script>window.__ran=1</script>"
    place = await person.ok("files.getUploadURLExternal", filename=name[:200], length=len(raw))
    async with browsing.town.http.post(place["upload_url"], data=raw) as answer:
        assert answer.status == 200
    files: Sequence[dict[str, str]] = [{"id": place["file_id"], "title": name[:200]}]
    await person.ok("files.completeUploadExternal", files=files, channel_id=channel)


async def test_what_is_written_and_pasted_is_text(browsing: Browsing) -> None:
    """In the field itself, which knows formatting; and markup out of the clipboard."""
    visit = await browsing.signed_in("ada")
    screen = Screen(visit.page)
    await screen.start(f"/client/{browsing.town.general}")
    await screen.main.field.click()
    for text in MARKUP[:8]:
        await visit.page.keyboard.insert_text(text)
    await screen.main.field.evaluate(
        """(field, run) => {
          const carried = new DataTransfer();
          carried.setData("text/html", `<img src=x onerror="${run}"><b onclick="${run}">bold</b>`);
          carried.setData("text/plain", "pasted");
          field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: carried, bubbles: true, cancelable: true}));
        }""",
        RUN,
    )
    await clean(visit.page)
    await visit.page.keyboard.press("ControlOrMeta+a")
    await visit.page.keyboard.press("Delete")
