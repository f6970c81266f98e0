"""`POST /upload/v1/<ticket>`: the bytes of one file, to its end or not at all.

Clients send the same bytes in three ways: as they are, with whatever Content-Type (slack_sdk calls them a urlencoded
form, which they are not), or as a part of a multipart form. No token is needed, and none is looked at: the ticket says
whose upload it is. The answer is text: `OK - <bytes>`, or what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Protocol

from opentelemetry import metrics
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from svc.kit.errors import InvalidArgumentError, ParleyError, ResourceExhaustedError
from svc.kit.tally import Tally
from svc.kit.tokens import TokenExpired, TokenInvalid
from svc.webapp.files.answers import HungUp, body_of, drained, has_hung_up, say, trouble
from svc.webapp.files.filling import HELD_BYTES, Filling
from svc.webapp.files.multipart import FormBroken, FormReader, boundary_of
from svc.webapp.files.tickets import Upload
from svc.webapp.files.vault import Vault
from svc.webapp.gate import Gate
from svc.webapp.priority import Priority, Turn

__all__ = ["UPLOAD_PREFIX", "Places", "Uploads"]

UPLOAD_PREFIX = "/upload/v1/"
FIELDS_BYTES_MAX = 64 * 1024
"""Of what a form has beside the file; nothing of it is needed."""


class Awaiting(Protocol):
    """Who knows what is awaited."""

    async def is_awaited(self, upload: Upload) -> bool:
        """Tell whether these bytes are still wanted."""
        ...


class Places:
    """How many may do the same at once."""

    def __init__(self, what: str, limit: int) -> None:
        self._what = what
        self._limit = limit
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for the block. Raises ResourceExhaustedError when there is none."""
        if self.taken >= self._limit:
            raise ResourceExhaustedError(
                f"too many {self._what}s at once",
                subject=f"webapp.{self._what}s",
                limit=self._limit,
                actual=self.taken,
                retry_after_s=1.0,
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Uploads:
    """The ASGI app. `places` are shared with uploads that come as forms of a method."""

    def __init__(self, vault: Vault, awaiting: Awaiting, places: Places, gate: Gate) -> None:
        self._vault = vault
        self._awaiting = awaiting
        self._places = places
        self._gate = gate
        self._outcomes = Tally(metrics.get_meter("parley.webapp"), "parley_uploads", ("status",), "uploads by answer")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = body_of(receive, self._vault.config.idle_s)
        try:
            status, text, headers = await self._answer(scope, receive, body)
        except HungUp:
            self._outcomes.add(1, "gone")
            return
        if status != 200:
            await drained(body)
        self._outcomes.add(1, str(status))
        await say(send, status, text, headers)

    async def _answer(
        self, scope: Scope, receive: Receive, body: AsyncIterator[bytes]
    ) -> tuple[int, str, tuple[tuple[bytes, bytes], ...]]:
        if scope["method"] not in ("POST", "PUT"):
            return 405, "POST the bytes of the file here", ((b"allow", b"POST, PUT"),)
        turn = Turn(Priority.READ, has_hung_up(receive))
        try:
            upload = self._vault.tickets.read(scope["path"].removeprefix(UPLOAD_PREFIX))
            with self._places.one(), self._gate.arriving(turn):
                self._gate.hold(turn, HELD_BYTES)
                with self._gate.admitted(turn):
                    if not await self._awaiting.is_awaited(upload):
                        return 404, "this file is awaited no longer", ()
                async with asyncio.timeout(self._vault.config.upload_s):
                    size = await self._take(upload, Headers(scope=scope), body)
            return 200, f"OK - {size}", ()
        except TokenExpired:
            return 410, "this address has expired; ask for another one", ()
        except TokenInvalid:
            return 404, "there is nothing to upload here", ()
        except FormBroken as error:
            return 400, f"{error}; nothing was kept", ()
        except TimeoutError:
            return 408, "the bytes came too slowly; nothing was kept", ()
        except ParleyError as error:
            status, text, headers = trouble(error)
            return status, text, tuple(headers)
        finally:
            self._gate.let_go(turn)

    async def _take(self, upload: Upload, headers: Headers, body: AsyncIterator[bytes]) -> int:
        """Keep the body's bytes and return how many. Raises InvalidArgumentError for more or less than announced."""
        boundary = boundary_of(headers.get("content-type", ""))
        form = FormReader(boundary, FIELDS_BYTES_MAX, is_bare=True) if boundary else None
        async with self._vault.storage.receive(upload.key, upload.size) as incoming:
            filling = Filling(incoming)
            async for data in body:
                for piece in form.feed(data) if form else (data,):
                    await filling.add(piece)
            if form:
                form.finish()
            if filling.size != upload.size:
                message = f"{filling.size} bytes came, {upload.size} were announced"
                raise InvalidArgumentError(message, subject="file", limit=upload.size, actual=filling.size)
            await filling.keep()
        return upload.size
