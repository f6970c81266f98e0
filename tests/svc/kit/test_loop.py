"""The loop of our processes: what gRPC's thread has said many times is heard at once, and what others say as ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import uvloop

from svc.kit import loop as loops
from svc.kit.loop import Loop

WAKES = 200
DEADLINE_S = 30.0


class Queue:
    """Takes events as grpc.aio's completion queue does: a byte a call."""

    def __init__(self, wakes: socket.socket) -> None:
        self.wakes = wakes
        self.calls = 0

    def _handle_events(self, _: object) -> None:
        assert len(self.wakes.recv(1)) == 1
        self.calls += 1

    def another(self, _: object) -> None:
        self._handle_events(_)


async def _calls(taking: Callable[[Queue], Callable[[object], None]]) -> int:
    """Return in how many calls WAKES bytes were read that were all there."""
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        queue = Queue(reading)
        writing.send(b"1" * WAKES)
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, taking(queue), loop)
        try:
            async with asyncio.timeout(DEADLINE_S):
                while _waiting(reading):
                    await asyncio.sleep(0)
        finally:
            loop.remove_reader(reading)
        return queue.calls


def _waiting(reading: socket.socket) -> int:
    try:
        return len(reading.recv(WAKES, socket.MSG_PEEK))
    except BlockingIOError:
        return 0


def test_what_was_said_many_times_is_taken_once() -> None:
    """And a reader of anybody else is called as often as it would have been."""
    assert uvloop.run(_calls(lambda queue: queue._handle_events), loop_factory=Loop) == 1
    assert uvloop.run(_calls(lambda queue: queue.another), loop_factory=Loop) == WAKES


def test_grpc_is_known_by_how_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a release of it listen in another way, this tells."""
    taken: list[Any] = []
    take = loops._told_once

    def told_once(wakes: socket.socket, callback: Callable[[], Any]) -> None:
        taken.append(wakes)
        take(wakes, callback)

    monkeypatch.setattr(loops, "_told_once", told_once)
    uvloop.run(_one_call(), loop_factory=Loop)
    assert taken


async def _one_call() -> None:
    async def echo(request: bytes, _: object) -> bytes:
        return request

    class Echo(grpc.GenericRpcHandler):
        def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
            return grpc.unary_unary_rpc_method_handler(echo)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with asyncio.timeout(DEADLINE_S), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary("/test/Echo")
            assert await call(b"here") == b"here"
    finally:
        await server.stop(None)
