"""An embedded Consul: one server with a data folder, ready about 1.5 s after its start.

`raft_multiplier: 1` makes that 1.5 s out of 6: a lone server waits one heartbeat timeout before it elects itself, and
that is 1 s instead of Consul's 5 s, which are for slow links. It does not leave its cluster of one on the way out:
a server that has left cannot come back with its data.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import aiohttp

from ops.local.errors import LocalError
from ops.local.ports import HOST, Ports, is_free
from ops.local.process import Command
from ops.setup.binaries import CONSUL, find_program

# From this release on servers open a second gRPC port unless told not to; older ones do not know the setting.
GRPC_TLS_SINCE = (1, 14)

# Consul's default of 200 connections a client address is a few processes' worth of blocking queries here, where
# every process comes from the same address.
CONNECTIONS_MAX = 10_000

PROBE_TIMEOUT = aiohttp.ClientTimeout(total=1.0)


class Consul:
    """A single Consul server on loopback, with its UI; keeps services, KV and sessions in `data`.

    `http_port` is claimed by the caller. Ports for its other protocols are taken from `ports`, the same as last time
    where they are still free. A crash loses nothing that was answered.
    """

    name = "consul"
    ready_timeout_s = 30.0

    def __init__(self, data: Path, log: Path, http_port: int, ports: Ports) -> None:
        self._data = data
        self._log = log
        self._http_port = http_port
        self._binary = program()
        self._ports = _server_ports(data.parent / "consul-ports.json", ports)

    @property
    def address(self) -> str:
        """The HTTP API, `host:port`."""
        return f"{HOST}:{self._http_port}"

    @property
    def ui_url(self) -> str:
        """The UI, for people."""
        return f"http://{self.address}/ui/"

    def forget_services(self) -> None:
        """Drop what was registered here by earlier runs, whose processes are gone; KV and sessions stay.

        Only while stopped. The agent's own files are the truth about its services: the catalog follows them.
        """
        for folder in ("services", "checks"):
            shutil.rmtree(self._data / folder, ignore_errors=True)

    def wipe(self) -> None:
        """Drop everything, as on a machine that lost its disk. Only while stopped."""
        shutil.rmtree(self._data, ignore_errors=True)

    async def prepare(self) -> None:
        """Write the settings that have no flag."""
        self._data.mkdir(parents=True, exist_ok=True)
        settings: dict[str, object] = {
            "performance": {"raft_multiplier": 1},
            "leave_on_terminate": False,
            "skip_leave_on_interrupt": True,
            "disable_update_check": True,
            "limits": {"http_max_conns_per_client": CONNECTIONS_MAX},
        }
        if version(self._binary) >= GRPC_TLS_SINCE:
            settings["ports"] = {"grpc_tls": -1}
        self._settings.write_text(json.dumps(settings))

    def command(self) -> Command:
        """Return how to run it: everything on loopback, and no protocol that nobody here speaks."""
        rpc, serf = self._ports
        options = {
            "node": "parley",  # fixed: a machine that changes its name keeps its data
            "data-dir": self._data,
            "config-file": self._settings,
            "bootstrap-expect": 1,
            "bind": HOST,
            "client": HOST,
            "http-port": self._http_port,
            "server-port": rpc,
            "serf-lan-port": serf,
            "serf-wan-port": -1,
            "dns-port": -1,
            "grpc-port": -1,
        }
        flags = [f"-{name}={value}" for name, value in options.items()]
        argv = (str(self._binary), "agent", "-server", "-ui", *flags)
        return Command(self.name, argv, self._data, self._log, stop_signal=signal.SIGTERM)

    async def is_ready(self) -> bool:
        """Say whether a leader is elected and the catalog answers with this node in it."""
        return await has_leader(self.address)

    @property
    def _settings(self) -> Path:
        return self._data.parent / "consul.json"


async def has_leader(address: str) -> bool:
    """Say whether the Consul at `address` (`host:port`) has a leader and a catalog that answers."""
    url = f"http://{address}/v1/catalog/nodes"
    try:
        async with aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as session, session.get(url) as answer:
            return answer.status == 200 and bool(await answer.json())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False


def program() -> Path:
    """Return the Consul binary. Raises LocalError."""
    found = find_program(CONSUL.programs[0])
    if found is None:
        raise LocalError("Consul is not on this machine.", "./parley bootstrap installs what is missing.")
    return found


def version(binary: Path) -> tuple[int, ...]:
    """Return a Consul binary's version as numbers; (0,) when it does not say."""
    said = subprocess.run([str(binary), "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _server_ports(memory: Path, ports: Ports) -> tuple[int, int]:
    """Return the ports for RPC and gossip; the last run's when they are free, as a server's peers know it by them."""
    try:
        rpc, serf = json.loads(memory.read_text())
        if is_free(rpc) and is_free(serf):
            return ports.claim(rpc, "Consul RPC", ""), ports.claim(serf, "Consul gossip", "")
    except (OSError, ValueError, LocalError):
        pass  # no memory, or somebody else has them now: new ones do
    chosen = ports.claim_free(), ports.claim_free()
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(chosen))
    return chosen
