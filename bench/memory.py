"""What idle connections cost a gateway: bytes of resident memory each, by kind of connection, one after another.

A gateway as `make run` starts it, with a channel server and presence beside it and a stand-in for webapp, is connected
to by thousands of clients, who then do nothing but answer pings. Each is another user's, with a ticket signed as webapp
signs it. In phases, each on top of the ones before:

    first    some to warm it up, which count for nothing: code, pools, buffers of its own
    session  who follow their own channel and their workspace alone: socket, session, and all that a user costs
    20       who follow 20 channels: these two, and 18 conversations drawn at random, each with 20 members here
    aware    the same with all that our own clients ask for: positions, users before they are shown, a way back

`bytes` is the growth of VmRSS in the phase divided by its connections, read when all have been idle for longer than a
ticket lives (those used are remembered for as long) and one more has come. What the kernel has for a socket is not in
it. `protocol` is the same growth of a bare uvloop server with a protocol that keeps its transport and nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from bench.cores import raise_files_limit
from bench.fanout_load import Endpoint, Load, load
from bench.fanout_peers.ours import TICKET_TTL_S, StandIn, Tickets, position, standing_in, user_id
from bench.processes import pid_rss_bytes
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.shapes.ways import Way

Say = Callable[[str], None]

CONNECTIONS = 4_000
FOLLOWED = 20
MEMBERS = 20
"""Of a conversation, at this gateway."""
WARM_UP = 500
TOLD_EVERY = 1_000
IDLE_S = TICKET_TTL_S + 5.0
BARS = {"bytes": 8 * 1024}
TOKEN_PREFIX = base64.urlsafe_b64encode(bytes(16)).decode()
PLAIN: Mapping[str, object] = {"tok": TOKEN_PREFIX}
AWARE: Mapping[str, object] = {
    "tok": TOKEN_PREFIX,
    "flags": ["batch_presence_aware", "lazy_aware", "resume_aware"],
    "way": Way("127.0.0.1", host="localhost:8080").claim(),
}
MANY = 1_000_000
BARE = """
import asyncio, uvloop
class Bare(asyncio.Protocol):
    __slots__ = ("transport",)
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        if not data.startswith(b"GET "):
            return
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n"
        )
async def main():
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


class Followers(StandIn):
    """Answers what each user follows: two channels, and from the MANY-th user on conversations as well."""

    def __init__(self, many: int) -> None:
        """Have as many conversations as `many` users need."""
        super().__init__()
        self._pool = max(FOLLOWED, many * (FOLLOWED - 2) // MEMBERS)

    async def ListSubscriptions(  # noqa: N802 - gRPC's name
        self, request: pb.ListSubscriptionsRequest, context: object
    ) -> pb.ListSubscriptionsResponse:
        """See StandIn."""
        followed = [request.user_id, request.team_id]
        if request.user_id >= user_id(MANY):
            chosen = Random(request.user_id).sample(range(self._pool), FOLLOWED - 2)
            followed += [f"C{number:010d}" for number in chosen]
        return pb.ListSubscriptionsResponse(heads=[position(each, 7) for each in followed])


@dataclass(frozen=True, slots=True)
class Phase:
    """Some connections of one kind; the users' numbers begin at `first`."""

    name: str
    first: int
    claims: Mapping[str, object]


PHASES = (
    Phase("first", MANY, AWARE),
    Phase("session", 0, PLAIN),
    Phase("20", 2 * MANY, PLAIN),
    Phase("aware", 3 * MANY, AWARE),
)


@dataclass(slots=True)
class _Reading:
    """A process whose memory is read, and its clients."""

    pid: int
    load: Load
    say: Say

    async def growth(self, connections: int, idle_s: float) -> float:
        """Connect so many more; return bytes each once they are idle."""
        before, upto = pid_rss_bytes(self.pid), self.load.sockets + connections - 1
        while self.load.sockets < upto:
            await self.load.grow(min(upto, self.load.sockets + TOLD_EVERY))
            self.say(f"{self.load.sockets} connected")
        if idle_s > 1.0:
            self.say(f"idle for {idle_s:.0f} s")
        await asyncio.sleep(idle_s)
        await self.load.grow(self.load.sockets + 1)
        await asyncio.sleep(1.0)
        return (pid_rss_bytes(self.pid) - before) / connections


def measure(say: Say, clients: int = CONNECTIONS, idle_s: float = IDLE_S) -> dict[str, Any]:
    """Return what each of `clients` costs, in each phase; some two minutes."""
    return uvloop.run(_measure(say, clients, idle_s))


async def _measure(say: Say, clients: int, idle_s: float) -> dict[str, Any]:
    raise_files_limit(3 * clients + 2 * WARM_UP)
    bare, phases = await asyncio.gather(_bare(say, clients), _gateway(say, clients, idle_s))
    found = {name: round(each) for name, each in {"protocol": bare, **phases}.items()}
    return {
        "connections": clients,
        "followed": FOLLOWED,
        "bytes": found,
        "parts": {
            "socket": found["protocol"],
            "session_and_user": found["session"] - found["protocol"],
            "each_of_18_conversations": round((found["20"] - found["session"]) / (FOLLOWED - 2)),
            "awareness": found["aware"] - found["20"],
        },
        "bars": BARS,
        "ok": max(found.values()) <= BARS["bytes"],
    }


async def _bare(say: Say, clients: int) -> float:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", BARE, stdout=PIPE)
    assert process.stdout is not None
    try:
        endpoint = Endpoint(int(await process.stdout.readline()), lambda number: "/")
        async with load(endpoint) as bare:
            await bare.grow(WARM_UP)
            return await _Reading(process.pid, bare, say).growth(clients, 1.0)
    finally:
        process.kill()
        await process.wait()


async def _gateway(say: Say, clients: int, idle_s: float) -> dict[str, float]:
    spec_of = none(channel=1, gateway=1, presence=1)
    async with AsyncExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        mesh = await up.enter_async_context(Mesh(MeshSpec(var=folder, counts=spec_of, zones=("az1",), graceful=False)))
        webapp = Followers(2 * clients)  # type: ignore[abstract]  # see fanout_peers/ours.py
        await up.enter_async_context(standing_in(mesh, webapp))
        gateway, process = await mesh.instance("gateway-az1-1"), mesh.process("gateway-az1-1")
        assert process is not None
        door = _Door(mesh.secret, gateway.instance.id)
        endpoint = Endpoint(int(gateway.instance.meta["ws_port"]), door.path, ready='"hello"')
        reading = _Reading(process.pid, await up.enter_async_context(load(endpoint)), say)
        found: dict[str, float] = {}
        for phase in PHASES:
            connections = WARM_UP if phase is PHASES[0] else clients
            say(f"{phase.name}: {connections} connections")
            door.phase = phase
            found[phase.name] = await reading.growth(connections, idle_s)
        del found[PHASES[0].name]
        return found


class _Door:
    """Where the clients of the phase that is on connect."""

    def __init__(self, secret: str, gateway_id: str) -> None:
        self.phase = PHASES[0]
        self._tickets = {each.name: Tickets(secret, gateway_id, each.claims) for each in PHASES}

    def path(self, number: int) -> str:
        return self._tickets[self.phase.name].path(self.phase.first + number)
