"""Channel servers behind borders: each one's gRPC port, and its own way to Consul."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType

from ops.chaos.border import Border
from ops.chaos.faults import Cut
from ops.chaos.peers import peers_of
from ops.local.errors import LocalError
from ops.local.mesh import Mesh
from ops.local.ports import HOST, Ports

EVERYBODY = ""


class Partition:
    """Borders around the named channel servers; an async context manager to be entered before the mesh starts.

    `environ` makes the servers use them. `guard` then names the mesh, by whose children connections are told apart.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._ports = Ports()
        self._stack = AsyncExitStack()
        self._mesh: Mesh | None = None
        self._doors: dict[str, Border] = {}
        self._exits: dict[str, Border] = {}
        self.environ: dict[str, Mapping[str, str]] = {}
        """Settings of each server."""

    async def __aenter__(self) -> Partition:
        self._stack.callback(self._ports.close)
        for name in self._names:
            inner, outer, consul = (self._ports.claim_free() for _ in range(3))
            door = Border(outer, lambda port=inner: (HOST, port), self._tiers_at)  # type: ignore[misc]
            way_out = Border(consul, self._consul, lambda _own: {})
            self._doors[name] = await self._stack.enter_async_context(door)
            self._exits[name] = await self._stack.enter_async_context(way_out)
            self.environ[name] = {
                "PARLEY_GRPC_PORT": str(inner),
                "PARLEY_ADVERTISE_GRPC_PORT": str(outer),
                "PARLEY_CONSUL_ADDR": f"{HOST}:{consul}",
            }
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def guard(self, mesh: Mesh) -> None:
        """Lead to this mesh; before it starts."""
        self._mesh = mesh

    def cut(self, name: str, peers: str, how: Cut) -> None:
        """Cut a server off from a tier, or from "consul": then neither its calls nor its health checks get through.

        Raises LocalError when there was no connection to cut: such a fault would prove nothing.
        """
        lines = self._doors[name].cut(peers, how)
        if peers == "consul":
            lines += self._exits[name].cut(EVERYBODY, how)
        if not lines:
            raise LocalError(f"{name} has no connection with {peers} that could be cut.")

    def heal(self, name: str) -> None:
        """End the cut of a server."""
        self._doors[name].heal()
        self._exits[name].heal()

    def _consul(self) -> tuple[str, int]:
        assert self._mesh is not None, "guard() comes first"
        host, _, port = self._mesh.consul_addr.rpartition(":")
        return host, int(port)

    def _tiers_at(self, own_port: int) -> dict[int, str]:
        """Return the tiers of callers: "admin" for admin-az1-1, "consul" for Consul."""
        assert self._mesh is not None, "guard() comes first"
        running = {name: process.pid for name in self._mesh.names() if (process := self._mesh.process(name))}
        return {port: name.split("-")[0] for port, name in peers_of(own_port, running).items()}
