"""Search over a mesh of real processes: what is said is found soon, by whom it is for, and after every accident."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.mesh.people import Person
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

COUNTS = {"webapp": 1, "admin": 1, "channel": 1, "gateway": 0, "presence": 1, "edge": 0, "search": 1}
SEARCH = "search-az1-1"
WAIT_S = 30.0
"""For what takes a second on a machine with nothing else to do."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town with one search instance, which every test leaves running."""
    async with town(tmp_path_factory.mktemp("search"), counts=COUNTS, zones=("az1",)) as made:
        yield made


async def texts(person: Person, query: str, **arguments: Any) -> list[str]:
    """Return the texts of what somebody finds, the newest first; nothing while search does not answer."""
    answer = await person.call("search.messages", query=query, sort="timestamp", count=100, **arguments)
    return [match["text"] for match in answer["messages"]["matches"]] if answer["ok"] else []


async def found(person: Person, query: str, wanted: Callable[[list[str]], bool]) -> list[str]:
    """Return what somebody finds once it is as `wanted`."""
    deadline = time.monotonic() + WAIT_S
    while not wanted(now := await texts(person, query)):
        assert time.monotonic() < deadline, (query, now)
        await asyncio.sleep(0.1)
    return now


async def test_what_is_posted_edited_and_removed_is_found_so(there: Town) -> None:
    """The index follows the log."""
    ada, grace = there["ada"], there["grace"]
    said = await ada.ok("chat.postMessage", channel=there.general, text="The quokka sleeps")
    await found(grace, "quokka", lambda now: now == ["The quokka sleeps"])
    await ada.ok("chat.update", channel=there.general, ts=said["ts"], text="The wombat sleeps")
    await found(grace, "wombat", lambda now: now == ["The wombat sleeps"])
    await found(grace, "quokka", lambda now: now == [])
    await ada.ok("chat.delete", channel=there.general, ts=said["ts"])
    await found(grace, "wombat", lambda now: now == [])
