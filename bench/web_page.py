"""A page of the web client that is being measured: what it is asked to do, and what its own clock says of it.

Times are taken in the page, in milliseconds since 1970 by a clock with fractions, which all pages of a machine share. A
thing is painted when the frame after it was in the document has begun: the one that shows it has been handed over then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.web_frames import counting
from svc.webapp.api.credentials import COOKIE

if TYPE_CHECKING:
    import playwright.async_api
    from playwright.async_api import Browser

PATIENCE_MS = 60_000.0
SIZE = {"width": 1280, "height": 800}
MESSAGES = "[role=log] [role=article], [role=feed] [role=article], [role=feed] article, [role=log] article"
"""Messages of the conversation that is open, by what they are for everybody."""
SPEED = 3_000
"""Pixels a second that the wheel turns: a page of history is 5,000 and more."""

SCRIPT = """
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const bench = (window.__bench = { sent: 0, wanted: null });
  let isFirst = true, isShown, isPainted;
  bench.first = new Promise((done) => { isShown = done; });
  const painted = (done) => requestAnimationFrame(() => requestAnimationFrame(() => done(now())));
  const isThere = (text) =>
    [...document.querySelectorAll(MESSAGES)].slice(-5).some((each) => each.textContent.includes(text));
  const look = () => {
    if (isFirst && document.querySelector(MESSAGES)) {
      isFirst = false;
      painted(isShown);
    }
    if (bench.wanted !== null && isThere(bench.wanted)) {
      bench.wanted = null;
      painted(isPainted);
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Enter") bench.sent = performance.timeOrigin + event.timeStamp;
  }, true);
  bench.expect = (text) => {
    bench.painted = new Promise((done) => { isPainted = done; });
    bench.wanted = text;
    look();
  };
  bench.frames = () => {
    const seen = { frames: 0, longest: 0, began: now(), last: now(), on: true };
    const tick = () => {
      if (!seen.on) return;
      const at = now();
      seen.longest = Math.max(seen.longest, at - seen.last);
      seen.last = at;
      seen.frames += 1;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    bench.running = seen;
  };
  bench.stop = () => {
    const seen = bench.running;
    seen.on = false;
    return { frames: seen.frames, longest_ms: seen.longest, seconds: (now() - seen.began) / 1000 };
  };
})();
"""


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody before a browser: takes a fresh context, and the page of one conversation."""

    browser: Browser
    url: str
    session: str
    channel_id: str

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Page]:
        """Open the conversation; its messages are there when the block begins."""
        host = urlsplit(self.url).hostname or ""
        async with await self.browser.new_context(viewport=SIZE, base_url=self.url) as context:  # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE_MS)
            await context.add_cookies([{"name": COOKIE, "value": self.session, "domain": host, "path": "/"}])
            await context.add_init_script(SCRIPT.replace("MESSAGES", json.dumps(MESSAGES)))
            page = await context.new_page()
            await page.goto(f"/client/{self.channel_id}", wait_until="commit")
            shown_at = await _within(page.evaluate("() => window.__bench.first"))
            yield Page(self.browser, page, shown_at)


@dataclass(frozen=True, slots=True)
class Page:
    """The conversation, open."""

    browser: Browser
    page: playwright.async_api.Page
    shown_at: float
    """When messages were painted first."""

    async def first_screen_ms(self) -> float:
        """Return how long it took from the start of the navigation until messages were painted."""
        return self.shown_at - float(await self.page.evaluate("performance.timeOrigin"))

    async def timings_ms(self) -> Mapping[str, float]:
        """Return parts of the first screen, since the start of the navigation."""
        script = """(shown) => {
          const [page] = performance.getEntriesByType("navigation");
          const all = performance.getEntriesByType("resource");
          const called = all.filter((each) => each.name.includes("/api/"));
          const first = shown - performance.timeOrigin;
          const early = all.filter((each) => each.startTime < first);
          return {
            page_ms: page.responseEnd,
            scripts_run_ms: page.domContentLoadedEventEnd,
            first_call_ms: Math.min(first, ...called.map((each) => each.startTime)),
            last_answer_ms: Math.max(0, ...called.map((each) => each.responseEnd).filter((at) => at < first)),
            requests: early.length,
            transferred_kb: early.reduce((sum, each) => sum + each.transferSize, page.transferSize) / 1000,
          };
        }"""
        timings: dict[str, float] = await self.page.evaluate(script, self.shown_at)
        return timings

    async def expect(self, text: str) -> None:
        """Begin to look for a message."""
        await self.page.evaluate("(text) => window.__bench.expect(text)", text)

    async def send(self, text: str) -> float:
        """Type a message and send it; return when the key that sends went down."""
        await self.page.get_by_role("textbox", name="Message").first.focus()
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")
        return float(await self.page.evaluate("window.__bench.sent"))

    async def painted_at(self) -> float:
        """Wait until what was expected is painted; return when it was."""
        return await _within(self.page.evaluate("() => window.__bench.painted"))

    async def scroll(self, direction: int, seconds: float) -> dict[str, Any]:
        """Turn the wheel over the messages for so long, up (1) or down (-1); return the frames meanwhile."""
        # The browser itself makes the events: a driver that sends each of them would be measured along.
        protocol = await self.page.context.new_cdp_session(self.page)
        before = await self._number()
        gesture = {
            "x": SIZE["width"] * 0.6,
            "y": SIZE["height"] * 0.5,
            "yDistance": round(direction * SPEED * seconds),
            "speed": SPEED,
            "gestureSourceType": "mouse",
            "preventFling": True,
        }
        async with counting(self.browser) as drawn:
            await self.page.evaluate("window.__bench.frames()")
            await protocol.send("Input.synthesizeScrollGesture", gesture)
            counted = await self.page.evaluate("window.__bench.stop()")
        await protocol.detach()
        # Where what was said lately has no numbers, there is nothing to count from.
        passed = abs(await self._number() - before) if before else 0
        return {**counted, "drawn": drawn.frames, "messages": passed}

    async def _number(self) -> int:
        """Return which of the numbered messages is the first that is in the document."""
        script = """(messages) => [...document.querySelectorAll(messages)]
          .map((each) => /No (\\d+):/.exec(each.textContent)?.[1]).find((it) => it !== undefined) ?? 0"""
        return int(await self.page.evaluate(script, MESSAGES))


async def _within(told: Awaitable[Any]) -> float:
    """Wait for a time that the page tells. Playwright's own waiting needs eval, which the page's policy forbids."""
    return float(await asyncio.wait_for(told, PATIENCE_MS / 1_000))
