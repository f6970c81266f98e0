"""Free TCP ports on loopback, and who has a taken one.

Free ports come from below the range that the kernel hands to outgoing connections, so that a port chosen here is not
lost to somebody's `connect()` before its server binds it; a lock file for each keeps concurrent meshes apart.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from ops.local.errors import LocalError, PortTakenError

HOST = "127.0.0.1"

# Linux gives outgoing connections 32768 to 60999 by default; what well-known servers listen on is below 18000.
FREE_PORT_MIN = 18_000
FREE_PORT_MAX = 32_700

# With thousands of candidates, a hundred misses in a row mean that something else is wrong.
ATTEMPTS = 100

LISTENING = "0A"


class Ports:
    """The ports that one mesh holds. Claims last until `close`, or until the process is gone."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._claims: dict[int, TextIOWrapper] = {}

    def claim_free(self) -> int:
        """Return a port that nobody listens on and no other mesh has claimed."""
        for _ in range(ATTEMPTS):
            port = self._rng.randint(FREE_PORT_MIN, FREE_PORT_MAX)
            if port not in self._claims and is_free(port) and self._lock(port):
                return port
        raise LocalError(f"No free port found between {FREE_PORT_MIN} and {FREE_PORT_MAX}.")

    def claim(self, port: int, purpose: str, hint: str) -> int:
        """Claim a port that a person asked for; 0 asks for a free one. Raises PortTakenError with `hint`."""
        if port == 0:
            return self.claim_free()
        if not is_free(port):
            raise PortTakenError(port, purpose, describe_owner(port), hint)
        if port not in self._claims and not self._lock(port):
            raise PortTakenError(port, purpose, "another mesh that is starting", hint)
        return port

    def close(self) -> None:
        """Give all claims back."""
        while self._claims:
            _, handle = self._claims.popitem()
            handle.close()

    def _lock(self, port: int) -> bool:
        handle = (_lock_folder() / str(port)).open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._claims[port] = handle
        return True


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port now, on loopback and on every address."""
    for host in (HOST, ""):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                probe.listen(1)
            except OSError:
                return False
    return True


def describe_owner(port: int) -> str:
    """Return "pid 12 (command line)" of who listens on the port; "another process" where the system does not say."""
    inodes = _listening_inodes(port)
    for pid in _pids():
        if inodes and _holds(pid, inodes):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            return f"pid {pid} ({command[:80]})"
    return "another process"


def _lock_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"parley-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _listening_inodes(port: int) -> set[str]:
    """Return the inodes of sockets that listen on the port. Source: proc(5), /proc/net/tcp."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    return inodes


def _pids() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _holds(pid: int, inodes: set[str]) -> bool:
    with suppress(OSError):  # somebody else's process, or one that just ended
        return any(str(link.readlink()) in inodes for link in Path(f"/proc/{pid}/fd").iterdir())
    return False
