"""Two real MariaDBs of which one follows the other, as `parley up --replica` runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.database.node import Credentials, Node
from ops.database.roles import become_primary, become_replica, shut, wait_for_replicas
from ops.local.mariadb import Mariadb
from ops.local.ports import Ports
from ops.local.process import Process
from ops.local.replication import Pairing
from ops.local.server import start
from svc.webapp.migrate import DsnConfig
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.query import Keyspace
from svc.webapp.store.topology import Topology

CREDENTIALS = Credentials("ops-test", "repl-test")


@dataclass
class Half:
    """One of the two."""

    server: Mariadb
    node: Node
    process: Process | None = None

    @property
    def address(self) -> str:
        """`host:port`."""
        return self.server.address

    @property
    def dsns(self) -> dict[Keyspace, Dsn]:
        """Its keyspaces."""
        dsns = self.server.dsns
        return dict(DsnConfig(dsns.workspace, dsns.channel, dsns.user).dsns())

    async def start(self) -> None:
        """Start it; it is read-only and follows nobody."""
        self.process = await start(self.server)

    async def run(self, *statements: str) -> None:
        """Run statements as an operator."""
        async with self.node.session() as session:
            await session.run(*statements)

    async def shut(self) -> None:
        """Take no more writes, and cut everybody off."""
        async with self.node.session() as session:
            await shut(session, self.node)

    async def position(self) -> str:
        """Return what it has."""
        async with self.node.session() as session:
            return str(await session.value("@@global.gtid_current_pos"))

    async def kill(self) -> None:
        """Kill it without a word."""
        if self.process is not None:
            await self.process.kill()
        self.process = None

    async def freeze(self) -> None:
        """Hang it: its ports stay open and nothing answers."""
        assert self.process is not None
        await self.process.freeze()


@dataclass
class Pair:
    """`first` is the primary to begin with."""

    first: Half
    second: Half

    def topology(self, epoch: int = 1) -> Topology:
        """Return the roles at an odd epoch; at an even one they are swapped."""
        primary, replica = (self.first, self.second) if epoch % 2 else (self.second, self.first)
        return Topology(epoch, primary.address, (replica.address,))

    async def caught_up(self, timeout_s: float = 10.0) -> None:
        """Return once the second has what the first has."""
        async with asyncio.timeout(timeout_s):
            while await self.second.position() != await self.first.position():
                await asyncio.sleep(0.02)

    async def swap(self) -> None:
        """Make the second the primary, with nothing lost; the first follows nobody."""
        await self.first.shut()
        await self.caught_up()
        await become_primary(self.second.node, has_replica=False)


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    """Run both while the block runs, the second following the first."""
    ports = Ports()
    halves = []
    for number in (1, 2):
        pairing = Pairing(number, CREDENTIALS.ops_password, CREDENTIALS.replication_password)
        place = folder / f"mariadb-{number}"
        server = Mariadb(
            place / "data", place / "log", ports.claim_free(), "test", name=f"mariadb-{number}", pairing=pairing
        )
        halves.append(Half(server, Node(server.address, CREDENTIALS)))
    both = Pair(*halves)
    try:
        await asyncio.gather(*(half.start() for half in halves))
        await become_primary(both.first.node, has_replica=False)
        await become_replica(both.second.node, both.first.node)
        await wait_for_replicas(both.first.node)
        yield both
    finally:
        for half in halves:
            await half.kill()
        ports.close()
