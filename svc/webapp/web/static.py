"""The built client out of its folder: the page at every address that the client understands, and the files beside it.

Names under `/assets/` carry a hash of what is in them, so they are kept for good; everything else is asked for again
each time, and answered with 304 while it is the same. Where `X.br` or `X.gz` lies beside a file, who takes that coding
gets it. Only types that a client is made of are served, so nothing else that lands in the folder ever is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from os import stat_result
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Receive, Scope, Send

from svc.webapp.api.asgi import origin_of
from svc.webapp.api.encoding import accepts
from svc.webapp.domain.origin import Origin, Origins
from svc.webapp.web.headers import page_headers

__all__ = ["Client"]

PAGE = "index.html"
ASSETS = "assets/"
_PAGES = re.compile(r"/(?:|signin/?|join(?:/.*)?|client(?:/.*)?|archives(?:/.*)?|oauth/(?:v2/)?authorize)", re.DOTALL)
"""Addresses that the client understands by itself. `archives` is where links to messages lead."""
_CODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_UNBUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Parley</title></head>
<body>
<h1>Parley is running, and its browser client is not built</h1>
<p><code>make run</code> builds it when Node.js is there (version 20.19 or later), and says so when it is not.
By hand: <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code>. Nothing has to be started again.</p>
<p>Slack clients, bots and the Web API work without it.</p>
</body></html>
"""

Sockets = Callable[[Origin], Sequence[str]]
"""Where sockets of a client may go that came so, as sources of a Content-Security-Policy."""


class Client:
    """The ASGI app for all paths that are nobody else's."""

    def __init__(self, folder: Path, sockets: Sockets, origins: Origins) -> None:
        """`folder` need not be there, and may come later."""
        self._folder = StaticFiles(directory=folder, check_dir=False)
        self._sockets = sockets
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        response = await self._found(scope["path"], headers)
        if scope["method"] not in ("GET", "HEAD") and response.status_code != 404:
            response = JSONResponse({"ok": False, "error": "method_not_allowed"}, 405, {"allow": "GET, HEAD"})
        sockets = self._sockets(origin_of(self._origins, scope, headers))
        response.headers.update(page_headers(sockets))
        await response(scope, receive, send)

    async def _found(self, path: str, headers: Headers) -> Response:
        is_page = _PAGES.fullmatch(path) is not None
        name = PAGE if is_page else path[1:]
        response = await self._file(name, headers)
        if response is None and is_page:
            return HTMLResponse(_UNBUILT, 503, {"cache-control": "no-store"})
        return response or JSONResponse({"ok": False, "error": "not_found"}, 404, {"cache-control": "no-store"})

    async def _file(self, name: str, headers: Headers) -> Response | None:
        """Return the answer with a file of the folder; None when it has none that is served."""
        parts = PurePosixPath(name)
        media_type = _TYPES.get(parts.suffix)
        if media_type is None or any(part.startswith(".") for part in parts.parts):
            return None
        plain = await self._look_up(name)
        if plain is None:
            return None
        taken, told = plain, {"vary": "accept-encoding", "cache-control": "no-cache"}
        if name.startswith(ASSETS):
            told["cache-control"] = _FOR_EVER
        for coding, ending in _CODINGS:
            packed = await self._look_up(name + ending) if accepts(headers.get("accept-encoding", ""), coding) else None
            if packed is not None:
                taken = packed
                told["content-encoding"] = coding
                break
        response = FileResponse(taken[0], headers=told, media_type=media_type, stat_result=taken[1])
        is_same = self._folder.is_not_modified(response.headers, headers)
        return NotModifiedResponse(response.headers) if is_same else response

    async def _look_up(self, name: str) -> tuple[str, stat_result] | None:
        """Return path and properties of a file in the folder, and of none outside of it."""
        try:
            path, found = await to_thread.run_sync(self._folder.lookup_path, name)
        except (OSError, ValueError):
            return None  # a name that no file can have
        return (path, found) if found is not None and S_ISREG(found.st_mode) else None
