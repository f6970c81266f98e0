"""Frames that Chromium put on the screen, by its own account.

Its compositor tells of each one that it drew (`DrawFrame`, as its developer tools show it). Where nothing changed none
is drawn: a list that stands still while one turns the wheel counts as frames that are missing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Browser

CATEGORY = "disabled-by-default-devtools.timeline.frame"
DRAWN = "DrawFrame"
PATIENCE_S = 120.0


@dataclass(slots=True)
class Drawn:
    """`frames` is right when the block in which they were counted is over."""

    frames: int = 0


@asynccontextmanager
async def counting(browser: Browser) -> AsyncIterator[Drawn]:
    """Count the frames of the busiest page while the block lasts."""
    protocol, drawn = await browser.new_browser_cdp_session(), Drawn()
    told, complete = Counter[int](), asyncio.Event()

    def take(message: Mapping[str, Any]) -> None:
        told.update(each["pid"] for each in message["value"] if each["name"] == DRAWN)

    protocol.on("Tracing.dataCollected", take)
    protocol.on("Tracing.tracingComplete", lambda _: complete.set())
    await protocol.send("Tracing.start", {"traceConfig": {"includedCategories": [CATEGORY]}})
    try:
        yield drawn
    finally:
        await protocol.send("Tracing.end")
        await asyncio.wait_for(complete.wait(), PATIENCE_S)
        await protocol.detach()
    drawn.frames = max(told.values(), default=0)
