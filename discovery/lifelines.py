"""Lifelines: an open connection to each instance of a service, whose end says that its process is gone.

Consul needs a second to say so, and in that second clients who lost their gateway would be sent back to it: some of
Slack's own give up when a connection is refused. The kernel ends a dead process's connections at once, theirs and ours.
Nothing is ever sent. A machine that is gone ends nothing: that, clients notice later than Consul does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from discovery.probe import PROBE_TIMEOUT_S
from discovery.view import Instance, Snapshot
from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks

LINES_MAX = 10_000
"""Instances that are held on to; of those beyond, Consul tells."""
PAUSE_S = 0.2
"""Between two tries to connect, unless a line that stood for longer has ended: servers end those that say nothing, and
answer the next one.
"""
READ_BYTES = 4_096


class Views(Protocol):
    """What a `ServiceWatcher` is to us."""

    @property
    def snapshot(self) -> Snapshot:
        """The last good view."""

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` with the view and each new one; return what ends that."""


class Lifelines:
    """Lines to what `views` shows. An async context manager; a crash loses nothing."""

    def __init__(self, views: Views, clock: Clock) -> None:
        self._views = views
        self._clock = clock
        self._tasks = Tasks("lifelines", LINES_MAX)
        self._holding: dict[str, asyncio.Task[None]] = {}
        self._lost: set[str] = set()
        self._unsubscribe: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Lifelines:
        await self._tasks.__aenter__()
        self._unsubscribe = self._views.subscribe(self._follow)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._unsubscribe()
        await self._tasks.__aexit__()

    def standing(self) -> Sequence[Instance]:
        """Return the instances in view whose line has not broken; all when every line has: then it is we who are cut
        off, or Consul will say so in a moment.
        """
        found = self._views.snapshot.instances
        return [instance for instance in found if instance.id not in self._lost] or found

    def _follow(self, snapshot: Snapshot) -> None:
        wanted = {instance.id: instance for instance in snapshot.instances[:LINES_MAX]}
        for instance_id in self._holding.keys() - wanted.keys():
            self._holding.pop(instance_id).cancel()
            self._lost.discard(instance_id)
        for instance_id in wanted.keys() - self._holding.keys():
            if len(self._tasks) < LINES_MAX:
                self._holding[instance_id] = self._tasks.spawn(self._hold(wanted[instance_id]), f"to {instance_id}")

    async def _hold(self, instance: Instance) -> None:
        """Be connected for ever, and note when we are not."""
        while True:
            line, began = await self._connect(instance), self._clock.now()
            if line is not None:
                self._lost.discard(instance.id)
                await _ended(*line)
            self._lost.add(instance.id)
            if line is None or self._clock.now() - began < PAUSE_S:
                await self._clock.sleep(PAUSE_S)

    @staticmethod
    async def _connect(instance: Instance) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        host, _, port = instance.address.rpartition(":")
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await asyncio.open_connection(host.strip("[]"), int(port), limit=READ_BYTES)
        except (OSError, TimeoutError, ValueError):
            return None


async def _ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait for the end of a connection; what comes on it (a greeting) is nothing to us."""
    try:
        with suppress(OSError):
            while await reader.read(READ_BYTES):
                pass
    finally:
        writer.transport.abort()
