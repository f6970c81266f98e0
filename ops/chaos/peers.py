"""Which process is at the other end of a connection on this machine. Source: proc(5), /proc/net/tcp."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TABLE = Path("/proc/net/tcp")

CLOSED = "0"
"""The inode of a socket that its process has closed already."""


def name_of_peer(peer_port: int, own_port: int, pids: Mapping[str, int]) -> str:
    """Return which of `pids` (by name) holds the connection from `peer_port` to `own_port`, both on 127.0.0.1.

    "" when none does, or when it has gone already. Looks at every open file of these processes: about 3 ms for 15.
    """
    inode = _inode(peer_port, own_port)
    if inode in ("", CLOSED):
        return ""
    wanted = f"socket:[{inode}]"
    return next((name for name, pid in pids.items() if _holds(pid, wanted)), "")


def _inode(local_port: int, remote_port: int) -> str:
    local, remote = f":{local_port:04X}", f":{remote_port:04X}"
    for line in TABLE.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(local) and fields[2].endswith(remote):
            return fields[9]
    return ""


def _holds(pid: int, wanted: str) -> bool:
    with suppress(OSError):  # one that just ended
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # a file closed while we look
                if str(link.readlink()) == wanted:
                    return True
    return False
