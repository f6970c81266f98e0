"""A drain is no herd: goodbyes spread over the time, each with its grace, and no longer than the clients need."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

C = "C0000000001"
CLIENTS = 40
SPREAD_S = 1
LINGER_S = 0.2
"""What the house lingers."""


async def left(house: Any, client: Any, began: float) -> tuple[float, float, int]:
    """Return when a client got its goodbye and its Close, in seconds, and the code."""
    assert await client.json() == {"type": "goodbye"}
    told = time.monotonic() - began
    code = await client.close_code()
    return told, time.monotonic() - began, code


async def test_goodbyes_are_spread_over_the_time_and_each_close_comes_after_its_grace(house: Any) -> None:
    """Forty clients over a second: never many at once."""
    clients = [await house.connect(f"U{number:010d}") for number in range(CLIENTS)]
    began = time.monotonic()
    house.drain.start(SPREAD_S)
    ends = await asyncio.gather(*(left(house, client, began) for client in clients))
    tolds = sorted(told for told, _, _ in ends)
    assert {code for _, _, code in ends} == {1001}
    # Each by itself is as late as this busy process reads it; half of them are not.
    assert all(closed > told for told, closed, _ in ends)
    assert statistics.median(closed - told for told, closed, _ in ends) >= 0.8 * LINGER_S
    assert tolds[0] < 0.2 * SPREAD_S
    assert 0.8 * SPREAD_S <= tolds[-1] <= SPREAD_S + 0.5
    # Each quarter of the time sees about a quarter of the clients.
    for quarter in range(4):
        share = sum(quarter <= told / SPREAD_S * 4 < quarter + 1 for told in tolds)
        assert CLIENTS / 8 <= share <= CLIENTS / 2


async def test_events_are_delivered_until_the_close(house: Any) -> None:
    """A client that ignores goodbye misses nothing before it."""
    ann = await house.connect("U0000000001", C)
    house.drain.start(0)
    assert await ann.json() == {"type": "goodbye"}
    for number in range(5):
        house.mesh.append(C, text=str(number))
    assert await ann.texts(5) == [str(number) for number in range(5)]
    assert await ann.close_code() == 1001


async def test_a_drain_ends_when_the_last_client_has_left_by_itself(house: Any) -> None:
    """Clients of ours leave at goodbye: nobody has to linger for them."""
    clients = [await house.connect(f"U{number:010d}") for number in range(5)]

    async def leave(client: Any) -> None:
        await client.json()
        await client.socket.close()

    began = time.monotonic()
    leaving = [asyncio.ensure_future(leave(client)) for client in clients]
    await house.drain.finish(3_600)
    assert time.monotonic() - began < 1.0
    await asyncio.gather(*leaving)
