"""A node's client for tests, and a server that speaks memcached's protocol as badly as a test wants."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background
from svc.webapp.cache.memcached.health import NodeLimits
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.routes.route import Found, Lease

PATIENT = NodeLimits(deadline_s=2.0, connect_s=4.0)
"""A busy machine must not look like a dead node, where a test is not about that."""

Reply = Callable[[bytes], bytes | None]
"""What is answered to a line; None ends the connection."""


@asynccontextmanager
async def client(address: str, limits: NodeLimits = PATIENT) -> AsyncIterator[Node]:
    """Yield a process's node, connected."""
    node = Node(address, SystemClock(), random.Random(1), limits)
    async with background("node", node.run()):
        await until_alive(node)
        yield node


async def until_alive(node: Node, *, alive: bool = True) -> None:
    """Wait until the node is asked, or is not."""
    async with asyncio.timeout(10):
        while node.alive is not alive:
            await asyncio.sleep(0.002)


async def one(node: Node, key: str, lease_s: int = 10) -> Found:
    """Return what the node says of a key."""
    (found,) = await node.get([key], lease_s)
    assert found is not None
    return found


async def won(node: Node, key: str) -> Lease:
    """Return the lease of a key that is missing."""
    lease = (await one(node, key)).lease
    assert lease is not None
    return lease


async def put(node: Node, key: str, value: bytes, ttl_s: int = 60, load_ms: int = 3) -> None:
    """Store a value for a key that is missing."""
    (await won(node, key)).fill(value, ttl_s, load_ms)
    assert (await one(node, key, 0)).value == value


class Misbehaving:
    """A server that is probed with success, and answers other lines by `reply`."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.heard: list[bytes] = []
        self.connections = 0
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""
        self.connections += 1
        try:
            while line := (await reader.readline()).rstrip():
                if line == b"mn":
                    writer.write(b"MN\r\n")
                    continue
                self.heard.append(line)
                answer = self.reply(line)
                if answer is None:
                    await writer.drain()
                    break
                writer.write(answer)
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def misbehaving(reply: Reply) -> AsyncIterator[Misbehaving]:
    """Run such a server while the block runs."""
    server = Misbehaving(reply)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


def number(line: bytes) -> bytes:
    """Return the batch's number that a request carries."""
    return next(word for word in line.split() if word[:1] == b"O" and word[1:].isdigit())
