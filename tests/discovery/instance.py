"""A process that is an instance and nothing more: `python -m tests.discovery.instance TIER ID CONSUL ZONE`."""

import asyncio
import sys

from discovery.front import Discovery
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import terminated, until_signal
from svc.kit.rpc import rpc_server
from tests.discovery.agents import settings


async def serve(tier: str, instance_id: str, consul_addr: str, zone: str) -> None:
    """Serve health, be registered, and leave on SIGTERM."""
    config = settings(consul_addr, zone)
    async with (
        Discovery(config, SystemClock()) as disco,
        rpc_server(config, ()) as server,
        disco.registered(tier, instance_id, server, {"version": "test"}),
    ):
        await terminated()


if __name__ == "__main__":
    asyncio.run(until_signal(serve(*sys.argv[1:])))
