"""Files in the workspace keyspace, sharded by team_id: what is said of them, and who sees them. No bytes are here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from svc.webapp.store.decode import columns, decode_all, encode
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.sql import insert_rows

__all__ = ["FileFilter", "FileStore"]


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files a list has. `seen_in`: conversations (or the user) of which one at least must see it, 1 to 2,000."""

    seen_in: Sequence[str]
    user_id: str = ""
    """Its owner; "" for anybody."""
    families: Sequence[str] = ()
    """() for all."""
    from_s: int = 0
    to_s: int = 0
    """Created between these, both included; 0: no bound."""

    def where(self, team_id: str) -> tuple[str, list[object]]:
        """Return the condition on file_shares, and its arguments."""
        parts: list[tuple[str, object]] = [("team_id = %s", team_id), ("channel_id IN %s", tuple(self.seen_in))]
        if self.user_id:
            parts.append(("user_id = %s", self.user_id))
        if self.families:
            parts.append(("family IN %s", tuple(self.families)))
        if self.from_s:
            parts.append(("created_s >= %s", self.from_s))
        if self.to_s:
            parts.append(("created_s <= %s", self.to_s))
        return " AND ".join(part for part, _ in parts), [value for _, value in parts]


class FileStore:
    """Reads and writes of files. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the workspace keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("workspace")
    async def file(self, team_id: str, file_id: str) -> File | None:
        """Return a file in whatever state."""
        found = await self.files(team_id, [file_id])
        return found.get(file_id)

    @query("workspace")
    async def files(self, team_id: str, file_ids: Sequence[str]) -> dict[str, File]:
        """Return those of the files that there are, by id, in whatever state. At most 1,000 ids."""
        if not file_ids:
            return {}
        rows = await self._db.rows(
            f"SELECT {columns(File)} FROM files WHERE team_id = %s AND id IN %s", (team_id, tuple(file_ids))
        )
        return {file.id: file for file in decode_all(File, rows)}

    @query("workspace")
    async def reserve(self, file: File) -> None:
        """Note a file that is to be uploaded. One that is there stays, but for the size while it is pending."""
        sql, args = insert_rows("files", columns(File), [encode(file)])
        pending = f"state = {int(FileState.PENDING)} AND user_id = VALUES(user_id)"
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE size = IF({pending}, VALUES(size), size)", args)

    @query("workspace")
    async def put_file(self, file: File) -> None:
        """Insert a file or replace it, unless it has come further already, or as far with a higher `revision_us`.

        Idempotent. A deleted file stays deleted whatever the clocks of two webapps say. MySQL evaluates assignments
        from left to right, so what they compare comes last.
        """
        sql, args = insert_rows("files", columns(File), [encode(file)])
        newer = "(state < VALUES(state) OR state = VALUES(state) AND revision_us <= VALUES(revision_us))"
        changed = ("user_id", "name", "title", "filetype", "size", "created_s", "extra", "state", "revision_us")
        assignments = ", ".join(f"{name} = IF({newer}, VALUES({name}), {name})" for name in changed)
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE {assignments}", args)

    @query("workspace")
    async def put_shares(self, shares: Sequence[FileShare]) -> None:
        """Note who sees a file (all of one workspace); who did already, does. Idempotent."""
        sql, args = insert_rows("file_shares", columns(FileShare), [encode(share) for share in shares])
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE kind = VALUES(kind)", args)

    @query("workspace")
    async def shares(self, team_id: str, file_ids: Sequence[str], limit: int = 2_000) -> list[FileShare]:
        """Return who sees these files (at most 1,000), at most `limit` rows in order of file, channel and time."""
        if not file_ids:
            return []
        rows = await self._db.rows(
            f"SELECT {columns(FileShare)} FROM file_shares WHERE team_id = %s AND file_id IN %s"
            " ORDER BY file_id, channel_id, ts_us LIMIT %s",
            (team_id, tuple(file_ids), limit),
        )
        return decode_all(FileShare, rows)

    @query("workspace")
    async def drop_share(self, team_id: str, file_ids: Sequence[str], channel_id: str, ts_us: int) -> None:
        """Let nobody see files any more by one message."""
        await self._db.execute(
            "DELETE FROM file_shares WHERE team_id = %s AND file_id IN %s AND channel_id = %s AND ts_us = %s",
            (team_id, tuple(file_ids), channel_id, ts_us),
        )

    @query("workspace")
    async def drop_shares(self, team_id: str, file_id: str) -> None:
        """Let nobody see a file any more."""
        await self._db.execute("DELETE FROM file_shares WHERE team_id = %s AND file_id = %s", (team_id, file_id))

    @query("workspace")
    async def listed(
        self, team_id: str, wanted: FileFilter, limit: int, *, offset: int = 0, before: tuple[int, str] | None = None
    ) -> list[tuple[int, str]]:
        """Return (created_s, id) of files, the newest first, each once; `before`: only what follows this one."""
        where, args = wanted.where(team_id)
        if before is not None:
            where += " AND (created_s < %s OR (created_s = %s AND file_id < %s))"
            args += [before[0], before[0], before[1]]
        rows = await self._db.rows(
            f"SELECT DISTINCT created_s, file_id FROM file_shares WHERE {where}"
            " ORDER BY created_s DESC, file_id DESC LIMIT %s OFFSET %s",
            [*args, limit, offset],
        )
        return [(int(created_s), str(file_id)) for created_s, file_id in rows]

    @query("workspace")
    async def count_listed(self, team_id: str, wanted: FileFilter) -> int:
        """Return how many files such a list has."""
        where, args = wanted.where(team_id)
        rows = await self._db.rows(f"SELECT COUNT(DISTINCT file_id) FROM file_shares WHERE {where}", args)
        return int(rows[0][0])

    @query("workspace")
    async def bytes_used(self, team_id: str) -> int:
        """Return the bytes of a workspace's files, promised ones too. One scan of an index: 20 ms for 100,000 files."""
        rows = await self._db.rows(
            "SELECT COALESCE(SUM(size), 0) FROM files WHERE team_id = %s AND state < %s",
            (team_id, int(FileState.GONE)),
        )
        return int(rows[0][0])

    @query("workspace", scatter="housekeeping, of all workspaces together, every few minutes")
    async def unfinished(self, state: FileState, before_s: int, limit: int) -> list[File]:
        """Return files in this state that were created before, the oldest first."""
        rows = await self._db.rows(
            f"SELECT {columns(File)} FROM files WHERE state = %s AND created_s < %s ORDER BY created_s LIMIT %s",
            (int(state), before_s, limit),
        )
        return decode_all(File, rows)

    @query("workspace")
    async def forget_pending(self, team_id: str, file_id: str) -> bool:
        """Drop a promise that was not kept; False when it is none any more."""
        await self._db.execute(
            "DELETE FROM files WHERE team_id = %s AND id = %s AND state = %s",
            (team_id, file_id, int(FileState.PENDING)),
        )
        rows = await self._db.rows("SELECT 1 FROM files WHERE team_id = %s AND id = %s", (team_id, file_id))
        return not rows

    @query("workspace")
    async def note_gone(self, team_id: str, file_id: str) -> None:
        """Note that a deleted file's bytes are removed."""
        await self._db.execute(
            "UPDATE files SET state = %s WHERE team_id = %s AND id = %s AND state = %s",
            (int(FileState.GONE), team_id, file_id, int(FileState.DELETED)),
        )
