"""What the two file endpoints have in common: answers in plain text, bodies read piece by piece, who has hung up."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence

from starlette.types import Receive, Send

from svc.kit.errors import (
    AlreadyExistsError,
    DeadlineError,
    InvalidArgumentError,
    NotFoundError,
    ParleyError,
    ResourceExhaustedError,
)
from svc.webapp.files.storage import StorageFull

__all__ = ["DRAINED_BYTES_MAX", "HungUp", "body_of", "drained", "has_hung_up", "say", "trouble"]

DRAINED_BYTES_MAX = 16 * 1024 * 1024
"""Of a body that is refused, this much is read and dropped, so that the client gets its answer instead of a reset."""
DRAIN_S = 5.0

Headers = Sequence[tuple[bytes, bytes]]


class HungUp(Exception):
    """The client went away in the middle."""


async def say(send: Send, status: int, text: str, headers: Headers = ()) -> None:
    """Answer with a line of text."""
    body = text.encode()
    told = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive: Receive, idle_s: float) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes. Raises HungUp, and TimeoutError when nothing comes for `idle_s`."""
    more = True
    while more:
        async with asyncio.timeout(idle_s):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        more = message.get("more_body", False)
        if data := message.get("body", b""):
            yield data


async def drained(body: AsyncIterator[bytes]) -> None:
    """Read what is left of a refused body, within bounds."""
    left = DRAINED_BYTES_MAX
    try:
        async with asyncio.timeout(DRAIN_S):
            async for data in body:
                left -= len(data)
                if left < 0:
                    return
    except (HungUp, TimeoutError):
        return


def has_hung_up(receive: Receive) -> Callable[[], bool]:
    """Return what tells whether the client is gone, by uvicorn's own record; under another server nobody seems so."""
    cycle = getattr(receive, "__self__", None)
    return lambda: bool(getattr(cycle, "disconnected", False))


def trouble(error: ParleyError) -> tuple[int, str, Headers]:
    """Return status, text and headers for what went wrong. Whatever it is, nothing was kept."""
    match error:
        case StorageFull():
            return 507, f"{error.message}; nothing was kept", ()
        case InvalidArgumentError():
            return 400, f"{error.message} ({error.limit} bytes are allowed); nothing was kept", ()
        case AlreadyExistsError():
            return 409, f"{error.message}; nothing was changed", ()
        case NotFoundError():
            return 404, "there is no such file", ()
        case ResourceExhaustedError():
            after = str(max(1, math.ceil(error.retry_after_s))).encode()
            return 429, f"overloaded ({error.subject}); nothing was done", ((b"retry-after", after),)
        case DeadlineError():
            return 503, "took too long; try again", ((b"retry-after", b"1"),)
    return 503, "not available at the moment; try again", ((b"retry-after", b"1"),)
