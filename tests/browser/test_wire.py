"""The wire that tests cut: while it is silent nothing passes and nothing ends; afterwards all of it arrives."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.visits import Browsing
from tests.browser.wire import wire

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_silent_wire_is_a_lost_network(browsing: Browsing) -> None:
    """A page that asks meanwhile hears nothing, and is answered when the wire is mended."""
    async with wire() as line:
        visit = await browsing.visit(proxy={"server": line.address})
        await visit.page.goto("/")
        assert line.opened > 0
        line.cut()
        asked = asyncio.ensure_future(visit.page.evaluate("fetch('/web/session').then((answer) => answer.status)"))
        done, _ = await asyncio.wait({asked}, timeout=1)
        assert not done
        line.mend()
        assert await asked == 200
        # What the page still loads ends with it, and not with the wire.
        await visit.page.goto("about:blank")
