"""Which processes are at the other ends of connections on this machine. Source: proc(5), /proc/net/tcp and tcp6."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""gRPC reaches IPv4 addresses through IPv6 sockets, so its connections are in the second."""

SOCKET = "socket:["


def peers_of(own_port: int, pids: Mapping[str, int]) -> dict[int, str]:
    """Return which of `pids` (by name) holds each connection to `own_port`, by the port at its end.

    Strangers are left out. One pass over the tables and over every open file of these processes: some milliseconds.
    """
    holders = {inode: name for name, pid in pids.items() for inode in _sockets(pid)}
    return {port: holders[inode] for port, inode in _dialled(own_port).items() if inode in holders}


def _dialled(own_port: int) -> dict[int, str]:
    """Return the inode of each socket that is connected to the port, by its own port."""
    wanted = f":{own_port:04X}"
    found: dict[int, str] = {}
    for table in TABLES:
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[2].endswith(wanted):
                found[int(fields[1].rsplit(":", 1)[1], 16)] = fields[9]
    return found


def _sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    inodes: set[str] = set()
    with suppress(OSError):  # one that just ended
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # a file closed while we look
                target = str(link.readlink())
                if target.startswith(SOCKET):
                    inodes.add(target[len(SOCKET) : -1])
    return inodes
