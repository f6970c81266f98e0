"""What apps need goes away for seconds, and nothing of theirs is lost: the connection stays, and so does the place."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from ops.local.spec import counts
from tests.mesh.app_makers import AppSocket, Inbox, make_app
from tests.mesh.test_app_deaths import SOCKET, check_order, check_repetitions, post_all
from tests.mesh.towns import town

pytestmark = pytest.mark.mesh

LIMITED = {"PARLEY_WEBAPP_RATE_LIMITS": "x100"}
"""Every call asks memcached, and nobody is refused."""


@pytest.mark.parametrize("what", ["consul", "mariadb", "memcached"])
async def test_an_app_survives_an_outage(tmp_path: Path, what: str) -> None:
    """Five seconds without it, killed without a word, under posts that are tried until they are stored."""
    async with town(tmp_path / "var", counts=counts(webapp=2), environ=LIMITED) as there:
        made = await make_app(there, "talker", SOCKET, there.general)
        inbox = Inbox()
        socket = AppSocket(there, made, inbox)
        texts = [f"{number} at {time.time_ns()}" for number in range(90)]
        async with socket.connected():
            await post_all(there, texts[:30])
            await inbox.wait_texts(set(texts[:30]))
            names = [name for name in there.mesh.names() if name == what or name.startswith(f"{what}-")]
            assert names, there.mesh.names()
            for name in names:
                await there.mesh.kill(name)
            posting = asyncio.create_task(post_all(there, texts[30:60]))
            await asyncio.sleep(5.0)
            for name in names:
                await there.mesh.start(name)
            await posting
            await post_all(there, texts[60:])
            await inbox.wait_texts(set(texts), 40)
            assert len(socket.hellos) == 1
        check_repetitions(inbox.events)
        check_order(inbox, texts)
