"""One mesh and one Chromium for all tests in the browser; each test has its own contexts, so nobody's cookies."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bench.web_browser import browsing as chromium
from ops.setup.binaries import ROOT
from ops.setup.chromium import can_be_installed, find_chromium
from ops.setup.web_client import is_current
from tests.browser.visits import Browsing, complaints, keep_all, visits
from tests.mesh.towns import Town, town

COUNTS = {"webapp": 1, "admin": 1, "channel": 1, "gateway": 2, "presence": 1, "edge": 1, "search": 1}

FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def ready() -> None:
    """Have a browser, and the client as its sources are now: an older one fails in ways that say nothing."""
    if find_chromium() is None and not can_be_installed():
        pytest.skip("there is no Chromium here, and none can be installed: nothing is tested in a browser")
    assert is_current(ROOT), "the web client that is built is not that of web/: ./parley bootstrap --dev builds it"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mesh(ready: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A mesh with the demo workspace in it. A test that kills something of it starts it again."""
    environ = {"PARLEY_WEBAPP_DEMO": "demo"}
    async with town(tmp_path_factory.mktemp("browser"), counts=COUNTS, zones=("az1",), environ=environ) as there:
        yield there


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(ready: None) -> AsyncIterator[Browser]:
    """Chromium, once."""
    async with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept."""
    return Path(os.environ.get("PARLEY_ARTEFACTS") or ROOT / "var" / "browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixture know how the test itself went."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(loop_scope="session")
async def browsing(
    mesh: Town, browser: Browser, artefacts: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Browsing]:
    """What a test opens pages with; in the end it fails with what the pages complained of."""
    name = re.sub(r"[^\w-]+", "-", request.node.name)[:60]
    async with visits(browser, mesh, artefacts) as opened:
        yield opened
        failed = request.node.stash.get(FAILED, False)
        found = await complaints(opened)
        if failed or found:
            await keep_all(opened, name)
        # Also beside a failure: an exception in a page is often its cause.
        assert not found, "\n".join(found)
