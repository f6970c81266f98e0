"""Pages of people in a real browser, and everything about them that ought not to be: the tests look through these.

A page complains of what a person would not see: an exception, an error in the console, a breach of the page's policy, a
dialog that nobody asked for, a request to anybody but the mesh, code of a text that ran (`window.__ran`). A test fails
with what was complained of, unless it said beforehand that it brings this about (`pardon`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Dialog, Page, WebSocket

from tests.mesh.people import Json
from tests.mesh.towns import Town

Theme = Literal["light", "dark"]

PATIENCE_MS = 30_000.0
"""For whatever takes a moment on a machine with nothing else to do."""
WIDE, NARROW = (1280, 800), (390, 844)

_WATCH = """
window.__breaches = [];
addEventListener("securitypolicyviolation", (event) => {
  window.__breaches.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass(slots=True, eq=False)
class Visit:
    """A browser context of one person, its pages and their complaints."""

    town: Town
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    """Where WebSockets of its pages went to."""
    boots: int = 0
    """How often its pages asked for a boot."""
    returning: set[Page] = field(default_factory=set)
    """Pages whose gateway has told them another way back."""
    _pardoned: list[re.Pattern[str]] = field(default_factory=list)

    def pardon(self, *patterns: str) -> None:
        """Expect complaints of this kind from now on."""
        self._pardoned += map(re.compile, patterns)

    def watch(self, page: Page) -> None:
        """Hear what a page complains of."""
        page.on("pageerror", lambda error: self._complain(f"exception: {error} {error.stack}"))
        page.on("console", lambda said: self._complain(f"console: {said.text}") if said.type == "error" else None)
        page.on("request", lambda request: self._on_request(request.url))
        page.on("websocket", lambda socket: self._on_socket(page, socket))
        page.on("dialog", lambda dialog: self._on_dialog(dialog))

    async def tab(self) -> Page:
        """Open another tab of the same person."""
        page = await self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page

    async def settle(self) -> list[str]:
        """Return what was complained of, once every page has been asked."""
        for page in self.context.pages:
            if page.url.startswith(self.town.mesh.web_url):
                for breach in await page.evaluate("window.__breaches ?? []"):
                    self._complain(f"policy: {breach}")
                ran = await page.evaluate("window.__ran ?? null")
                if ran is not None:
                    self._complain(f"ran: {ran}")
        return [each for each in self.complaints if not any(pattern.search(each) for pattern in self._pardoned)]

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call a method of the Web API as the page does: with its cookie, from its origin."""
        script = """async ([method, form]) => {
            const answer = await fetch(`/api/${method}`, {method: "POST", body: new URLSearchParams(form)});
            return answer.json();
        }"""
        answer: Json = await self.page.evaluate(script, [method, arguments])
        return answer

    def _complain(self, text: str) -> None:
        self.complaints.append(text)

    def _on_request(self, url: str) -> None:
        self.boots += urlsplit(url).path == "/api/client.boot"
        self._check_host(url)

    def _on_socket(self, page: Page, socket: WebSocket) -> None:
        self.sockets.append(socket.url)
        self._check_host(socket.url)

        def hear(payload: str | bytes) -> None:
            if isinstance(payload, str) and json.loads(payload).get("type") == "return":
                self.returning.add(page)

        socket.on("framereceived", hear)

    async def _on_dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            self._complain(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _check_host(self, url: str) -> None:
        scheme, host = urlsplit(url)[:2]
        own = {urlsplit(each).netloc for each in (self.town.mesh.web_url, *self.town.mesh.ws_urls.values())}
        if scheme not in ("data", "blob", "about") and host not in own:
            self._complain(f"request to elsewhere: {url}")


@dataclass(slots=True)
class Browsing:
    """What a test opens its pages with. All of them are closed, and have been looked through, when it ends."""

    browser: Browser
    town: Town
    artefacts: Path
    visits: list[Visit] = field(default_factory=list)

    async def visit(self, theme: Theme = "light", size: tuple[int, int] = WIDE, **context: Any) -> Visit:
        """Open a blank page of nobody."""
        made = await self.browser.new_context(
            base_url=self.town.mesh.web_url,
            color_scheme=theme,
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
            locale="en-GB",
            **context,
        )
        made.set_default_timeout(PATIENCE_MS)
        await made.add_init_script(_WATCH)
        page = await made.new_page()
        visit = Visit(self.town, made, page)
        visit.watch(page)
        made.on("page", lambda opened: visit.watch(opened))
        self.visits.append(visit)
        return visit

    async def signed_in(self, name: str, theme: Theme = "light", size: tuple[int, int] = WIDE, **context: Any) -> Visit:
        """Return a visit of somebody of the demo workspace, signed in by the endpoint; no page is open yet."""
        visit = await self.visit(theme, size, **context)
        answer = await visit.context.request.post(
            "/web/signin/demo",
            data={"user": self.town[name].user_id},
            headers={"Origin": self.town.mesh.web_url},
        )
        assert (await answer.json())["ok"], await answer.text()
        return visit

    async def room(self, *names: str) -> str:
        """Make a channel of these people, with nothing in it that another test has said."""
        first, *others = (self.town[name] for name in names)
        made = await first.ok("conversations.create", name=f"room-{time.time_ns()}")
        channel = str(made["channel"]["id"])
        for other in others:
            await first.ok("conversations.invite", channel=channel, users=other.user_id)
        return channel

    async def keep(self, page: Page, name: str) -> None:
        """Keep a screenshot among the artefacts of the run."""
        self.artefacts.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=self.artefacts / f"{name}.png", animations="disabled")


@asynccontextmanager
async def visits(browser: Browser, town: Town, artefacts: Path) -> AsyncIterator[Browsing]:
    """Give a test its browser, and close all of it."""
    browsing = Browsing(browser, town, artefacts)
    try:
        yield browsing
    finally:
        for visit in browsing.visits:
            await visit.context.close()


async def complaints(browsing: Browsing) -> list[str]:
    """Return what all pages complained of."""
    return [complaint for visit in browsing.visits for complaint in await visit.settle()]


async def keep_all(browsing: Browsing, name: str) -> None:
    """Keep how every page of a failed test looks."""
    pages = [page for visit in browsing.visits for page in visit.context.pages]
    for number, page in enumerate(pages):
        await browsing.keep(page, f"failed-{name}-{number}")
