"""What becomes of custom emoji that a write sets: their rows, then what the workspace is told of them.

A step like those in `effects`: idempotent and right in any order, for the rows keep the highest revision, and what is
told is made of the rows as they are by then. Rows come first: who loads a workspace in between gets the new ones and
then the news, which change nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.webapp.commit.log import Committed, Draft, Json, Write
from svc.webapp.models import emoji_model
from svc.webapp.store.rows import Emoji
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["ROUNDS_MAX", "news_of", "put_emoji"]

ROUNDS_MAX = 8
"""Times that news may be overtaken while they are told; beyond it the sweeper goes on."""


async def put_emoji(
    commit: Callable[[Write], Awaitable[Committed]],
    workspaces: WorkspaceStore,
    team_id: str,
    emoji: Mapping[str, str],
    ts_us: int,
    key: str,
) -> None:
    """Set emoji by name ("" removes one), and tell the team until what was told last is what is true.

    `ts_us` and `key`: of the cause. Raises the kit's errors; then it may be done again.
    """
    await workspaces.put_emoji([Emoji(team_id, name, value, revision_us=ts_us) for name, value in emoji.items()])
    told = 0
    for _ in range(ROUNDS_MAX):
        now = await workspaces.emoji_by_name(team_id, list(emoji))
        # Revisions only grow, so their sum is another whenever one of them is.
        newest = sum(each.revision_us for each in now.values())
        if newest == told:
            return
        write = Write(team_id, news_of(now[name] for name in emoji), request_id=f"{key}:{newest}")
        version = (await commit(write)).places[-1].offset
        await workspaces.set_emoji_version(team_id, list(emoji), version)
        told = newest
    raise UnavailableError(f"effect {key} was overtaken {ROUNDS_MAX} times")


def news_of(emoji: Iterable[Emoji]) -> tuple[Draft, ...]:
    """Return what a workspace hears of emoji as they are: each that is there by itself, those that are not together."""
    rows = list(emoji)
    drafts = [_added(each) for each in rows if each.value]
    removed = [each.name for each in rows if not each.value]
    return (*drafts, _removed(removed)) if removed else tuple(drafts)


def _added(emoji: Emoji) -> Draft:
    payload: Json = {"type": "emoji_changed", "subtype": "add", "name": emoji.name, "value": emoji.value}
    return _draft(payload, boot_pb2.ModelChange(emoji=[emoji_model(emoji)]))


def _removed(names: Sequence[str]) -> Draft:
    payload: Json = {"type": "emoji_changed", "subtype": "remove", "names": list(names)}
    return _draft(payload, boot_pb2.ModelChange(removed_emoji=names))


def _draft(payload: Json, change: boot_pb2.ModelChange) -> Draft:
    return Draft(event_pb2.EVENT_KIND_WORKSPACE, lambda _: dict(payload), model_change=change)
