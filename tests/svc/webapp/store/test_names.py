"""Names of conversations in the directory: each has one, whoever copies which version when."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from svc.kit.errors import AlreadyExistsError
from svc.webapp.store.pools import Pools
from svc.webapp.store.rows import Conversation, ConversationKind
from svc.webapp.store.workspace import RESERVATION_S, WorkspaceStore
from tests.svc.webapp.writes import CHANNEL, TEAM

pytestmark = pytest.mark.mesh
ROOM = Conversation(CHANNEL, TEAM, ConversationKind.PUBLIC, "n0", created_s=1, revision_us=1)
OTHER = "C0000000002"


async def test_versions_copied_at_once_leave_the_newest_ones_name(pools: Pools) -> None:
    """In any order: the names before are free for others, and the one that it has is nobody else's."""
    store = WorkspaceStore(pools.workspace)
    await store.put_conversation(ROOM)
    for start in range(1, 60, 6):
        versions = [replace(ROOM, name=f"n{n}", revision_us=1 + n) for n in range(start, start + 6)]
        for version in versions:
            await store.reserve_name(TEAM, version.name, CHANNEL, 100)
        await asyncio.gather(*(store.put_conversation(version) for version in reversed(versions)))
        newest = versions[-1]
        assert await store.name_owner(TEAM, newest.name) == CHANNEL
        with pytest.raises(AlreadyExistsError):
            await store.reserve_name(TEAM, newest.name, OTHER, 100 + 2 * RESERVATION_S)
        for version in (ROOM, *versions[:-1]):
            # Free at once, or, where it was never told of, when its reservation ends.
            await store.reserve_name(TEAM, version.name, OTHER, 100 + 2 * RESERVATION_S)
        await pools.workspace.execute("DELETE FROM names WHERE team_id = %s AND channel_id = %s", (TEAM, OTHER))


async def test_a_conversation_can_have_its_old_name_back(pools: Pools) -> None:
    """There and back, and there again."""
    store = WorkspaceStore(pools.workspace)
    for number, name in enumerate(("a", "b", "a", "b", "a")):
        await store.reserve_name(TEAM, name, CHANNEL, 100)
        await store.put_conversation(replace(ROOM, name=name, revision_us=10 + number))
    assert (await store.name_owner(TEAM, "a"), await store.name_owner(TEAM, "b")) == (CHANNEL, "")
    found = await store.conversation_by_name(TEAM, "a")
    assert found is not None
    assert found.revision_us == 14
