"""memcached nodes of a benchmark's own, on free ports of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ops.local.errors import LocalError

__all__ = ["memcached_nodes"]

READY_S = 5.0
MEMORY_MB = 64


@contextmanager
def memcached_nodes(count: int) -> Iterator[list[int]]:
    """Run empty nodes while the block runs; yield their ports. Raises LocalError."""
    binary = shutil.which("memcached", path=f"{os.environ.get('PATH', os.defpath)}:/usr/bin:/usr/local/bin")
    if binary is None:
        raise LocalError("memcached is not on this machine.", "./parley bootstrap installs what is missing.")
    processes: list[subprocess.Popen[bytes]] = []
    try:
        ports = []
        for _ in range(count):
            port = _free_port()
            # It does not run as root unless told so.
            user = ("-u", "root") if os.geteuid() == 0 else ()
            argv = (binary, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", str(MEMORY_MB), *user)
            processes.append(subprocess.Popen(argv))
            ports.append(port)
        for port in ports:
            _wait_for(port)
        yield ports
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    """Return once the port answers."""
    ends_at = time.monotonic() + READY_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=READY_S):
                return
        except OSError as error:
            if time.monotonic() > ends_at:
                raise LocalError(f"memcached did not start on port {port}.") from error
            time.sleep(0.01)
