"""Who is the primary, and the last look at it, as Consul's KV holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discovery.consul import ConsulClient
from ops.database import topology as keys
from ops.database import watch as watches
from ops.database.topology import KEYSPACES, Topology
from ops.database.watch import Watch


class StaleError(Exception):
    """Somebody else has changed the topology meanwhile."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A keyspace's topology, and the index to compare-and-set it with: 0 and None for a keyspace without."""

    topology: Topology | None
    index: int


class Directory:
    """Reads and writes both. Every method raises the kit's errors when Consul does not answer."""

    def __init__(self, consul: ConsulClient) -> None:
        self._consul = consul

    async def read(self, keyspaces: Sequence[str] = KEYSPACES) -> dict[str, Entry]:
        """Return what is known about keyspaces. Raises ValueError for a value that is no topology."""
        found = {}
        for keyspace in keyspaces:
            value, index = await self._consul.get(keys.key(keyspace), consistent=True)
            found[keyspace] = Entry(Topology.parse(value) if value is not None else None, index)
        return found

    async def replace(self, entries: Mapping[str, Entry], topology: Topology) -> None:
        """Put `topology` in the place of these entries, all of them or none. Raises StaleError.

        One transaction: nobody sees keyspaces of one server on two.
        """
        values = {keys.key(keyspace): (topology.encode(), entry.index) for keyspace, entry in entries.items()}
        if not await self._consul.put_together(values):
            raise StaleError("Consul's topology of the database was changed by somebody else at the same time")

    async def watch(self, address: str) -> Watch | None:
        """Return the last look at a server, None when nobody has ever looked or what is there is none."""
        value, _ = await self._consul.get(watches.key(address), consistent=True)
        try:
            return Watch.parse(value) if value is not None else None
        except ValueError:
            return None

    async def note(self, address: str, watch: Watch) -> None:
        """Store a look at a server."""
        await self._consul.put(watches.key(address), watch.encode())
