"""Listening sockets from which a crowd is taken in by many a turn of the loop.

uvloop's libuv takes one connection from a listening socket in a turn of the loop, however many wait. When thousands
come back at once a turn is long, and whoever connects then waits behind all of them for seconds before a byte of what
it sends is read. Duplicates of the socket are one queue in the kernel, and each takes one a turn.
"""

from __future__ import annotations

import socket

__all__ = ["ACCEPTS_A_TURN", "listen", "listeners"]

ACCEPTS_A_TURN = 16
"""New connections in a turn of the loop, where nothing else is said: some 100 microseconds each."""

SILENT_S = 1
"""Seconds after which who has connected is taken in although nothing has come."""


def listen(host: str, port: int, *, awaits_request: bool = False) -> socket.socket:
    """Return a socket bound to an address, for a server that will listen on it. Raises OSError when it is taken.

    With `awaits_request` who connects is taken in when the first bytes are there, or after a second. So no more first
    requests than connections are read in a turn, in whatever bursts they are sent. For clients that speak first.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if awaits_request and hasattr(socket, "TCP_DEFER_ACCEPT"):  # Linux; elsewhere bursts are as they come
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_S)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def listeners(listener: socket.socket, accepts_a_turn: int = ACCEPTS_A_TURN) -> list[socket.socket]:
    """Return a socket and its duplicates; each is to be listened on, and closed, by itself."""
    return [listener, *(listener.dup() for _ in range(accepts_a_turn - 1))]
