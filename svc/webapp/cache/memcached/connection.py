"""One TCP connection to a memcached node: requests and their answers in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import cast

from svc.webapp.cache.memcached import wire

__all__ = ["Connection"]

log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """Requests and answers in order; a caller who left is still owed an answer, which is dropped."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = wire.Parser()
        self._waiting: deque[asyncio.Future[wire.Answer]] = deque()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __len__(self) -> int:
        return len(self._waiting)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio.Transport by what they do, not by class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            answers = self._parser.feed(data)
        except wire.ProtocolViolation as error:
            log.warning("memcached: %s", error)
            self.close()
            return
        for answer in answers:
            if not self._waiting:
                self.close()
                return
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(ConnectionResetError("memcached connection lost"))
                # Nobody may be waiting for it.
                future.exception()

    def send(self, request: bytes) -> asyncio.Future[wire.Answer]:
        """Send a request and return what will hold its answer."""
        future: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        if self._transport is None or self.lost.done():
            future.set_exception(ConnectionResetError("no memcached connection"))
            future.exception()
            return future
        self._waiting.append(future)
        self._transport.write(request)
        return future

    def close(self) -> None:
        """End it now; whoever waits gets a ConnectionResetError."""
        if self._transport is not None:
            self._transport.abort()
