"""Listening sockets from which a crowd is taken in by many a turn of the loop.

uvloop's libuv takes one connection from a listening socket in a turn of the loop, however many wait. When thousands
come back at once a turn is long, and whoever connects then waits behind all of them for seconds before a byte of what
it sends is read. Duplicates of the socket are one queue in the kernel, and each takes one a turn.
"""

from __future__ import annotations

import socket

__all__ = ["ACCEPTS_A_TURN", "listen", "listeners"]

ACCEPTS_A_TURN = 16
"""New connections in a turn of the loop: some 100 microseconds each."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address, for a server that will listen on it. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def listeners(listener: socket.socket) -> list[socket.socket]:
    """Return a socket and its duplicates; each is to be listened on, and closed, by itself."""
    return [listener, *(listener.dup() for _ in range(ACCEPTS_A_TURN - 1))]
