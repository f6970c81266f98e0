"""One reader that stalls among many: it is cut off, and nobody else pays for it, neither in time nor in memory."""

from __future__ import annotations

import asyncio
import resource
import time
from statistics import quantiles
from typing import Any

import aiohttp

from svc.gateway import resume

C = "C0000000001"
SLOW = "U0000000099"
READERS = 8
EVENTS = 300
TEXT = "x" * 30_000
BYTES_MAX = 256 * 1024


async def latencies(house: Any, readers: list[Any]) -> list[float]:
    """Post events one after the other; return how long each took to reach all readers, in seconds."""
    took = []
    for number in range(EVENTS):
        began = time.perf_counter()
        house.mesh.append(C, text=f"{number} {TEXT}")
        for texts in await asyncio.gather(*(reader.texts(1) for reader in readers)):
            assert texts[0].startswith(f"{number} ")
        took.append(time.perf_counter() - began)
    return took


def stall(client: Any) -> None:
    """Have a client read nothing any more."""
    client.socket._response.connection.transport.pause_reading()


async def test_a_stalled_reader_costs_the_others_neither_time_nor_memory(open_house: Any) -> None:
    """Compared with the same without it: what waits for it is bounded, and the others hear as soon as before."""
    house = await open_house(bytes_max=BYTES_MAX)
    readers = [await house.connect(f"U{number:010d}", C) for number in range(READERS)]
    alone = await latencies(house, readers)
    slow = await house.connect(SLOW, C)
    stall(slow)
    connection = max(house.connections, key=lambda each: each.number)
    memory_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    beside = await latencies(house, readers)
    assert house.outbox.slow_consumers == 1
    assert connection.is_closing
    assert connection.unwritten_bytes <= BYTES_MAX
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_before
    assert grown_kib < 16 * 1024
    # Medians, since the machine has other work: both sides have the same.
    assert quantiles(beside, n=4)[1] < 3 * quantiles(alone, n=4)[1] + 0.005
    assert all(
        len(reader_connection.channels) for reader_connection in house.connections if reader_connection.user_id != SLOW
    )


async def test_who_was_cut_off_got_what_fitted_and_resumes_behind_it(open_house: Any) -> None:
    """The close code says to; however much is waiting, each connection gets on."""
    house = await open_house(bytes_max=BYTES_MAX)
    house.mesh.members[SLOW] = [C]
    had = 0
    flags, cuts = ["resume_aware"], 0
    while had < 300:
        async with house.http.ws_connect(house.url(SLOW, flags=flags)) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            if "resume" in flags:
                await socket.send_json({"type": "resume", "token": resume.encode([(SLOW, 0), (C, had)])})
            assert (await socket.receive_json())["type"] in ("positions", "resumed")
            flags, before = ["resume_aware", "resume"], had
            if len(house.mesh.logs.get(C, ())) < 300:
                # Far more in one turn than may wait.
                for _ in range(100):
                    house.mesh.append(C, text=TEXT)
            while (frame := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
                assert frame.json()["position"] == f"{C}:{had + 1}"
                had += 1
                if had == 300:
                    break
            else:
                assert frame.data == 4000
                assert had > before
                cuts += 1
    assert cuts == house.outbox.slow_consumers > 0
