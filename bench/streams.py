"""Streams: events from a publisher through the channel server to a gateway's end of its stream, with each one's cost.

On paper: encoding, tail, mailbox and batch are some 4 us of Python an event at the channel server, taking a batch apart
and keeping positions 2 us at the gateway; a message on a stream costs 0.2 ms on each side, so it is the batches that
count: 250 K a second a core from some hundred events in flight on.

One channel server, as `make run` starts it; a publisher on one stream, as an admin is, in batches that are encoded
beforehand; a process with what gateways follow channels with (`svc.feed`), in front of a consumer that counts and looks
at the order. A publish is answered when the gateway's end has acknowledged it, so what is in flight is what neither has
done with. Events have 250 bytes and belong to 1,000 channels. The channel server has a processor to itself.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.channel_lines import AGAIN_S, Server, encoded_batch
from bench.cores import Cores, cpu_s, move, on
from bench.streams_end import channel_name
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from parley.channel.v1 import channel_service_pb2 as channel_pb

Say = Callable[[str], None]

CHANNELS = 1_000
BATCHES = 4
"""Batches in flight; each has a quarter of the events in flight."""
LOADS = {4: 1_000, 16: 4_000, 64: 16_000, 256: 48_000, 1_024: 96_000, 4_096: 160_000}
"""Events in flight, and how many of them make one measurement: half a second each."""
ROUNDS = 5
PATIENCE_S = 60.0
FULL_LOAD = 1_024

BARS = {"server_events_per_core_s_min": 200_000, "gateway_events_per_core_s_min": 200_000, "in_flight": FULL_LOAD}


@dataclass(slots=True)
class _Run:
    """One run: the server, the gateway's end, and how far each channel has come."""

    server: Server
    end: Process
    stream: Any
    fingerprint: int
    published: int = 0
    batch: int = 0
    refusals: int = 0
    """Batches that had to be published again; 0 where the machine is free."""
    cells: dict[int, list[dict[str, float]]] = field(default_factory=dict)

    async def measure(self, in_flight: int, events: int) -> None:
        """Publish so many events with so many in flight."""
        size = in_flight // BATCHES
        first = self.batch + 1
        batches = [self._encoded(size) for _ in range(events // size)]
        pids = self.server.pid, self.end.pid
        spent, began = [cpu_s([pid]) for pid in pids], time.perf_counter()
        async with asyncio.timeout(PATIENCE_S):
            for number, batch in enumerate(batches):
                await self.stream.write(batch)
                if number >= BATCHES - 1:
                    await self._answer(first, batches)
            for _ in range(BATCHES - 1):
                await self._answer(first, batches)
        wall_s = time.perf_counter() - began
        server_s, end_s = (cpu_s([pid]) - before for pid, before in zip(pids, spent, strict=True))
        events = len(batches) * size
        await self._check()
        self.cells.setdefault(in_flight, []).append(
            {
                "events_per_s": events / wall_s,
                "server_cpu_us_each": server_s / events * 1e6,
                "gateway_cpu_us_each": end_s / events * 1e6,
            }
        )

    def _encoded(self, size: int) -> bytes:
        self.batch += 1
        places = [
            (channel_name(number % CHANNELS), number // CHANNELS + 1)
            for number in range(self.published, self.published + size)
        ]
        self.published += size
        return encoded_batch(self.batch, self.fingerprint, places)

    async def _answer(self, first: int, batches: Sequence[bytes]) -> None:
        """Read an answer. What is refused, by a server that Consul lost on a busy machine, is published again."""
        while True:
            answer = channel_pb.PublishResponse.FromString(await self.stream.read())
            if not answer.refusals:
                return
            self.refusals += 1
            await asyncio.sleep(AGAIN_S)
            await self.stream.write(batches[answer.batch_number - first])

    async def _check(self) -> None:
        """Raise RuntimeError unless every event has come to the end, once and in order."""
        assert self.end.stdin is not None
        assert self.end.stdout is not None
        self.end.stdin.write(b"\n")
        async with asyncio.timeout(PATIENCE_S):
            told = await self.end.stdout.readline()
        if int(told or -1) != self.published:
            raise RuntimeError(f"{told!r} events of {self.published} came to the gateway's end")


def measure(say: Say) -> dict[str, Any]:
    """Return events a second and processor time an event, by events in flight; takes a minute."""
    cores = Cores.of(os.sched_getaffinity(0))
    with on(cores.rest):
        return uvloop.run(_measure(say, cores))


async def _measure(say: Say, cores: Cores) -> dict[str, Any]:
    async with AsyncExitStack() as up:
        folder = up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-"))
        spec = MeshSpec(var=Path(folder) / "mesh", counts=none(channel=1), zones=("az1",), graceful=False)
        mesh = await up.enter_async_context(Mesh(spec))
        listed, process = await mesh.instance("channel-az1-1"), mesh.process("channel-az1-1")
        assert process is not None
        move(process.pid, cores.server)
        server = await up.enter_async_context(Server.at(listed.instance.address, listed.instance.id, process.pid))
        end = await up.enter_async_context(_gateway_end(listed.instance.address, listed.instance.id))
        run = _Run(server, end, server.line("Publish"), server.ring_fingerprint)
        for in_flight in LOADS:
            await run.measure(in_flight, 4 * in_flight)
        run.cells.clear()
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            for in_flight, events in LOADS.items():
                await run.measure(in_flight, events)
    return _result(run)


def _result(run: _Run) -> dict[str, Any]:
    figures = {str(in_flight): _figures(cells) for in_flight, cells in run.cells.items()}
    full = figures[str(FULL_LOAD)]
    return {
        "event_bytes": 250,
        "channels": CHANNELS,
        "by_events_in_flight": figures,
        "batches_refused": run.refusals,
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "bars": BARS,
        "ok": full["server_events_per_core_s"] >= BARS["server_events_per_core_s_min"]
        and full["gateway_events_per_core_s"] >= BARS["gateway_events_per_core_s_min"],
    }


def _figures(cells: list[dict[str, float]]) -> dict[str, float]:
    medians = {name: statistics.median(cell[name] for cell in cells) for name in cells[0]}
    return {
        "events_per_s": round(medians["events_per_s"]),
        "server_cpu_us_each": round(medians["server_cpu_us_each"], 2),
        "gateway_cpu_us_each": round(medians["gateway_cpu_us_each"], 2),
        "server_events_per_core_s": round(1e6 / medians["server_cpu_us_each"]),
        "gateway_events_per_core_s": round(1e6 / medians["gateway_cpu_us_each"]),
    }


@asynccontextmanager
async def _gateway_end(address: str, server_id: str) -> AsyncIterator[Process]:
    """Start the gateway's end, and wait until it follows all channels."""
    end = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.streams_end", address, server_id, str(CHANNELS), stdin=PIPE, stdout=PIPE
    )
    try:
        assert end.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            if await end.stdout.readline() != b"ready\n":
                raise RuntimeError("the gateway's end did not start")
        yield end
    finally:
        if end.returncode is None:
            end.kill()
        await end.wait()
