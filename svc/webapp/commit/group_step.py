"""What becomes of a user group that a write sets: its row, what its workspace is told, and who came and who left.

A step like those in `effects`. A group replaces the one that it was made of, or nothing: of two who change it at once
one is told to look again. So what is told are differences that hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from parley.event.v1 import event_pb2
from svc.kit.errors import FailedPreconditionError
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Committed, Draft, Json, PutUserGroup, Write
from svc.webapp.store.groups import GroupStore
from svc.webapp.store.rows import UserGroup

__all__ = ["put_user_group"]

AT_ONCE_MAX = 32
"""Users told at the same time: a group of a thousand takes a few group commits."""


async def put_user_group(
    commit: Callable[[Write], Awaitable[Committed]],
    groups: GroupStore,
    lookups: Lookups,
    effect: PutUserGroup,
    ts_us: int,
    key: str,
) -> None:
    """Set a group, tell the team, and those who came and left. `ts_us` and `key`: of the cause. Idempotent.

    Raises FailedPreconditionError when the group was changed since it was read; else the kit's errors, after which it
    may be done again.
    """
    group = replace(UserGroup(**effect.group), revision_us=ts_us)
    if not await groups.put(group, effect.over_us):
        raise FailedPreconditionError(f"group {group.id} was changed meanwhile", subject="over_us")
    await lookups.forget_group(group.team_id, group.id)
    drafts = tuple(_draft(event_pb2.EVENT_KIND_WORKSPACE, payload) for payload in effect.payloads)
    if drafts:
        await commit(Write(group.team_id, drafts, request_id=key))
    news = [(user_id, "subteam_self_added") for user_id in effect.added]
    news += [(user_id, "subteam_self_removed") for user_id in effect.removed]
    slots = asyncio.Semaphore(AT_ONCE_MAX)

    async def tell(user_id: str, kind: str) -> None:
        payload: Json = {"type": kind, "subteam_id": group.id}
        async with slots:
            await commit(Write(user_id, (_draft(event_pb2.EVENT_KIND_USER, payload),), request_id=key))

    async with asyncio.TaskGroup() as tasks:
        for each in news:
            tasks.create_task(tell(*each))


def _draft(kind: event_pb2.EventKind.ValueType, payload: Json) -> Draft:
    return Draft(kind, lambda _: dict(payload))
