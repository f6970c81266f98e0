"""A presence server over real gRPC, and gateways that talk to it frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from parley.presence.v1 import presence_service_pb2 as pb
from parley.presence.v1 import presence_service_pb2_grpc as rpc
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.errors import ParleyError, from_rpc_error
from svc.kit.lifecycle import Tasks, background
from svc.kit.rpc import CHANNEL_OPTIONS, Service, rpc_server
from svc.presence.config import ReportLimits, RosterLimits
from svc.presence.servicer import PresenceServicer

ALICE, BOB, CAROL = "U0000000001", "U0000000002", "U0000000003"
ROSTER = RosterLimits(lease_s=0.4, away_grace_s=0.2, settle_s=0.0, stray_s=0.3, gateways_max=3)
REPORT = ReportLimits(watched_max=3, batch_s=0.01, tick_s=0.02, hello_timeout_s=0.3)


class Gateway:
    """A gateway's end of a Report stream."""

    def __init__(self, stub: Any, gateway_id: str) -> None:
        self.call = stub.Report()
        self.gateway_id = gateway_id

    async def hello(self) -> pb.Lease:
        """Open the line and return the lease."""
        await self.send(hello=pb.Hello(gateway_id=self.gateway_id, zone="az1"))
        response: pb.ReportResponse = await self.call.read()
        assert response.WhichOneof("frame") == "lease"
        return response.lease

    async def send(self, **frame: Any) -> None:
        """Send one frame."""
        await self.call.write(pb.ReportRequest(**frame))

    async def report(self, **counts: int) -> None:
        """Report open sessions by user."""
        users = [pb.UserConnections(user_id=user_id, count=count) for user_id, count in counts.items()]
        await self.send(connections=pb.Connections(users=users))

    async def watch(self, *added: str, removed: tuple[str, ...] = ()) -> None:
        """Begin and stop watching users."""
        await self.send(watch=pb.Watch(added_user_ids=added, removed_user_ids=removed))

    async def told(self) -> dict[str, bool]:
        """Wait for the next batch of changes: user to whether active."""
        async with asyncio.timeout(5):
            response = await self.call.read()
            assert response is not grpc.aio.EOF, await self.call.code()
        return {user.user_id: user.presence == pb.PRESENCE_ACTIVE for user in response.changes.users}

    async def failure(self) -> ParleyError:
        """Read until the line fails and return why."""
        try:
            async with asyncio.timeout(5):
                while await self.call.read() is not grpc.aio.EOF:
                    pass
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error)
        raise AssertionError("the line ended with OK")

    async def keep(self, seconds: float) -> None:
        """Send heartbeats for a while."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self.send(heartbeat=pb.Heartbeat())
            await asyncio.sleep(0.05)


@dataclass
class House:
    """A presence server and a way to it."""

    servicer: PresenceServicer
    stub: Any

    def gateway(self, gateway_id: str) -> Gateway:
        """Return a new line of a gateway, not yet open."""
        return Gateway(self.stub, gateway_id)

    async def present(self, *users: str) -> list[pb.UserPresence]:
        """Ask for users."""
        response = await self.stub.GetPresence(pb.GetPresenceRequest(user_ids=users), timeout=5)
        return list(response.users)


@asynccontextmanager
async def serving(roster: RosterLimits = ROSTER, report: ReportLimits = REPORT) -> AsyncIterator[House]:
    """Run a presence server that owns everyone."""
    async with AsyncExitStack() as up:
        tasks = await up.enter_async_context(Tasks("lines", limit=10))
        servicer = PresenceServicer(report, roster, lambda _: True, SystemClock(), tasks)
        await up.enter_async_context(background("time", servicer.keep_time()))
        service = Service(
            "parley.presence.v1.PresenceService",
            lambda server: rpc.add_PresenceServiceServicer_to_server(servicer, server),
        )
        server = await up.enter_async_context(rpc_server(InstanceConfig(secret="x" * 16), [service]))
        up.callback(servicer.drain)
        channel = await up.enter_async_context(grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS))
        yield House(servicer, rpc.PresenceServiceStub(channel))
