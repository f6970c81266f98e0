"""The event loop of our processes: uvloop's, which takes gRPC's word that something happened once, however often said.

grpc.aio has a thread that waits for events. For each it writes a byte to a socket, and the loop reads one byte in a
turn and then takes all events that there are. While turns are long more bytes come than are read, until the socket is
full: some 280 of them, for the kernel counts a whole buffer for each. Then the thread waits in its write until most
of the bytes have been read, one a turn: for a second and more nobody here hears from any other process, and calls and
streams run into their deadlines. So all bytes but one are read before gRPC reads that.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVarTuple

import uvloop

__all__ = ["Loop"]

Ts = TypeVarTuple("Ts")

BYTES_A_READ = 4_096
"""More than the socket holds."""


class Loop(uvloop.Loop):
    """A loop that one passes on as `loop_factory`."""

    def add_reader(self, fd: Any, callback: Callable[[*Ts], Any], *args: *Ts) -> None:
        """See asyncio."""
        if isinstance(fd, socket.socket) and _is_of_grpc(callback):
            super().add_reader(fd, _told_once, fd, partial(callback, *args))
        else:
            super().add_reader(fd, callback, *args)


def _is_of_grpc(callback: Callable[..., Any]) -> bool:
    """Tell whether this is how grpc.aio takes its events: should it ever be called otherwise, all is as it was."""
    taking = callback.func if isinstance(callback, partial) else callback
    return getattr(taking, "__name__", "") == "_handle_events"


def _told_once(wakes: socket.socket, take: Callable[[], Any]) -> None:
    """Read all that has been written but a byte, which is for `take` to read."""
    waiting = len(wakes.recv(BYTES_A_READ, socket.MSG_PEEK))
    if waiting > 1:
        wakes.recv(waiting - 1)
    take()
