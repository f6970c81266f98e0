"""The owner as gateways and other webapps see it: streams of connections, and what people give to apps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.errors import InvalidArgumentError, NotFoundError, UnavailableError
from svc.kit.lifecycle import Tasks
from svc.kit.mailbox import MailboxClosed
from svc.kit.rpc import when_over
from svc.webapp.apps.lines import Line
from svc.webapp.apps.owner import AppOwner, Parts
from svc.webapp.apps.pump import Pump
from svc.webapp.apps.requests import asked_of, post_request

__all__ = ["OwnerFace"]

OPEN_S = 5.0
"""Longest that a stream may stay nameless."""
APP_ANSWER_S = 3.0
BEGUN_S = 1.5
"""How long a connection waits for its app to be taken over, before its gateway asks again."""


class OwnerFace:
    """See calls.AppCalls."""

    def __init__(self, owner: AppOwner, parts: Parts, tasks: Tasks) -> None:
        """Streams are read in `tasks`."""
        self._owner = owner
        self._parts = parts
        self._tasks = tasks

    async def stream(
        self, requests: AsyncIterator[pb.AppStreamRequest], context: Any
    ) -> AsyncIterator[pb.AppStreamResponse]:
        """See AppCalls."""
        opened = await _opened(requests)
        pump = await self._owner.pump(opened.app_id)
        if pump is None or not pump.app.is_socket_mode or not await self._is_valid(opened):
            yield _disconnect(pb.DISCONNECT_REASON_LINK_DISABLED)
            return
        # Who has read hello is told everything from then on.
        await pump.begun(BEGUN_S)
        line = pump.sockets.attach(opened)
        if line is None:
            yield _disconnect(pb.DISCONNECT_REASON_TOO_MANY_WEBSOCKETS)
            return
        when_over(context, lambda: pump.sockets.detach(line))
        reader = self._tasks.spawn(_read(requests, pump, line), f"acks of {opened.app_id}")
        when_over(context, reader.cancel)
        try:
            while True:
                for frame in await line.frames.take():
                    yield frame
        except MailboxClosed:
            pass  # the line says below how it ended
        finally:
            reader.cancel()
            pump.sockets.detach(line)
        if line.ending is not None:
            raise line.ending

    async def deliver(self, request: pb.DeliverToAppRequest) -> pb.DeliverToAppResponse:
        """See AppCalls."""
        kind = asked_of(request)
        pump = await self._owner.pump(request.app_id)
        timeout_s = request.timeout_ms / 1000 or APP_ANSWER_S
        if pump is not None and pump.app.is_socket_mode:
            return pb.DeliverToAppResponse(payload=await pump.sockets.request(kind, request.payload, timeout_s))
        row = await self._parts.apps.app(request.team_id, request.app_id)
        if row is None or row.deleted:
            raise NotFoundError(f"there is no app {request.app_id}", subject="app_id")
        if not request.request_url:
            raise UnavailableError("the app has no URL for this")
        answer = await post_request(self._parts.poster, row.signing_secret, request, timeout_s)
        return pb.DeliverToAppResponse(payload=answer)

    async def _is_valid(self, opened: pb.AppOpen) -> bool:
        """Tell whether the token still works that a connection was opened with."""
        prefix = opened.token_hash_prefix
        if not prefix:
            return True
        tokens = await self._parts.users.tokens(opened.bot_user_id)
        return any(token.token_hash[: len(prefix)] == prefix and not token.revoked_s for token in tokens)


async def _opened(requests: AsyncIterator[pb.AppStreamRequest]) -> pb.AppOpen:
    try:
        async with asyncio.timeout(OPEN_S):
            first = await anext(requests, None)
    except TimeoutError:
        raise InvalidArgumentError(f"no open within {OPEN_S:g} s", subject="open") from None
    if first is None or not (first.HasField("open") and first.open.app_id and first.open.connection_id):
        raise InvalidArgumentError("the first frame must be an open that names app and connection", subject="open")
    return first.open


async def _read(requests: AsyncIterator[pb.AppStreamRequest], pump: Pump, line: Line) -> None:
    """Take what a connection says until it ends."""
    async for request in requests:
        kind = request.WhichOneof("frame")
        if kind == "ack":
            pump.sockets.acked(request.ack.envelope_id, request.ack.payload)
        elif kind == "leaving":
            pump.sockets.leaving(line)
    pump.sockets.detach(line)
    line.end()


def _disconnect(reason: pb.DisconnectReason.ValueType) -> pb.AppStreamResponse:
    return pb.AppStreamResponse(disconnect=pb.AppDisconnect(reason=reason))
