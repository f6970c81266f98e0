"""Custom emoji against a real MariaDB: set and told once, again, out of order, and by two at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.effects import Cause
from svc.webapp.commit.log import PutEmoji, Write
from svc.webapp.commit.sweeping import run_sweepers
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import TEAM

pytestmark = pytest.mark.mesh


async def told(running: Webapp) -> list[event_pb2.Event]:
    """The log of the workspace."""
    page = await running.stores.channels.log(TEAM, 0, 1000)
    return [event_pb2.Event.FromString(event) for event in page.events]


async def followed(running: Webapp) -> Mapping[str, str]:
    """What somebody holds who applied every event."""
    held: dict[str, str] = {}
    for event in await told(running):
        held |= {each.name: each.value for each in event.model_change.emoji}
        for name in event.model_change.removed_emoji:
            held.pop(name, None)
    return held


async def stored(running: Webapp) -> Mapping[str, str]:
    return {each.name: each.value for each in await running.stores.workspaces.emoji(TEAM, "", 1000)}


async def put(running: Webapp, emoji: Mapping[str, str]) -> None:
    await running.writes.commit(Write(TEAM, effects=(PutEmoji(emoji),)))


async def test_a_step_done_twice_is_told_once(running: Webapp) -> None:
    """Rows, versions and news; its stored form is what it was."""
    cause, effect = Cause(TEAM, 1_000, 0, 1), PutEmoji({"a": "u1", "b": "u2", "c": ""})
    for _ in range(2):
        await running.effects.carry_out(cause, effect, is_again=True)
    assert await stored(running) == await followed(running) == {"a": "u1", "b": "u2"}
    assert len(await told(running)) == 3
    rows = await running.stores.workspaces.emoji_by_name(TEAM, ["a", "c"])
    assert {name: (row.version, row.revision_us) for name, row in rows.items()} == {"a": (3, 1_000), "c": (3, 1_000)}
    assert decode_effect(b'{"op":"emoji","emoji":{"a":"u1"}}') == PutEmoji({"a": "u1"})


async def test_a_late_step_brings_nothing_back(running: Webapp) -> None:
    """Neither a removed emoji nor an older picture; who follows ends with what is stored."""
    await running.effects.carry_out(Cause(TEAM, 2_000, 0, 1), PutEmoji({"a": "", "b": "new"}))
    await running.effects.carry_out(Cause(TEAM, 1_000, 0, 1), PutEmoji({"a": "old", "b": "old", "c": "old"}))
    assert await stored(running) == await followed(running) == {"b": "new", "c": "old"}


async def test_changes_at_once_end_with_what_is_stored(running: Webapp) -> None:
    """Whatever overtook what."""
    names = ("a", "b", "c")
    changes = [dict.fromkeys(names[number % 3 :], f"u{number}" if number % 3 else "") for number in range(40)]
    await asyncio.gather(*(put(running, change) for change in changes))
    assert await stored(running) == await followed(running)
    assert not await running.pools.channel.rows("SELECT 1 FROM effects")


async def test_what_a_killed_webapp_left_is_done_by_another(running: Webapp) -> None:
    """Within two seconds of the commit."""
    await running.committer.commit(Write(TEAM, effects=(PutEmoji({"a": "u"}),)))
    assert await stored(running) == {}
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, SystemClock()):
        async with asyncio.timeout(10.0):
            while await running.pools.channel.rows("SELECT 1 FROM effects"):
                await asyncio.sleep(0.01)
    assert await stored(running) == await followed(running) == {"a": "u"}
