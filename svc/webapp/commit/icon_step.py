"""What becomes of a workspace's picture that a write sets: its row, then the models of the workspace.

A step like those in `effects`: idempotent and right in any order, for the row keeps the highest revision, and what is
told is the workspace as it is by then. Slack has no event of it, so sockets hear nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Committed, Draft, Write
from svc.webapp.models import team_model
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["ROUNDS_MAX", "put_icon"]

ROUNDS_MAX = 8
"""Times that news may be overtaken while they are told; beyond it the sweeper goes on."""


async def put_icon(
    commit: Callable[[Write], Awaitable[Committed]],
    workspaces: WorkspaceStore,
    lookups: Lookups,
    team_id: str,
    url: str,
    ts_us: int,
    key: str,
) -> None:
    """Set a picture, and tell who holds a model of the workspace until what was told last is what is true.

    `ts_us` and `key`: of the cause. Raises the kit's errors; then it may be done again.
    """
    await workspaces.set_team_icon(team_id, url, ts_us)
    await lookups.forget_team(team_id)
    told = 0
    for _ in range(ROUNDS_MAX):
        now = await workspaces.team(team_id)
        if now is None or now.icon_revision_us == told:
            return
        change = boot_pb2.ModelChange(team=team_model(now))
        draft = Draft(event_pb2.EVENT_KIND_WORKSPACE, lambda _: None, model_change=change)
        await commit(Write(team_id, (draft,), request_id=f"{key}:{now.icon_revision_us}"))
        told = now.icon_revision_us
    raise UnavailableError(f"effect {key} was overtaken {ROUNDS_MAX} times")
