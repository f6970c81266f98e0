"""A real Chromium without a window, as the benchmark of the web client and its tests start it.

Each start has a profile of its own that is thrown away, and asks nobody outside of this machine for anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ops.local.errors import LocalError
from ops.setup.binaries import ROOT
from ops.setup.chromium import find_chromium
from ops.setup.web_client import BUILT

if TYPE_CHECKING:
    from playwright.async_api import Browser

FLAGS = (
    "--no-sandbox",  # it refuses to start as root with one; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
START_S = 60.0


def check_ready(root: Path = ROOT) -> Path:
    """Return the browser. Raises LocalError where it or what drives it is missing, or the client is not built."""
    if find_spec("playwright") is None:
        raise LocalError("Playwright is not installed", "`make setup` installs it.")
    chromium = find_chromium()
    if chromium is None:
        raise LocalError("there is no Chromium on this machine", "`make setup` installs it.")
    if not (root / BUILT / "index.html").is_file():
        raise LocalError("the web client is not built", "`make setup` builds it.")
    return chromium


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Start Chromium; it ends with the block. Raises LocalError as `check_ready` does."""
    chromium = check_ready()
    # Here, because it is there for development only.
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(FLAGS), headless=True, timeout=1_000 * START_S
        )
        try:
            yield browser
        finally:
            await browser.close()
