"""The twins of the fan-out loop, and connections that they may be tried with."""

from __future__ import annotations

import contextlib
import importlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from svc.gateway.fanout import lines as in_python

BYTES_MAX = 4_096


def native() -> Any:
    try:
        return importlib.import_module("svc.gateway.fanout._fanout")
    except ImportError:
        return None


TWINS = [
    pytest.param(in_python, id="python"),
    pytest.param(native(), id="c", marks=pytest.mark.skipif(native() is None, reason="no compiler was here")),
]


class Schedule:
    """A loop that runs when it is told to."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> None:
        """Remember that a flush is wanted."""
        self.asked += 1


class Owner:
    """A connection as the gateway has it: what the socket does not take is written before anything else."""

    def __init__(self, twin: Any, buffer: int = 0) -> None:
        self.here, self.there = socket.socketpair()
        for each in (self.here, self.there):
            each.setblocking(False)
            if buffer:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.line = twin.Line(self)
        self.line.open_to(self.here.fileno())
        self.rest = b""
        self.cut_off = False
        self.slow_flushes = 0
        self.received = b""

    def write_rest(self, rest: bytes) -> None:
        """See fanout.lines.Owner."""
        self.rest += rest

    def flush(self) -> None:
        """See fanout.lines.Owner."""
        self.slow_flushes += 1
        self.write_what_waits()
        if self.rest:
            self.rest += b"".join(self.line.take())
        elif self.line.pending_bytes > BYTES_MAX:
            self.cut_off = True
            self.line.close()
        else:
            self.line.open_to(self.here.fileno())

    def write_what_waits(self) -> None:
        """Be the transport that is told that the socket has room."""
        if self.rest:
            with contextlib.suppress(BlockingIOError):
                self.rest = self.rest[self.here.send(self.rest) :]

    def read(self, size: int = 1 << 20) -> bytes:
        """Be the client, and return all that it has received."""
        with contextlib.suppress(BlockingIOError):
            while got := self.there.recv(size):
                self.received += got
                if size < 1 << 20:
                    break
        return self.received

    def close(self) -> None:
        """Close both ends."""
        self.here.close()
        self.there.close()


@contextlib.contextmanager
def owners(twin: Any, count: int, buffer: int = 0) -> Iterator[list[Owner]]:
    """Have so many connections for the length of a block."""
    made = [Owner(twin, buffer) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.close()
