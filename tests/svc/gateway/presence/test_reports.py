"""What a gateway tells presence of its clients: who is idle, and who is away by hand."""

from __future__ import annotations

import asyncio
from typing import Any

from svc.gateway.keepalive import KeepaliveLimits
from tests.svc.gateway.conftest import until

ANN, BOB = "U0000000001", "U0000000002"
IDLE = KeepaliveLimits(idle_s=0.3)


async def test_a_client_that_only_pings_becomes_idle_and_any_other_frame_ends_that(open_house: Any) -> None:
    """JSON pings, protocol pings and silence are all the same; `tickle` is the least that counts."""
    house = await open_house(keepalive=IDLE)
    phone, laptop = await house.connect(ANN), await house.connect(ANN)
    await until(lambda: ANN in house.presence.reported)
    async with asyncio.timeout(5):
        while house.presence.reported[ANN].idle_count < 2:
            assert await phone.hears_nothing()
            await laptop.socket.ping(b"still here")
            await asyncio.sleep(0.05)
    began = asyncio.get_running_loop().time()
    await phone.say(type="tickle")
    await until(lambda: house.presence.reported[ANN].idle_count == 1)
    assert asyncio.get_running_loop().time() - began < 0.2
    await until(lambda: house.presence.reported[ANN].idle_count == 2)
    await laptop.socket.close()
    await until(lambda: house.presence.reported[ANN].count == 1)
    assert house.presence.reported[ANN].idle_count == 1


async def test_bots_are_never_idle(open_house: Any) -> None:
    """They speak when spoken to, and are there all the time."""
    house = await open_house(keepalive=IDLE)
    bot, person = await house.connect(ANN, bot="B0000000001"), await house.connect(BOB)
    await until(lambda: {ANN, BOB} <= house.presence.reported.keys())
    await until(lambda: house.presence.reported[BOB].idle_count == 1)
    assert (house.presence.reported[ANN].count, house.presence.reported[ANN].idle_count) == (1, 0)
    assert await bot.hears_nothing()
    assert await person.hears_nothing()


async def test_the_first_that_presence_hears_of_a_user_is_with_its_word(open_house: Any) -> None:
    """Nobody sees the reload of somebody who is away by hand."""
    house = await open_house()
    house.mesh.away.add(ANN)
    house.mesh.logs[ANN] = []
    ann = await house.connect(ANN)
    await until(lambda: ANN in house.presence.reported)
    assert house.presence.history == [(ANN, 1, True)]
    assert await ann.hears_nothing()


async def test_a_word_is_told_at_once_and_again_to_the_server_that_comes_next(open_house: Any) -> None:
    """A presence server that dies loses nothing: the gateway knows who is away by hand."""
    house = await open_house()
    ann = await house.connect(ANN)
    await until(lambda: ANN in house.presence.reported)
    house.reports.set_away(ANN, True, 4)
    await until(lambda: house.presence.reported[ANN].is_away_by_hand)
    house.reports.set_away(ANN, False, 3)
    house.presence.reported.clear()
    house.presence.break_line()
    await until(lambda: ANN in house.presence.reported)
    assert (house.presence.reported[ANN].is_away_by_hand, house.presence.reported[ANN].away_offset) == (True, 4)
    assert await ann.hears_nothing()


async def test_a_session_that_cannot_be_opened_is_presence_all_the_same(open_house: Any) -> None:
    """While webapp is away, whoever is connected is seen to be."""
    house = await open_house()
    house.mesh.is_down = True
    socket = await house.http.ws_connect(house.url(ANN))
    await until(lambda: ANN in house.presence.reported)
    assert not house.presence.reported[ANN].is_away_by_hand
    await socket.close()
