"""Opening WebSockets: a listening socket whose connections become what answers their requests, or are turned away."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Protocol, cast

from svc.gateway.websocket.upgrade import NotUnderstood, Request, read_request, refusing, switching

HEAD_BYTES_MAX = 16 * 1024
"""Bytes of a request; a ticket has some 600."""

HANDSHAKE_S = 5.0
"""Seconds from connecting to the end of the request."""

END = b"\r\n\r\n"


class Opened(Protocol):
    """What a connection becomes once its request is granted: the protocol of its transport, from then on."""

    def opened(self, transport: asyncio.Transport) -> None:
        """Be open; bytes come from now on."""
        ...

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        ...


Answer = Callable[[Request], "Opened | bytes"]
"""Says what becomes of a request: what it opens, or the HTTP response that refuses it."""


class Handshake(asyncio.Protocol):
    """A connection until its request is answered."""

    __slots__ = ("_answer", "_head", "_timer", "_transport")

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(HANDSHAKE_S, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._over()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._head += data
        head, end, rest = self._head.partition(END)
        if len(head) > HEAD_BYTES_MAX:
            self._refuse(transport, _not_understood("the request is too long"))
        elif end:
            self._take(transport, head, rest)

    def _take(self, transport: asyncio.Transport, head: bytes, rest: bytes) -> None:
        try:
            request = read_request(head)
        except NotUnderstood as error:
            self._refuse(transport, _not_understood(str(error)))
            return
        answer = self._answer(request)
        if isinstance(answer, bytes):
            self._refuse(transport, answer)
            return
        assert request.accept is not None, "nothing is opened by a request that is not sound"
        self._over()
        transport.write(switching(request.accept))
        transport.set_protocol(answer)  # type: ignore[arg-type]  # an Opened is an asyncio.Protocol, or looks like one
        answer.opened(transport)
        if rest:
            answer.data_received(rest)

    def _refuse(self, transport: asyncio.Transport, response: bytes) -> None:
        transport.write(response)
        transport.close()

    def _over(self) -> None:
        self._head, self._transport = b"", None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _not_understood(why: str) -> bytes:
    return refusing(HTTPStatus.BAD_REQUEST, f"{why}\n".encode(), {"Content-Type": "text/plain; charset=utf-8"})


async def serve_websockets(
    answer: Answer, listening: Sequence[socket.socket], up: AsyncExitStack, backlog: int, tls: ssl.SSLContext | None
) -> None:
    """Serve these bound sockets, with `tls` over TLS alone, until `up` unwinds. Connections outlive it."""
    loop = asyncio.get_running_loop()
    for each in listening:
        server = await loop.create_server(lambda: Handshake(answer), sock=each, backlog=backlog, ssl=tls)
        # Not wait_closed: it waits for connections, whose end is the drain's business.
        up.callback(server.close)
