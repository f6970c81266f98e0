"""A workspace, or a conversation, that is too large for an edge: all goes on without it, and it does not toil."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ops.local.spec import counts
from tests.mesh.towns import town

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(120)]

BOOTS = 30
LOADS_MAX = 6
"""Pauses between them double from a second: more in a minute would be a load for each who boots."""


async def test_a_workspace_too_large_for_an_edge_is_served_from_the_rows(tmp_path: Path) -> None:
    """Boots, objects and members as ever; the edge says so once, and does not load it for each who asks."""
    small = {"edge": {"PARLEY_EDGE_USERS_MAX": "3"}}
    async with town(tmp_path, counts=counts(edge=1, gateway=1), zones=("az1",), tier_environ=small) as there:
        ada, helper = there["ada"], there["helper"]
        for _ in range(BOOTS):
            boot = await ada.ok("client.boot")
            assert there.general in [each["id"] for each in boot["channels"]]
            await asyncio.sleep(0.05)
        found = await ada.ok("client.objects", ids={helper.user_id: None, there.general: None})
        assert [each["id"] for each in (*found["users"], *found["channels"])] == [helper.user_id, there.general]
        assert (await ada.ok("client.members", channel=there.general))["total"] == len(there.people)
        async with ada.connected(lazy_aware=1) as socket:
            await socket.send(id=1, type="objects", ids={helper.user_id: None})
            refused = await socket.wait_for(lambda event: event.get("reply_to") == 1)
            assert (refused["error"]["code"], "client.objects" in refused["error"]["hint"]) == (7, True)
            await there["grace"].post(there.general, f"<@{there['linus'].user_id}> is not held up by this")
            await socket.wait_text(f"<@{there['linus'].user_id}> is not held up by this")
        (edge,) = there.mesh.names("edge")
        assert 0 < await there.metric(edge, "parley_edge_load_failures_total") <= LOADS_MAX
        assert there.mesh.log(edge).read_text().count("could not be loaded") == 1


async def test_members_of_a_conversation_too_large_for_an_edge_come_from_the_rows(tmp_path: Path) -> None:
    """Over HTTP; over the socket it is said that they do."""
    small = {"edge": {"PARLEY_EDGE_MEMBERS_MAX": "10"}}
    async with town(tmp_path, counts=counts(edge=1, gateway=1), zones=("az1",), tier_environ=small) as there:
        ada = there["ada"]
        found = await ada.ok("client.members", channel=there.general)
        assert found["members"] == sorted(each.user_id for each in there.people.values())
        async with ada.connected() as socket:
            await socket.send(id=1, type="members", channel=there.general)
            refused = await socket.wait_for(lambda event: event.get("reply_to") == 1)
        assert (refused["error"]["code"], "client.members" in refused["error"]["hint"]) == (7, True)
