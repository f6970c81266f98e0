"""People's own pictures: files that everybody of the workspace sees, each shown by its owner's profile alone."""

from __future__ import annotations

import re
from contextlib import suppress

import orjson

from svc.webapp.domain.files.shape import private_path
from svc.webapp.domain.files.uploading import Files
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.people import People
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import User

__all__ = ["BYTES_MAX", "SIDE_MAX", "Pictures"]

SIDE_MAX = 1_024
"""Pixels; Slack's. It is shown as it is, so everybody who sees a face loads this."""
BYTES_MAX = 2 << 20
URL_CHARS_MAX = 1_000
"""The width of the column."""
_FILE = re.compile(r"/files-pri/T[A-Z0-9]+-(F[A-Z0-9]+)/", re.ASCII)


class Pictures:
    """Sets and removes pictures. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, files: Files, people: People) -> None:
        self._files = files
        self._people = people

    async def set(self, caller: Caller, file_id: str, base_url: str) -> User:
        """Let a file that the caller has uploaded be its picture, and return the caller; the one before is deleted.

        Refused `bad_image` (no PNG, JPEG, GIF or WebP, or nothing was uploaded), `too_large`.
        """
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
        return await self._change(caller, url)

    async def remove(self, caller: Caller) -> User:
        """Have no picture, and return the caller."""
        return await self._change(caller, "")

    async def _change(self, caller: Caller, url: str) -> User:
        user, before = await self._people.set_picture(caller, url)
        old = _FILE.search(before)
        if old is not None and before != url:
            # Nobody is shown it any more; a file that is left is no harm.
            with suppress(Refused):
                await self._files.delete(caller, old[1])
        return user
