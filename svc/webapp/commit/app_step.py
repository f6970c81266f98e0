"""What becomes of an app that a write sets: its row, then what the workspace is told of it.

A step like those in `effects`: idempotent and right in any order, for the row keeps the highest revision, and what is
told is told again when it was overtaken. The row comes first, so whoever hears the news and looks finds them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.webapp.cache.keys import app_key, commands_key
from svc.webapp.commit.log import Committed, Draft, Json, PutApp, Write
from svc.webapp.store.app_rows import AppRow
from svc.webapp.store.apps import AppStore
from svc.webapp.store.decode import encode

__all__ = ["ROUNDS_MAX", "app_effect", "put_app"]

ROUNDS_MAX = 8
"""Times that news may be overtaken while they are told; beyond it the sweeper goes on."""

_BYTES = ("secret_hash", "settings")


def app_effect(row: AppRow) -> PutApp:
    """Return the effect that puts this row."""
    cells = dict(zip((field.name for field in fields(AppRow)), encode(row), strict=True))
    return PutApp({name: cell.hex() if name in _BYTES else cell for name, cell in cells.items()})


async def put_app(
    commit: Callable[[Write], Awaitable[Committed]],
    apps: AppStore,
    forget: Callable[[Iterable[str]], Awaitable[None]],
    app: Mapping[str, Any],
    ts_us: int,
    key: str,
) -> None:
    """Set an app, and tell its team until what was told last is what is true.

    `ts_us` and `key`: of the cause. Raises the kit's errors; then it may be done again.
    """
    cells: dict[str, Any] = {name: bytes.fromhex(cell) if name in _BYTES else cell for name, cell in app.items()}
    row = replace(AppRow(**cells), revision_us=ts_us)
    changed = (app_key(row.team_id, row.id), commands_key(row.team_id))
    await apps.put_app(row)
    await forget(changed)
    told = 0
    for _ in range(ROUNDS_MAX):
        now = await apps.app(row.team_id, row.id)
        if now is None or now.revision_us == told:
            return
        write = Write(row.team_id, (_news(now),), request_id=f"{key}:{now.revision_us}")
        version = (await commit(write)).places[0].offset
        await apps.set_app_version(row.team_id, row.id, version)
        await forget(changed)
        told = now.revision_us
    raise UnavailableError(f"effect {key} was overtaken {ROUNDS_MAX} times")


def _news(row: AppRow) -> Draft:
    """Return what a workspace hears: that something about an app is new, and nothing that only its owner may know."""
    app: Json = {"id": row.id, "name": row.name, "bot_id": row.bot_id, "user_id": row.user_id, "deleted": row.deleted}
    payload: Json = {"type": "apps_changed", "app": app}
    return Draft(event_pb2.EVENT_KIND_WORKSPACE, lambda _: dict(payload))
