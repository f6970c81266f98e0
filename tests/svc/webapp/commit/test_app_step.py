"""Apps against a real MariaDB: set and told once, again, out of order, and after a death in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.webapp.commit.app_step import app_effect
from svc.webapp.commit.effects import Cause
from svc.webapp.commit.log import Write
from svc.webapp.commit.sweeping import run_sweepers
from svc.webapp.store.app_rows import AppRow
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, TEAM

pytestmark = pytest.mark.mesh

APP = AppRow(TEAM, "A0000000001", "ci", BOB, "B0000000001", ALICE, bytes(32), "s", "v", "chat:write", b"{}")


async def told(running: Webapp) -> list[dict[str, Any]]:
    """What the workspace heard."""
    page = await running.stores.channels.log(TEAM, 0, 1000)
    return [orjson.loads(event_pb2.Event.FromString(event).payload) for event in page.events]


async def name(running: Webapp) -> str:
    row = await running.stores.apps.app(TEAM, APP.id)
    assert row is not None
    return row.name


async def test_a_step_done_twice_is_told_once(running: Webapp) -> None:
    """The row has the revision of its cause and the version of the news, which hold no secret."""
    cause, effect = Cause(TEAM, 1_000, 0, 1), app_effect(APP)
    for _ in range(2):
        await running.effects.carry_out(cause, effect, is_again=True)
    [news] = await told(running)
    assert (news["type"], news["app"]["id"]) == ("apps_changed", APP.id)
    assert APP.signing_secret not in news["app"].values()
    row = await running.stores.apps.app(TEAM, APP.id)
    assert row == replace(APP, revision_us=1_000, version=1)


async def test_what_comes_late_changes_nothing(running: Webapp) -> None:
    """Also not an app that was removed meanwhile."""
    await running.effects.carry_out(Cause(TEAM, 2_000, 0, 1), app_effect(replace(APP, name="new", deleted=True)))
    await running.effects.carry_out(Cause(TEAM, 1_000, 0, 1), app_effect(APP))
    row = await running.stores.apps.app(TEAM, APP.id)
    assert row is not None
    assert (row.name, row.deleted, row.revision_us) == ("new", True, 2_000)
    assert await running.stores.apps.apps_of(TEAM, 10) == []
    assert (await told(running))[-1]["app"]["deleted"] is True


async def test_of_many_at_once_one_holds_and_is_told_last(running: Webapp) -> None:
    """Whoever follows the news and reads the row each time ends with what is true."""
    writes = [Write(TEAM, effects=(app_effect(replace(APP, name=f"n{number}")),)) for number in range(8)]
    await asyncio.gather(*(running.writes.commit(write) for write in writes))
    assert (await told(running))[-1]["app"]["name"] == await name(running)


async def test_a_step_that_was_left_is_swept_up(running: Webapp) -> None:
    """The webapp that committed the write died before the row was written."""
    await running.committer.commit(Write(TEAM, effects=(app_effect(APP),)))
    assert await running.stores.apps.app(TEAM, APP.id) is None
    clock = SystemClock()
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, clock):
        async with asyncio.timeout(20):
            while await running.stores.apps.app(TEAM, APP.id) is None or not await told(running):
                await asyncio.sleep(0.05)
    assert await name(running) == "ci"


async def test_passes_are_counted_for_all_together(running: Webapp) -> None:
    """Of many at once exactly as many succeed as may; codes are taken once; old ones are forgotten."""
    store = running.stores.apps
    used = await asyncio.gather(*(store.use_pass(TEAM, "r:1", 5, 1_000, 1) for _ in range(12)))
    assert sum(used) == 5
    assert await store.use_pass(TEAM, "t:1", 1, 1_000, 1)
    assert not await store.use_pass(TEAM, "t:1", 1, 1_000, 1)
    # Nobody may use an expired pass, so its count may go with the next use of any.
    assert await store.use_pass(TEAM, "t:2", 1, 5_000, 2_000)
    assert await store.use_pass(TEAM, "t:1", 1, 5_000, 2_000)
