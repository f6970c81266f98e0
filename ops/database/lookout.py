"""Looking at a primary and its replicas again and again: the watch in Consul, alarms as they come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from ops.database import roles
from ops.database.alarms import Alarm, alarms
from ops.database.directory import Directory
from ops.database.node import Node
from ops.database.status import Status
from ops.database.topology import Topology
from ops.database.watch import Watch

Say = Callable[[str], None]


class Lookout:
    """One looker for one topology at a time."""

    def __init__(self, directory: Directory, say: Say) -> None:
        self._directory = directory
        self._say = say
        self._watch = Watch()
        self._watched = ""
        self._alarms: dict[tuple[str, str], Alarm] = {}

    def is_sure(self, primary: str) -> bool:
        """Say whether, at the last look, the loss of this primary would have lost nothing that it had acknowledged."""
        return self._watched == primary and self._watch.sure_until > 0 and not self._watch.gone_by

    async def look(self, topology: Topology, nodes: Mapping[str, Node]) -> Mapping[str, Status]:
        """Look once, 2 s at most; note it in Consul, and return what was seen. Raises NodeError, the kit's errors.

        A primary whose replica has everything is told to wait for replicas from now on, also while none is there.
        """
        if topology.primary != self._watched:
            self._watched, self._watch = topology.primary, Watch()
        began = time.time()
        primary = await nodes[topology.primary].status()
        replicas = await asyncio.gather(*(nodes[address].status() for address in topology.replicas))
        self._watch = self._watch.seen(primary, replicas, began, time.time())
        statuses = {status.address: status for status in (primary, *replicas)}
        self._tell(alarms(topology, statuses))
        if primary.semi_sync.clients and not primary.semi_sync.waits_without and self._watch.is_whole:
            await roles.wait_for_replicas(nodes[topology.primary])
        await self._directory.note(topology.primary, self._watch)
        return statuses

    def _tell(self, found: tuple[Alarm, ...]) -> None:
        """Say what is new, and what is over."""
        now = {(alarm.trouble.value, alarm.address): alarm for alarm in found}
        for key, alarm in now.items():
            if key not in self._alarms:
                self._say(f"ALARM {alarm.trouble.value}: {alarm}")
        for key, alarm in self._alarms.items():
            if key not in now:
                self._say(f"over: {alarm.trouble.value} of {alarm.address}")
        self._alarms = now
