"""What becomes of a file that a write sets: its row, then who sees it; and once it is deleted, what its messages show.

A step like those in `effects`: idempotent and right in any order. The row keeps the highest revision, and what is
deleted stays so. Who posts a file looks afterwards whether it was deleted meanwhile, and who deletes it looks
afterwards where it was posted: whichever comes second, no message is left that shows a file which is gone. A message
that was edited in between is read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.webapp.commit.log import Committed, Draft, Json, MessageChange, Place, PutFile, Unshare, Write
from svc.webapp.domain import shapes
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.files import FileStore
from svc.webapp.store.rows import Message

__all__ = ["ROUNDS_MAX", "Filing", "without_file"]

ROUNDS_MAX = 8
"""Times that a message may be edited while it is changed here; beyond it the sweeper goes on."""


@dataclass(frozen=True, slots=True)
class Filing:
    """Carries such steps out. Raises the kit's errors; then it may be done again."""

    commit: Callable[[Write], Awaitable[Committed]]
    files: FileStore
    channels: ChannelStore

    async def put_file(self, channel_id: str, ts_us: int, key: str, effect: PutFile) -> None:
        """Set a file. `channel_id`, `ts_us`, `key`: of the cause, whose first draft is the message if there is one."""
        file, shown_us = _file_of(effect.file, ts_us), effect.message_ts_us or ts_us
        await self.files.put_file(file)
        if file.state is FileState.READY:
            shares = [_share(file, effect.family, file.user_id, 0, 0)]
            if effect.shared_as:
                shares.append(_share(file, effect.family, channel_id, shown_us, effect.shared_as))
            await self.files.put_shares(shares)
            if effect.shared_as and not await self._is_shown(file.id, channel_id, shown_us):
                # Its message was removed before the share was there to go with it.
                await self.files.drop_share(file.team_id, (file.id,), channel_id, shown_us)
        now = await self.files.file(file.team_id, file.id)
        if now is not None and now.state >= FileState.DELETED:
            await self._forget(now, key)

    async def unshare(self, channel_id: str, effect: Unshare) -> None:
        """Let nobody see by a message what it shows no more; what it was given back meanwhile stays."""
        gone = [each for each in effect.file_ids if not await self._is_shown(each, channel_id, effect.ts_us)]
        if gone:
            await self.files.drop_share(effect.team_id, gone, channel_id, effect.ts_us)

    async def _is_shown(self, file_id: str, channel_id: str, ts_us: int) -> bool:
        """Tell whether a message that brought a file is there: a removed one that has replies leaves no file in it.

        `Files.show_to_all` shares without a message: that is for the whole workspace.
        """
        if channel_id[:1] == "T":
            return True
        message = await self.channels.message(channel_id, ts_us)
        found = shapes.decode_extra(message.extra).get("files", ()) if message is not None else ()
        return any(each.get("id") == file_id for each in found)

    async def _forget(self, file: File, key: str) -> None:
        for share in await self.files.shares(file.team_id, [file.id]):
            if share.kind:
                await self._clear(file, share, f"{key}:{share.channel_id}:{share.ts_us}")
        await self.files.drop_shares(file.team_id, file.id)

    async def _clear(self, file: File, share: FileShare, key: str) -> None:
        """Let the message that brought the file say that it is gone, and tell the conversation."""
        deleted = Draft(
            event_pb2.EVENT_KIND_MESSAGE,
            lambda _: {"type": "file_deleted", "file_id": file.id, "channel_ids": [share.channel_id]},
            sender_id=file.user_id,
        )
        for _ in range(ROUNDS_MAX):
            before = await self.channels.message(share.channel_id, share.ts_us)
            after = without_file(before, file.id) if before is not None else None
            write = Write(share.channel_id, (deleted,), request_id=key)
            if before is not None and after is not None:
                change = MessageChange(before.ts_us, before.revision, extra=after.extra)
                drafts = (_changed(file.team_id, before, after), deleted)
                write = Write(share.channel_id, drafts, request_id=key, changed=(change,))
            if not (await self.commit(write)).refused:
                return
        raise UnavailableError(f"effect {key} was overtaken {ROUNDS_MAX} times")


def without_file(message: Message, file_id: str) -> Message | None:
    """Return the message with no more than a trace of the file; None when it does not show it. Pure."""
    extra = shapes.decode_extra(message.extra)
    found = extra.get("files")
    trace = {"id": file_id, "mode": "tombstone"}
    if not isinstance(found, list) or not any(each.get("id") == file_id and each != trace for each in found):
        return None
    left = [trace if each.get("id") == file_id else each for each in found]
    return replace(message, extra=orjson.dumps({**extra, "files": left}))


def _changed(team_id: str, before: Message, after: Message) -> Draft:
    def payload(place: Place) -> Json:
        return {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "channel": place.channel_id,
            "ts": place.ts,
            "event_ts": place.ts,
            "message": shapes.message(after, team_id),
            "previous_message": shapes.message(before, team_id),
        }

    return Draft(event_pb2.EVENT_KIND_MESSAGE, payload, sender_id=before.user_id)


def _file_of(cells: Any, ts_us: int) -> File:
    file = File(**{**cells, "state": FileState(cells["state"])})
    # Above what it replaces, also where the clocks of two webapps differ.
    return replace(file, revision_us=max(ts_us, file.revision_us + 1))


def _share(file: File, family: str, channel_id: str, ts_us: int, kind: int) -> FileShare:
    return FileShare(file.team_id, file.id, channel_id, ts_us, kind, file.user_id, family, file.created_s)
