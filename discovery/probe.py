"""Asking instances themselves whether they are there: the second opinion when Consul says that everybody is gone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from discovery.view import Instance

Probe = Callable[[Instance], Awaitable[bool]]
"""Whether an instance answers. Takes PROBE_TIMEOUT_S at most, and raises nothing."""

PROBE_TIMEOUT_S = 1.0
"""A healthy instance answers in 10 ms; a hung one is as gone as a dead one."""

PROBE_ALL_TIMEOUT_S = 3.0
"""Longest that a doubt may take; at 64 at once, enough for 190 hung instances."""

PROBES_AT_ONCE = 64


async def answering(instances: Sequence[Instance], probe: Probe) -> frozenset[str]:
    """Return the ids of the instances that answer `probe`, asking 64 at once.

    An instance that could not be asked within PROBE_ALL_TIMEOUT_S counts as answering: not asked is not gone.
    """
    gate = asyncio.Semaphore(PROBES_AT_ONCE)
    silent: set[str] = set()

    async def ask(instance: Instance) -> None:
        async with gate:
            if not await probe(instance):
                silent.add(instance.id)

    try:
        async with asyncio.timeout(PROBE_ALL_TIMEOUT_S), asyncio.TaskGroup() as group:
            for instance in instances:
                group.create_task(ask(instance), name=f"probe {instance.id}")
    except TimeoutError:
        pass  # what is not in `silent` is unknown, and is kept
    return frozenset(instance.id for instance in instances if instance.id not in silent)


async def tcp_probe(instance: Instance) -> bool:
    """Return whether the instance's port accepts a connection: for services that do not speak gRPC (memcached)."""
    host, _, port = instance.address.rpartition(":")
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
