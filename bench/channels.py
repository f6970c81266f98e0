"""Channels: how many one channel server holds, what each costs, and how fast they are subscribed and handed over.

On paper: a row of 32 bytes in tables that are 64 to 80 % full is 45 bytes, and 16 million of them 0.7 GB; a hash, two
looks into memory that no cache has and two copies of an id are half a microsecond.

Two channel servers, as `make run` starts them, share the ring. Stand-ins for gateways subscribe `count` channels at
their owners, in frames of 4,096, as gateways do; then the one leaves, and all of its channels are subscribed at the
other, which has them all in the end. Rates are of channels that were asked for and answered, by the clock, one server
at a time; what the stand-ins need to make their frames is not in them. Every answer is read: none may be refused in the
end. Then events are published in some of the channels, and each must arrive.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from bench.channel_lines import Server, publish
from bench.cores import Cores, cpu_s, move, on
from discovery.front import Discovery
from discovery.ring import SLOTS, Ring
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from svc.channel.rows import IS_NATIVE
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig

Say = Callable[[str], None]

COUNT = 16_000_000
OF_A_GATEWAY = 1_900_000
"""Channels of one stand-in: as many as a subscriber may have, and some to spare."""
CHUNK = 500_000
FRAME = 4_096
OFFSET = 5
ACTIVE = 100_000
READY_S = 30.0

BARS = {"rss_gib_max": 4.0, "subscribed_per_s_min": 1_000_000, "handed_over_per_s_min": 1_000_000}

_SPREAD = 0x9E3779B97F4A7C15
_ID_MASK = (1 << 40) - 1


@dataclass(slots=True)
class Rate:
    """Channels subscribed, and the time that it took."""

    channels: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def figures(self) -> dict[str, float]:
        """Return them for the result."""
        return {
            "channels": self.channels,
            "per_s": round(self.channels / self.wall_s) if self.wall_s else 0,
            "cpu_us_each": round(self.cpu_s / self.channels * 1e6, 3) if self.channels else 0,
            "wall_s": round(self.wall_s, 2),
        }


@dataclass(slots=True)
class _Run:
    """One run: two servers, the stand-ins' lines to them, and the frames of who leaves."""

    count: int
    say: Say
    stays: Server
    leaves: Server
    ring: Ring
    subscribed: Rate = field(default_factory=Rate)
    handed_over: Rate = field(default_factory=Rate)
    frames: list[tuple[int, bytes, int]] = field(default_factory=list)
    """Of the server that leaves: which stand-in, the frame, and its channels."""

    async def subscribe(self) -> None:
        """Subscribe all channels at their owners."""
        for start in range(0, self.count, CHUNK):
            upto = min(self.count, start + CHUNK)
            number = start // OF_A_GATEWAY
            at = dict(zip((self.stays, self.leaves), _positions(start, upto, self._owns()), strict=True))
            for server, positions in at.items():
                frames = [(number, *each) for each in _frames(positions)]
                await self._timed(server, frames, self.subscribed)
                if server is self.leaves:
                    self.frames += frames
            self.say(f"{upto:,} of {self.count:,} subscribed, {self.subscribed.figures()['per_s']:,} a second")

    async def hand_over(self, ring_is: Callable[[], Ring]) -> None:
        """Wait until the ring has one server, and subscribe there what the other had."""
        async with asyncio.timeout(READY_S):
            while len(ring_is().members) > 1:
                await asyncio.sleep(0.002)
        await self._timed(self.stays, self.frames, self.handed_over)

    async def _timed(self, server: Server, frames: Sequence[tuple[int, bytes, int]], rate: Rate) -> None:
        spent, began = cpu_s([server.pid]), time.perf_counter()
        of: dict[int, list[tuple[bytes, int]]] = {}
        for number, frame, channels in frames:
            of.setdefault(number, []).append((frame, channels))
        # One line after the other: what is measured is the server, not who asks it.
        for number, each in of.items():
            rate.channels += await server.gateways[number].subscribe(each)
        rate.wall_s += time.perf_counter() - began
        rate.cpu_s += cpu_s([server.pid]) - spent

    def _owns(self) -> bytes:
        """Return 1 for each slot of the server that leaves."""
        mine = set(self.ring.slots_of(self.leaves.id))
        return bytes(slot in mine for slot in range(SLOTS))


