"""Search over a mesh of real processes: what is said is found soon, by whom it is for, and after every accident."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ops.setup.binaries import ROOT
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


async def test_a_killed_instance_comes_back_with_everything(there: Town) -> None:
    """What was said while it was dead is in the log; meanwhile search is refused, and nothing else."""
    ada, grace = there["ada"], there["grace"]
    before = await ada.ok("chat.postMessage", channel=there.general, text="tapir before")
    await found(grace, "tapir", lambda now: now == ["tapir before"])
    await there.mesh.kill(SEARCH)
    await ada.ok("chat.postMessage", channel=there.general, text="tapir meanwhile")
    await ada.ok("chat.update", channel=there.general, ts=before["ts"], text="tapir edited")
    refused = await grace.call("search.messages", query="tapir")
    assert refused == {"ok": False, "error": "service_unavailable"}
    await there.mesh.start(SEARCH)
    await found(grace, "tapir", lambda now: now == ["tapir meanwhile", "tapir edited"])


async def test_a_lost_folder_is_built_again(there: Town) -> None:
    """The index owns nothing: all of it is made of the rows."""
    ada, grace = there["ada"], there["grace"]
    for number in range(40):
        await ada.ok("chat.postMessage", channel=there.general, text=f"dugong {number}")
    await found(grace, "dugong", lambda now: len(now) == 40)
    await there.mesh.stop(SEARCH)
    folder = there.mesh.spec.var / "search" / SEARCH
    assert folder.is_dir()
    shutil.rmtree(folder)
    await there.mesh.start(SEARCH)
    await found(grace, "dugong", lambda now: len(now) == 40)


async def test_a_rebuild_is_noticed_by_nobody(there: Town) -> None:
    """The operator's command waits for it; questions are answered all the while."""
    ada, grace = there["ada"], there["grace"]
    await ada.ok("chat.postMessage", channel=there.general, text="a lone kakapo")
    await found(grace, "kakapo", lambda now: now == ["a lone kakapo"])
    program = (str(Path(sys.executable).parent / "parley"), "search")
    environ = {**os.environ, "PARLEY_CONSUL_ADDR": there.mesh.consul_addr}
    rebuild = await asyncio.create_subprocess_exec(
        *program, "rebuild", "--json", env=environ, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    done = asyncio.create_task(rebuild.communicate())
    while not done.done():
        assert await texts(grace, "kakapo") == ["a lone kakapo"]
        await asyncio.sleep(0.05)
    out, _ = await done
    assert rebuild.returncode == 0, out
    (told,) = json.loads(out)["instances"]
    assert told["search"].startswith(SEARCH)
    assert told["messages"] > 0
    status = await asyncio.create_subprocess_exec(
        *program, "status", "--json", env=environ, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    shown = json.loads((await status.communicate())[0])
    assert [(each["is_whole"], each["is_building"]) for each in shown["instances"]] == [(True, False)]
    # By the instance that runs: one that was killed is listed for a while.
    port = (await there.mesh.instance(SEARCH)).instance.meta["metrics_port"]
    async with there.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        metrics = await answer.text()
    for name in ("parley_search_documents", "parley_search_lag_seconds_bucket", "parley_search_answers_total"):
        assert name in metrics
