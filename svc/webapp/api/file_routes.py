"""Files over HTTP beside the calls: their bytes in and out, and forms with files, which are too large for a call.

A form's file is kept as it comes; then the call is made as if it had come without, naming what was kept. So the call
goes through everything that calls go through, and nothing but this file knows of forms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from svc.kit.errors import InvalidArgumentError, NotFoundError, ParleyError, ResourceExhaustedError
from svc.webapp.api import dispatch as dispatching
from svc.webapp.api.asgi import Api, origin_of, write
from svc.webapp.api.credentials import Credential, bearer_token, cookie_token, shown
from svc.webapp.api.dispatch import Reply, failure
from svc.webapp.api.scopes import has_scope
from svc.webapp.domain.files.uploading import Files
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.files.answers import HungUp, body_of, drained, has_hung_up
from svc.webapp.files.downloads import FILES_PREFIX, Denied, Downloads, Readable
from svc.webapp.files.filling import HELD_BYTES, Filling
from svc.webapp.files.multipart import FormBroken, FormReader, boundary_of
from svc.webapp.files.storage import FileKey, StorageFull
from svc.webapp.files.uploads import UPLOAD_PREFIX, Places, Uploads
from svc.webapp.gate import Gate
from svc.webapp.priority import Priority, Turn
from svc.webapp.store.file_rows import File
from svc.webapp.store.rows import TokenKind

__all__ = ["FORM_PATHS", "FormUploads", "file_apps"]

FORM_PATHS = (
    "/api/admin.teams.settings.setIcon",
    "/api/apps.icon.set",
    "/api/files.upload",
    "/api/users.setPhoto",
)
"""Calls that come as a form with a file in it."""


def file_apps(services: Services, api: Api, gate: Gate, body_bytes_max: int) -> dict[str, ASGIApp]:
    """Return the apps by what their paths begin with. `api`: where calls go; of their bodies, `body_bytes_max`."""
    vault = services.files.vault
    places = Places("upload", vault.config.uploads_max)
    return {
        UPLOAD_PREFIX: Uploads(vault, services.files, places, gate),
        FILES_PREFIX: Downloads(vault, _readable(services), gate),
        **dict.fromkeys(FORM_PATHS, FormUploads(services, api, places, gate, body_bytes_max)),
    }


def _readable(services: Services) -> Readable:
    """Return what decides whether a request may have a file: by its token, as a call's, or a browser's cookie.

    Whose page asked for it is of no account: nothing changes, and no other page is let read the answer.
    """

    async def readable(headers: Headers, team_id: str, file_id: str) -> File:
        bearer = bearer_token(headers.get("authorization", ""), {})
        credential = Credential(bearer) if bearer else Credential(cookie_token(headers.get("cookie", "")), True)
        try:
            caller = await services.sessions.authenticate(credential.token, by_cookie=credential.by_cookie)
        except Refused as refusal:
            raise Denied(401, refusal.code) from refusal
        if caller.kind is TokenKind.APP:
            raise Denied(403, "not_allowed_token_type")
        if not has_scope(caller, "files:read"):
            raise Denied(403, "missing_scope")
        if not file_id:
            raise NotFoundError("there is no such file", subject="file")
        return await services.files.readable(caller, team_id, file_id)

    return readable


class FormUploads:
    """The ASGI app before calls with a file: takes it out of a multipart form, and lets everything else pass."""

    def __init__(self, services: Services, api: Api, places: Places, gate: Gate, body_bytes_max: int) -> None:
        self._services = services
        self._files: Files = services.files
        self._api = api
        self._places = places
        self._gate = gate
        self._fields_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        boundary = boundary_of(headers.get("content-type", ""))
        if not boundary:
            await self._api(scope, receive, send)
            return
        body = body_of(receive, self._files.vault.config.idle_s)
        try:
            fields = await self._kept(scope, boundary, body, Turn(Priority.READ, has_hung_up(receive)))
        except HungUp:
            return
        except (Refused, FormBroken, TimeoutError, ParleyError) as error:
            await drained(body)
            await write(send, _refusal(error))
            return
        form = urlencode(fields).encode()
        await self._api(_as_form(scope, len(form)), _replayed(form, receive), send)

    async def _kept(self, scope: Scope, boundary: bytes, body: AsyncIterator[bytes], turn: Turn) -> dict[str, str]:
        """Keep the form's file; return its fields, with `upload` if there was one."""
        form = FormReader(boundary, self._fields_bytes_max)
        try:
            with self._places.one(), self._gate.arriving(turn):
                self._gate.hold(turn, HELD_BYTES)
                async with asyncio.timeout(self._files.vault.config.upload_s):
                    return await self._read(form, scope, body)
        finally:
            self._gate.let_go(turn)

    async def _read(self, form: FormReader, scope: Scope, body: AsyncIterator[bytes]) -> dict[str, str]:
        file, filling = None, None
        async with AsyncExitStack() as until_kept:
            async for data in body:
                pieces = form.feed(data)
                if form.has_file and filling is None:
                    file = await self._promised(form, scope)
                    receiving = self._files.vault.storage.receive(FileKey(file.team_id, file.id), file.size)
                    filling = Filling(await until_kept.enter_async_context(receiving))
                if filling is not None:
                    for piece in pieces:
                        await filling.add(piece)
            form.finish()
            if file is None or filling is None:
                return form.fields
            if not filling.size:
                raise Refused("no_file_data")
            await filling.keep()
        await self._files.settle(file, filling.size)
        return {"filename": file.name, **form.fields, "upload": file.id}

    async def _promised(self, form: FormReader, scope: Scope) -> File:
        """Promise the file that begins now, whose length is at most that of the body."""
        headers = Headers(scope=scope)
        origin = origin_of(self._api.origins, scope, headers)
        credential = shown(lambda each: headers.get(each, ""), form.fields, scope["method"], origin)
        caller = await self._services.sessions.authenticate(credential.token, by_cookie=credential.by_cookie)
        if caller.kind is TokenKind.APP:
            raise Refused("not_allowed_token_type")
        length, limit = headers.get("content-length", ""), self._files.vault.config.file_bytes_max
        size = min(int(length), limit) if length.isascii() and length.isdigit() else limit
        name = form.fields.get("filename") or form.filename
        return await self._files.reserve(caller, name, size, snippet_type=form.fields.get("filetype", ""))


def _as_form(scope: Scope, length: int) -> Scope:
    """Return the request as if it had come with a urlencoded body of `length` bytes."""
    replaced = (b"content-type", b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in replaced]
    headers += [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", str(length).encode()),
    ]
    return {**scope, "headers": headers}


def _replayed(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _refusal(error: Exception) -> Reply:
    """Return the answer of a call for whose file there was no way."""
    match error:
        case Refused():
            return Reply({"ok": False, "error": error.code, **error.extra})
        case FormBroken():
            return failure("invalid_form_data", messages=(f"[ERROR] {error}",))
        case TimeoutError():
            return failure("request_timeout")
        case StorageFull():
            return failure("storage_limit_reached", messages=(f"[ERROR] {error.message}",))
        case InvalidArgumentError():
            return failure("file_upload_size_restricted", messages=(f"[ERROR] {error.message}",))
        case ResourceExhaustedError():
            return dispatching.overloaded(error)
    return failure("service_unavailable", status=503)