def measure(say: Say, count: int = COUNT) -> dict[str, Any]:
    """Return bytes a channel, rates and memory with `count` channels; takes two minutes at sixteen million."""
    cores = Cores.of(os.sched_getaffinity(0))
    with on(cores.rest):
        return uvloop.run(_measure(say, count, cores))


async def _measure(say: Say, count: int, cores: Cores) -> dict[str, Any]:
    async with AsyncExitStack() as up:
        folder = up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-"))
        spec = MeshSpec(var=Path(folder) / "mesh", counts=none(channel=2), zones=("az1",), graceful=False)
        mesh = await up.enter_async_context(Mesh(spec))
        instance = InstanceConfig(name="bench-az1-1", zone="az1", consul_addr=mesh.consul_addr, secret=mesh.secret)
        disco = await up.enter_async_context(Discovery(instance, SystemClock(), Random(1)))
        watched = await disco.ring("channel")
        async with asyncio.timeout(READY_S):
            while len(watched.ring.members) < 2:
                await asyncio.sleep(0.01)
        leaves, stays = [await _server(mesh, name, up, cores) for name in ("channel-az1-1", "channel-az1-2")]
        run = _Run(count, say, stays, leaves, watched.ring)
        empty = stays.rss_bytes()
        for number in range(-(-count // OF_A_GATEWAY)):
            for server in (stays, leaves):
                await server.attach(number)
        await run.subscribe()
        say("one of the servers leaves")
        leaving = asyncio.ensure_future(mesh.stop("channel-az1-1"))
        await run.hand_over(lambda: watched.ring)
        await leaving
        idle = stays.rss_bytes()
        active = min(ACTIVE, count)
        say(f"an event in each of {active:,} channels")
        names = [_name(number).decode() for number in range(0, count, max(1, count // active))][:active]
        arrived = await publish(stays, names, OFFSET + 1)
        return _result(run, empty, idle, arrived, active)


def _result(run: _Run, empty: int, idle: int, arrived: int, active: int) -> dict[str, Any]:
    rss = run.stays.rss_bytes()
    subscribed, handed_over = run.subscribed.figures(), run.handed_over.figures()
    gib = rss / 2**30
    return {
        "count": run.count,
        "rows_in_c": IS_NATIVE,
        "bytes_a_channel": round((idle - empty) / run.count, 1),
        "rss_empty_mib": round(empty / 2**20, 1),
        "rss_gib": round(gib, 3),
        "rss_highest_gib": round(run.stays.rss_highest_bytes() / 2**30, 3),
        "subscribe": subscribed,
        "handover": handed_over,
        "active_channels": active,
        "events_arrived": arrived,
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "bars": BARS,
        "ok": gib <= BARS["rss_gib_max"]
        and subscribed["per_s"] >= BARS["subscribed_per_s_min"]
        and handed_over["per_s"] >= BARS["handed_over_per_s_min"]
        and handed_over["channels"] + subscribed["channels"] >= run.count
        and arrived == active,
    }


async def _server(mesh: Mesh, name: str, up: AsyncExitStack, cores: Cores) -> Server:
    listed, process = await mesh.instance(name), mesh.process(name)
    assert process is not None
    move(process.pid, cores.server)
    return await up.enter_async_context(Server.at(listed.instance.address, listed.instance.id, process.pid))


def _name(number: int) -> bytes:
    return b"C%010X" % (number * _SPREAD & _ID_MASK)


def _positions(start: int, upto: int, leaves: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return encoded positions of channels: of those of the server that stays, and of the other."""
    found: tuple[list[bytes], list[bytes]] = ([], [])
    puts = found[0].append, found[1].append
    for number in range(start, upto):
        name = _name(number)
        slot = int.from_bytes(blake2b(name, digest_size=8).digest(), "little") % SLOTS
        puts[leaves[slot]](b"\x1a\x0f\x0a\x0b%b\x10%c" % (name, OFFSET))
    return found


def _frames(positions: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield encoded Subscribe frames of some channels each."""
    for start in range(0, len(positions), FRAME):
        some = positions[start : start + FRAME]
        yield b"".join(some), len(some)
