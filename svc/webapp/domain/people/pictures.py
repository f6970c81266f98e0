"""Pictures of people, apps and workspaces: files that everybody of the workspace sees, shown by their owner alone."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urlsplit

import orjson

from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import PutTeamIcon, Write
from svc.webapp.domain.files.shape import private_path
from svc.webapp.domain.files.uploading import Files
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.people import People
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import User
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["BYTES_MAX", "SIDE_MAX", "Pictures"]

SIDE_MAX = 1_024
"""Pixels; Slack's. It is shown as it is, so everybody who sees a face loads this."""
BYTES_MAX = 2 << 20
URL_CHARS_MAX = 1_000
"""The width of the column."""
_FILE = re.compile(r"/files-pri/(T[A-Z0-9]+)-(F[A-Z0-9]+)/", re.ASCII)


class Pictures:
    """Sets and removes pictures. Methods raise Refused, and UnavailableError when MySQL does not answer.

    A bot's picture is that of the user that it acts as.
    """

    def __init__(self, files: Files, people: People, workspaces: WorkspaceStore, writes: Writes) -> None:
        self._files = files
        self._people = people
        self._workspaces = workspaces
        self._writes = writes

    async def set(self, caller: Caller, file_id: str, base_url: str, *, of: str = "") -> User:
        """Let a file that the caller has uploaded be a user's picture, and return that user; the one before is deleted.

        `of`: the user, when it is not the caller, who has to be allowed to. Refused `bad_image` (no PNG, JPEG, GIF or
        WebP, or nothing was uploaded), `too_large`, `user_not_found`.
        """
        return await self._change(caller, of or caller.user_id, await self._shown(caller, file_id, base_url))

    async def remove(self, caller: Caller) -> User:
        """Have no picture, and return the caller."""
        return await self._change(caller, caller.user_id, "")

    async def set_team(self, caller: Caller, file_id: str, base_url: str) -> None:
        """Let a file that the caller has uploaded be the picture of its workspace; the one before is deleted.

        Refused `not_an_admin`, and as `set` says.
        """
        await self.check_admin(caller)
        url = await self._shown(caller, file_id, base_url)
        before = await self._workspaces.team(caller.team_id)
        await self._writes.commit(Write(caller.team_id, effects=(PutTeamIcon(url),)))
        await self._forget(caller, before.icon_url if before is not None else "", url)

    async def check_admin(self, caller: Caller) -> None:
        """Refused `not_an_admin` unless the caller is one now, by the database."""
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        if user is None or user.deleted or not (user.is_admin or user.is_owner):
            raise Refused("not_an_admin")

    async def copy(self, caller: Caller, url: str, base_url: str) -> str:
        """Upload, in the caller's name, what lies at an address of ours and the caller sees; return the upload's id.

        Nothing is fetched from anywhere else. Refused `invalid_url` for every other address, `too_large`, and as
        Files.keep says.
        """
        found = _FILE.match(urlsplit(url).path) if url.startswith(base_url) else None
        if found is None or found[1] != caller.team_id:
            raise Refused("invalid_url")
        try:
            file, data = await self._files.contents(caller, found[2], BYTES_MAX)
        except Refused as refusal:
            raise refusal if refusal.code == "too_large" else Refused("invalid_url") from None
        return (await self._files.keep(caller, file.name, data)).id

    async def _shown(self, caller: Caller, file_id: str, base_url: str) -> str:
        """Let everybody see an uploaded picture, and return its address. Refused `bad_image`, `too_large`."""
        try:
            file = await self._files.uploaded(caller, file_id)
        except Refused:
            raise Refused("bad_image") from None
        extra = orjson.loads(file.extra)
        if "width" not in extra:
            raise Refused("bad_image")
        if file.size > BYTES_MAX or max(extra["width"], extra["height"]) > SIDE_MAX:
            raise Refused("too_large")
        url = base_url + private_path(file)
        if len(url) > URL_CHARS_MAX:
            raise Refused("bad_image")
        await self._files.show_to_all(caller, file)
        return url

    async def _change(self, caller: Caller, user_id: str, url: str) -> User:
        user, before = await self._people.set_picture(caller.team_id, user_id, url)
        await self._forget(caller, before, url)
        return user

    async def _forget(self, caller: Caller, before: str, url: str) -> None:
        """Delete a picture that nobody is shown any more; a file that is left is no harm."""
        old = _FILE.search(before)
        if old is not None and before != url:
            with suppress(Refused):
                await self._files.delete(caller, old[2])
