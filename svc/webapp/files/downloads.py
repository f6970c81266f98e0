"""`GET /files-pri/<team>-<file>/<name>`, and `…/download/<name>` to save it: the bytes of a file, to who sees it.

What the name says is of no account. The type is one that no browser runs (see kinds.serving), no sniffing is allowed,
and should a page be made of it all the same, it is one that may do nothing. Nothing is kept by caches without asking
again, because a file may be deleted, or its reader leave the conversation.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable

from opentelemetry import metrics
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from svc.kit.errors import ParleyError
from svc.kit.tally import Tally
from svc.webapp.files.answers import has_hung_up, say, trouble
from svc.webapp.files.config import CHUNK_BYTES
from svc.webapp.files.kinds import serving
from svc.webapp.files.names import content_disposition
from svc.webapp.files.ranges import Part, etag_matches, part_of
from svc.webapp.files.storage import FileKey, Stored
from svc.webapp.files.uploads import Places
from svc.webapp.files.vault import Vault
from svc.webapp.gate import Gate
from svc.webapp.priority import Priority, Turn
from svc.webapp.store.file_rows import File

__all__ = ["FILES_PREFIX", "Denied", "Downloads", "Readable"]

log = logging.getLogger(__name__)

FILES_PREFIX = "/files-pri/"
_PATH = re.compile(r"(T[0-9A-Z]{8,10})-(F[0-9A-Z]{8,10})/(download/)?[^/]*", re.ASCII)
_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"authorization, cookie"),
    (b"accept-ranges", b"bytes"),
)


class Denied(Exception):
    """Whoever asks may not; `status` is 401 or 403."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


Readable = Callable[[Headers, str, str], Awaitable[File]]
"""Returns the file of (team, file) if the request with these headers may have it. Raises Denied, or the kit's errors:
NotFoundError also for what the caller may not know of."""


class Downloads:
    """The ASGI app."""

    def __init__(self, vault: Vault, readable: Readable, gate: Gate) -> None:
        self._vault = vault
        self._readable = readable
        self._gate = gate
        self._places = Places("download", vault.config.downloads_max)
        meter = metrics.get_meter("parley.webapp")
        self._outcomes = Tally(meter, "parley_downloads", ("status",), "downloads by answer")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await say(send, 405, "GET it", ((b"allow", b"GET, HEAD"),))
            return
        turn = Turn(Priority.READ, has_hung_up(receive))
        try:
            status = await self._serve(scope, send, turn)
        except Denied as denial:
            status = denial.status
            await say(send, status, denial.code, ((b"www-authenticate", b"Bearer"),) if status == 401 else ())
        except ParleyError as error:
            status, text, headers = trouble(error)
            await say(send, status, text, headers)
        finally:
            self._gate.let_go(turn)
        self._outcomes.add(1, str(status))

    async def _serve(self, scope: Scope, send: Send, turn: Turn) -> int:
        """Answer with the file and return the status. Raises Denied and ParleyError before anything was sent."""
        found = _PATH.fullmatch(scope["path"].removeprefix(FILES_PREFIX))
        headers = Headers(scope=scope)
        with self._gate.admitted(turn):
            # Who has no token is told so before it is told that there is nothing.
            file = await self._readable(headers, found[1] if found else "", found[2] if found else "")
        etag = f'"{file.id}"'
        if etag_matches(headers.get("if-none-match", ""), etag):
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", etag.encode()), *_SAFE]})
            await send({"type": "http.response.body", "body": b""})
            return 304
        with self._places.one():
            self._gate.hold(turn, CHUNK_BYTES)
            async with self._vault.storage.open(FileKey(file.team_id, file.id)) as stored:
                part = part_of(stored.size, headers.get("range", ""), headers.get("if-range", ""), etag)
                head = _head(file, stored.size, part, etag, is_download=bool(found and found[3]))
                await send({"type": "http.response.start", "status": part.status, "headers": head})
                is_wanted = scope["method"] == "GET" and part.status != 416
                await self._send(send, stored, part if is_wanted else Part(0, 0, 200), turn)
        return part.status

    async def _send(self, send: Send, stored: Stored, part: Part, turn: Turn) -> None:
        try:
            async for data in stored.read(part.start, part.stop):
                if turn.is_gone():
                    return
                # uvicorn waits here while the client does not read; who does not for so long is cut off.
                async with asyncio.timeout(self._vault.config.idle_s):
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        except (ParleyError, TimeoutError) as error:
            # Too late for an answer: the server cuts the connection of who returns with half of one.
            log.warning("a download was broken off: %s", error or "the client does not read")
            return
        await send({"type": "http.response.body", "body": b""})


def _head(file: File, size: int, part: Part, etag: str, *, is_download: bool) -> list[tuple[bytes, bytes]]:
    how = serving(file.filetype, is_download=is_download)
    headers = [
        (b"content-type", how.content_type.encode()),
        (b"content-disposition", content_disposition(file.name, is_inline=how.is_inline).encode()),
        (b"etag", etag.encode()),
        (b"content-length", str(part.stop - part.start).encode()),
        *_SAFE,
    ]
    if part.status == 206:
        headers.append((b"content-range", f"bytes {part.start}-{part.stop - 1}/{size}".encode()))
    if part.status == 416:
        headers.append((b"content-range", f"bytes */{size}".encode()))
    return headers
