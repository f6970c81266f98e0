"""Who sees which files: their owner, and whoever may read a conversation in which they were posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Json
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.files.shape import file_object
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.files.kinds import FAMILIES
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.files import FileFilter, FileStore
from svc.webapp.store.rows import ConversationKind

__all__ = ["FileQuestion", "Listed", "SeenFiles"]

SEEN_IN_MAX = 1_000
"""Conversations of one user that a list looks into; those with the lowest ids, which are the oldest."""
_TYPES = {"all": "", "spaces": "none", "gdocs": "none"} | {family: family for family in FAMILIES}
"""Slack's words for what a list may be of; "none": what we have nothing of."""


@dataclass(frozen=True, slots=True)
class FileQuestion:
    """Which files a caller wants listed."""

    channel_id: str = ""
    user_id: str = ""
    types: Sequence[str] = ()
    from_s: int = 0
    to_s: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of files, newest first."""

    files: list[Json]
    total: int
    last: tuple[int, str] | None
    """Where the next page goes on; None when it is the last."""


class SeenFiles:
    """Reads files on a caller's behalf. Methods raise Refused, and UnavailableError when MySQL does not answer.

    `rows`: for reads that need no rule.
    """

    def __init__(self, files: FileStore, lookups: Lookups, directory: Directory) -> None:
        self.rows = files
        self._lookups = lookups
        self._directory = directory

    async def file(self, caller: Caller, file_id: str) -> tuple[File, list[FileShare]]:
        """Return a file, and those of its shares that the caller may know of.

        Refused `file_not_found`, also for what the caller does not see; `file_deleted` to who owned it.
        """
        file = await self.rows.file(caller.team_id, file_id)
        if file is None or file.state is FileState.PENDING:
            raise Refused("file_not_found")
        if file.state is not FileState.READY:
            # Who saw it is not remembered: everybody else may not know that there was one.
            raise Refused("file_deleted" if file.user_id == caller.user_id else "file_not_found")
        shares = await self._visible(caller, await self.rows.shares(caller.team_id, [file.id]))
        if file.user_id != caller.user_id and not shares:
            raise Refused("file_not_found")
        return file, shares

    async def several(self, caller: Caller, file_ids: Sequence[str]) -> dict[str, tuple[File, list[FileShare]]]:
        """Return those of the files that `file` would return, by id."""
        files = await self.rows.files(caller.team_id, file_ids) if file_ids else {}
        visible = await self._visible(caller, await self.rows.shares(caller.team_id, list(files)) if files else [])
        found: dict[str, tuple[File, list[FileShare]]] = {}
        for file in files.values():
            shares = [each for each in visible if each.file_id == file.id]
            if file.state is FileState.READY and (shares or file.user_id == caller.user_id):
                found[file.id] = (file, shares)
        return found

    async def listed(
        self, caller: Caller, wanted: FileQuestion, base_url: str, limit: int, *, page: int = 1, before: str = ""
    ) -> Listed:
        """Return a page of what the caller sees: the `page`th, or what follows `before`.

        Refused `channel_not_found`, `not_in_channel`, `user_not_found`, `unknown_type`.
        """
        asked = await self._filter(caller, wanted)
        position = _position(before)
        rows = await self.rows.listed(
            caller.team_id, asked, limit + 1, offset=0 if position else (page - 1) * limit, before=position
        )
        total = await self.rows.count_listed(caller.team_id, asked)
        ids = [file_id for _, file_id in rows[:limit]]
        files = await self.rows.files(caller.team_id, ids)
        visible = await self._visible(caller, await self.rows.shares(caller.team_id, ids))
        found = [files[file_id] for file_id in ids if file_id in files]
        shown = [file_object(file, base_url, [each for each in visible if each.file_id == file.id]) for file in found]
        return Listed(shown, total, rows[limit - 1] if len(rows) > limit else None)

    async def _filter(self, caller: Caller, wanted: FileQuestion) -> FileFilter:
        families = _families(wanted.types)
        if wanted.user_id and await self._lookups.user(caller.team_id, wanted.user_id) is None:
            raise Refused("user_not_found")
        if wanted.channel_id:
            sight = await self._directory.see(caller, wanted.channel_id)
            sight.check_readable(caller)
            seen_in: tuple[str, ...] = (wanted.channel_id,)
        elif wanted.user_id == caller.user_id:
            seen_in = (caller.user_id,)
        else:
            sides = await self._lookups.memberships(caller.user_id, "", SEEN_IN_MAX, frozenset(ConversationKind))
            seen_in = (caller.user_id, *(side.channel_id for side in sides))
        return FileFilter(seen_in, wanted.user_id, families, wanted.from_s, wanted.to_s)

    async def _visible(self, caller: Caller, shares: Sequence[FileShare]) -> list[FileShare]:
        """Return shares in conversations that the caller may read."""
        may_read: dict[str, bool] = {}
        for share in shares:
            if share.kind and share.channel_id not in may_read:
                may_read[share.channel_id] = await self._may_read(caller, share.channel_id)
        return [share for share in shares if may_read.get(share.channel_id)]

    async def _may_read(self, caller: Caller, channel_id: str) -> bool:
        if channel_id == caller.team_id:
            return True  # kept for everybody
        try:
            (await self._directory.see(caller, channel_id)).check_readable(caller)
        except Refused:
            return False
        return True


def _families(types: Sequence[str]) -> tuple[str, ...]:
    if unknown := [each for each in types if each not in _TYPES]:
        raise Refused("unknown_type", {"response_metadata": {"messages": [f"[ERROR] no such type: {unknown[0][:40]}"]}})
    return () if "all" in types else tuple(_TYPES[each] for each in types)


def _position(before: str) -> tuple[int, str] | None:
    """Return the place in a list that a cursor's key names. Refused `invalid_cursor`."""
    if not before:
        return None
    created_s, _, file_id = before.partition(".")
    if not (created_s.isascii() and created_s.isdigit() and len(created_s) <= 18):
        raise Refused("invalid_cursor")
    return int(created_s), file_id
