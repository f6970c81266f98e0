"""A workspace's picture against a real MariaDB: set and told once, again, and out of order."""

from __future__ import annotations

import asyncio

import pytest

from parley.event.v1 import event_pb2
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.effects import Cause
from svc.webapp.commit.log import PutTeamIcon, Write
from svc.webapp.store.rows import Team
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import TEAM

pytestmark = pytest.mark.mesh


async def told(running: Webapp) -> list[str]:
    """What models of the workspace were told that its picture is, in order; sockets are told nothing."""
    page = await running.stores.channels.log(TEAM, 0, 1000)
    events = [event_pb2.Event.FromString(event) for event in page.events]
    assert not any(event.payload for event in events)
    return [event.model_change.team.icon_url for event in events if event.model_change.HasField("team")]


async def stored(running: Webapp) -> str:
    team = await running.stores.workspaces.team(TEAM)
    assert team is not None
    return team.icon_url


async def test_a_picture_is_told_once_and_a_late_one_is_none(running: Webapp) -> None:
    """However often its step is done; who follows ends with what is stored. Its stored form is what it was."""
    await running.stores.workspaces.put_team(Team(TEAM, "Demo", "demo", 1))
    for _ in range(2):
        await running.effects.carry_out(Cause(TEAM, 2_000, 0, 1), PutTeamIcon("new"), is_again=True)
    await running.effects.carry_out(Cause(TEAM, 1_000, 0, 1), PutTeamIcon("old"))
    assert await stored(running) == (await told(running))[-1] == "new"
    assert set(await told(running)) == {"new"}
    assert decode_effect(b'{"op":"team_icon","url":"u"}') == PutTeamIcon("u")


async def test_pictures_at_once_end_with_what_is_stored(running: Webapp) -> None:
    """Whatever overtook what; and a workspace that is put again keeps its picture."""
    await running.stores.workspaces.put_team(Team(TEAM, "Demo", "demo", 1))
    steps = [PutTeamIcon(f"u{number}") for number in range(10)]
    await asyncio.gather(*(running.writes.commit(Write(TEAM, effects=(step,))) for step in steps))
    await running.stores.workspaces.put_team(Team(TEAM, "Demo", "demo", 1))
    assert (await told(running))[-1] == await stored(running) != ""
