"""The web client in a real Chromium, through all real tiers of a mesh of this machine: how soon, and how smoothly.

The workspace is a lived-in one (see `ops.lived_in`), with a channel of 100,000 messages in it (`bench.web_workspace`);
the edge knows it. Chromium draws in software, on the same processors as the mesh and the databases.

    first_screen   from the start of the navigation until messages of the channel are painted; each in a fresh context,
                   by somebody else, with nothing in the browser's cache
    seen           from the key that sends until the message is painted in the other's browser
    own            until it is painted in the sender's own
    scroll_up      while a wheel turns up through pages that are not there yet, 3,000 pixels a second: frames a second
                   that were drawn; those in which the page's own code had its turn (requestAnimationFrame); and the
                   longest that it had to wait for one, in which the browser scrolls by itself what is there already
    scroll_loaded  and down and up again through those that are

The times of two browsers are comparable because they come from one clock.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.web_browser import browsing, check_ready
from bench.web_page import Page, Seat
from bench.web_workspace import Workspace, make_workspace
from ops.chaos.recovery import percentile
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none

if TYPE_CHECKING:
    from playwright.async_api import Browser

Say = Callable[[str], None]

USERS = 1_500
MESSAGES = 100_000
SCREENS = 12
ROUNDS = 60
SCROLL_S = 6.0
BARS: Mapping[str, float] = {"first_screen_p50_ms": 1_000.0, "seen_p50_ms": 100.0, "frames_per_s": 50.0}
LARGE, LARGE_FIRST_SCREEN_MS = 10_000, 2_000.0
"""(people, bar): of this many and more."""


def measure(say: Say, users: int = USERS, messages: int = MESSAGES) -> dict[str, Any]:
    """Return what the web client does in a workspace of so many people. Raises LocalError without a browser."""
    check_ready()
    return asyncio.run(_measure(say, users, messages))


async def _measure(say: Say, users: int, messages: int) -> dict[str, Any]:
    async with AsyncExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        counts = none(webapp=1, admin=1, channel=1, gateway=1, presence=1, edge=1)
        mesh = await up.enter_async_context(Mesh(MeshSpec(var=folder, counts=counts, zones=("az1",), graceful=False)))
        say(f"a lived-in workspace of {users} people, and a channel of {messages} messages")
        began = time.monotonic()
        workspace = await make_workspace(mesh, users, messages)
        seeded_s = time.monotonic() - began
        browser = await up.enter_async_context(browsing())
        result = await _Trial(mesh.web_url, browser, workspace, say).run()
        bars = bars_for(users)
        shape = {"users": users, "channels": workspace.channels, "messages": messages, "seeded_s": round(seeded_s, 1)}
        return {**shape, "chromium": browser.version, **result, "bars": bars, "ok": is_within(result, bars)}


def bars_for(users: int) -> dict[str, float]:
    """Return what is good enough for a workspace of so many people."""
    return {**BARS, **({"first_screen_p50_ms": LARGE_FIRST_SCREEN_MS} if users >= LARGE else {})}


def is_within(result: Mapping[str, Any], bars: Mapping[str, float]) -> bool:
    """Tell whether all of it is good enough."""
    return bool(
        result["first_screen"]["p50_ms"] <= bars["first_screen_p50_ms"]
        and result["seen"]["p50_ms"] <= bars["seen_p50_ms"]
        and min(result[each]["frames_per_s"] for each in ("scroll_up", "scroll_loaded")) >= bars["frames_per_s"]
    )


@dataclass(slots=True)
class _Trial:
    """What is done in one workspace."""

    url: str
    browser: Browser
    workspace: Workspace
    say: Say

    async def run(self) -> dict[str, Any]:
        """Return all that is measured."""
        return {**await self._first_screens(), **await self._talk(), **await self._scroll()}

    def _seat(self, number: int) -> Seat:
        visitors = self.workspace.visitors
        return Seat(self.browser, self.url, visitors[number % len(visitors)].session, self.workspace.channel_id)

    async def _first_screens(self) -> dict[str, Any]:
        self.say(f"{SCREENS} first screens")
        took, parts = list[float](), list[Mapping[str, float]]()
        for number in range(SCREENS + 1):
            async with self._seat(number).taken() as page:
                # The first one lets the edge take the workspace in.
                if number > 0:
                    took.append(await page.first_screen_ms())
                    parts.append(await page.timings_ms())
        middle = {name: round(_p50([each[name] for each in parts]), 1) for name in parts[0]}
        return {"first_screen": {**_summary(took), "of_it": middle}}

    async def _talk(self) -> dict[str, Any]:
        """Have two people take turns; each waits until the other's message is there."""
        self.say(f"{ROUNDS} messages between two browsers")
        async with self._seat(0).taken() as ada, self._seat(1).taken() as grace:
            seen, own = list[float](), list[float]()
            for number in range(-4, ROUNDS):
                writer, reader = (ada, grace) if number % 2 else (grace, ada)
                text = f"round {number} of the bench"
                await asyncio.gather(writer.expect(text), reader.expect(text))
                sent_at = await writer.send(text)
                seen_at, own_at = await asyncio.gather(reader.painted_at(), writer.painted_at())
                if number >= 0:
                    seen.append(seen_at - sent_at)
                    own.append(own_at - sent_at)
        return {"seen": _summary(seen), "own": _summary(own)}

    async def _scroll(self) -> dict[str, Any]:
        self.say(f"scrolling {self.workspace.channel_id} up and down")
        async with self._seat(2).taken() as page:
            up = await _turns(page, (1, 1, 1))
            loaded = await _turns(page, (-1, 1, -1))
        return {"scroll_up": up, "scroll_loaded": loaded}


async def _turns(page: Page, directions: Sequence[int]) -> dict[str, Any]:
    """Turn the wheel for SCROLL_S in all; return the frames a second, and those of the worst turn."""
    turns = [await page.scroll(direction, SCROLL_S / len(directions)) for direction in directions]
    seconds = sum(turn["seconds"] for turn in turns)
    return {
        "frames_per_s": round(sum(turn["drawn"] for turn in turns) / seconds, 1),
        "worst_turn": round(min(turn["drawn"] / turn["seconds"] for turn in turns), 1),
        "page_frames_per_s": round(sum(turn["frames"] for turn in turns) / seconds, 1),
        "longest_frame_ms": round(max(turn["longest_ms"] for turn in turns), 1),
        "messages_passed": sum(turn["messages"] for turn in turns),
    }


def _p50(values: Sequence[float]) -> float:
    return percentile(sorted(values), 0.5)


def _summary(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50_ms": round(percentile(ordered, 0.5), 1),
        "p95_ms": round(percentile(ordered, 0.95), 1),
        "max_ms": round(ordered[-1], 1),
        "n": len(ordered),
    }
