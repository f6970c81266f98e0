"""Presence over a real mesh: who looks is told within a second; deaths of servers flip nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
import pytest_asyncio

from discovery.ring import Member, Ring
from ops.local.spec import none
from tests.mesh.people import Person, Socket
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

LEASE_S, GRACE_S, FLAP_WINDOW_S, SETTLE_S = 2.0, 0.5, 1.5, 2.0
SOON_S = 1.0
"""In which everybody's view must be right."""

QUIET_S = 0.4
"""After which nothing more is on its way: many times what a change takes."""

TIMES = {
    "PARLEY_PRESENCE_LEASE_S": str(LEASE_S),
    "PARLEY_PRESENCE_AWAY_GRACE_S": str(GRACE_S),
    "PARLEY_PRESENCE_FLAP_WINDOW_S": str(FLAP_WINDOW_S),
    "PARLEY_PRESENCE_SETTLE_S": str(SETTLE_S),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A mesh of two gateways and two presence servers that are quick to believe that somebody is gone."""
    counts = none(webapp=1, admin=1, channel=1, gateway=2, presence=2)
    var = tmp_path_factory.mktemp("presence")
    async with town(var, counts=counts, zones=("az1",), tier_environ={"presence": TIMES}) as made:
        yield made


def words(socket: Socket, person: Person) -> list[str]:
    """Return what a socket was told of somebody, in order."""
    told = [event for event in socket.events if event.get("type") == "presence_change"]
    return [event["presence"] for event in told if person.user_id in event.get("users", [event.get("user")])]


async def sees(socket: Socket, person: Person, *expected: str, within_s: float = SOON_S) -> float:
    """Wait until a socket has been told exactly this of somebody; return how long it took."""
    began = time.monotonic()
    while words(socket, person) != list(expected):
        waited = time.monotonic() - began
        assert waited < within_s, f"told {words(socket, person)} of {person.name} after {waited:.2f} s"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def looks(socket: Socket, *people: Person) -> None:
    """Look at exactly these people from now on."""
    await socket.send(type="presence_sub", ids=[person.user_id for person in people])


async def gone(there: Town, *names: str) -> None:
    """Wait until people have been away for so long that coming back is no flapping."""
    async with asyncio.timeout(10):
        for name in names:
            while (await there["helper"].ok("users.getPresence", user=there[name].user_id))["presence"] != "away":
                await asyncio.sleep(0.05)
    await asyncio.sleep(FLAP_WINDOW_S)


def host(socket: Socket) -> str:
    """Return the instance id of the gateway that a socket is at."""
    return str(next(event for event in socket.events if event.get("type") == "hello")["host_id"])


async def connected_at(stack: AsyncExitStack, person: Person, elsewhere: str = "") -> Socket:
    """Connect somebody, at another gateway than `elsewhere` if given, which may be dead."""
    async with asyncio.timeout(5):
        while True:
            async with AsyncExitStack() as attempt:
                try:
                    socket = await attempt.enter_async_context(person.connected())
                except aiohttp.ClientConnectionError:
                    continue
                if host(socket) != elsewhere:
                    stack.push_async_exit(attempt.pop_all())
                    return socket


async def test_presence_sub_replaces_and_only_who_is_looked_at_is_told(there: Town) -> None:
    """The current state of each at once, then the changes of those named last, within a second."""
    ada, grace = there["ada"], there["grace"]
    async with there["linus"].connected() as linus:
        await looks(linus, ada)
        await sees(linus, ada, "away", within_s=SETTLE_S + SOON_S)
        await looks(linus, grace)
        await sees(linus, grace, "away")
        async with ada.connected(), grace.connected():
            await sees(linus, grace, "away", "active")
            await looks(linus, ada, grace)
            await sees(linus, ada, "away", "active")
            await sees(linus, grace, "away", "active", "active")
        await sees(linus, ada, "away", "active", "away", within_s=GRACE_S + SOON_S)
        await looks(linus)
        async with ada.connected():
            await asyncio.sleep(QUIET_S)
        assert words(linus, ada) == ["away", "active", "away"]


async def test_presence_query_tells_once(there: Town) -> None:
    """The states as they are, and nothing of what comes after."""
    ada, grace = there["ada"], there["grace"]
    async with there["linus"].connected() as linus, ada.connected():
        await linus.send(type="presence_query", ids=[ada.user_id, grace.user_id])
        await sees(linus, ada, "active")
        await sees(linus, grace, "away")
        async with grace.connected():
            await asyncio.sleep(QUIET_S)
        assert words(linus, grace) == ["away"]


async def test_those_who_take_batches_get_them(there: Town) -> None:
    """One event for all users that have come to be the same; others get one a user."""
    ada, grace = there["ada"], there["grace"]
    async with ada.connected(), grace.connected(), there["linus"].connected(batch_presence_aware=1) as linus:
        await asyncio.sleep(QUIET_S)
        await linus.send(type="presence_query", ids=[ada.user_id, grace.user_id])
        event = await linus.wait_for(lambda event: event.get("type") == "presence_change", SOON_S)
        assert (event["users"], event["presence"]) == ([ada.user_id, grace.user_id], "active")
        async with there["linus"].connected() as plain:
            await plain.send(type="presence_query", ids=[ada.user_id, grace.user_id])
            await sees(plain, ada, "active")
            await sees(plain, grace, "active")
            assert all("users" not in event for event in plain.events)


async def test_several_devices_are_one_presence(there: Town) -> None:
    """On different gateways as well: the last one to leave decides."""
    ada = there["ada"]
    await gone(there, "ada")
    async with there["linus"].connected() as linus, AsyncExitStack() as phone, AsyncExitStack() as laptop:
        await looks(linus, ada)
        await sees(linus, ada, "away")
        first = await connected_at(phone, ada)
        await connected_at(laptop, ada, elsewhere=host(first))
        await sees(linus, ada, "away", "active")
        await asyncio.sleep(QUIET_S)
        await phone.aclose()
        await asyncio.sleep(GRACE_S + QUIET_S)
        assert words(linus, ada) == ["away", "active"]
        await laptop.aclose()
        await sees(linus, ada, "away", "active", "away", within_s=GRACE_S + SOON_S)


async def test_flapping_is_damped(there: Town) -> None:
    """A reload is not seen; who came back a moment ago is given more time before being called away."""
    ada = there["ada"]
    await gone(there, "ada")
    async with there["linus"].connected() as linus:
        await looks(linus, ada)
        await sees(linus, ada, "away")
        for _ in range(3):
            async with ada.connected():
                await sees(linus, ada, "away", "active")
        first_s = await sees(linus, ada, "away", "active", "away", within_s=GRACE_S + SOON_S)
        async with ada.connected():
            await sees(linus, ada, "away", "active", "away", "active")
        again_s = await sees(linus, ada, "away", "active", "away", "active", "away", within_s=2 * GRACE_S + SOON_S)
        assert GRACE_S - 0.1 <= first_s < 2 * GRACE_S <= again_s + 0.1


async def test_away_by_hand_holds_whatever_the_sockets_do(there: Town) -> None:
    """At once for everybody who looks, over reloads, until it is taken back."""
    ada = there["ada"]
    await gone(there, "ada")
    async with there["linus"].connected() as linus, ada.connected() as own:
        await looks(linus, ada)
        await sees(linus, ada, "active")
        await ada.ok("users.setPresence", presence="away")
        await sees(linus, ada, "active", "away")
        await own.wait_for(lambda event: event.get("type") == "manual_presence_change", SOON_S)
        mine = await ada.ok("users.getPresence")
        assert (mine["presence"], mine["online"], mine["manual_away"]) == ("away", True, True)
        async with ada.connected():
            await own.send(type="tickle")
            await asyncio.sleep(QUIET_S)
        assert words(linus, ada) == ["active", "away"]
        await ada.ok("users.setPresence", presence="auto")
        await sees(linus, ada, "active", "away", "active")


async def test_the_users_of_a_killed_gateway_are_away_after_its_lease(there: Town) -> None:
    """And who has found another gateway by then was never seen to leave."""
    ada, grace = there["ada"], there["grace"]
    await gone(there, "ada", "grace")
    async with AsyncExitStack() as watching, AsyncExitStack() as dying, AsyncExitStack() as moving:
        linus = await connected_at(watching, there["linus"])
        theirs = await connected_at(dying, ada, elsewhere=host(linus))
        await connected_at(dying, grace, elsewhere=host(linus))
        await looks(linus, ada, grace)
        await sees(linus, ada, "active")
        await sees(linus, grace, "active")
        killed = next(each.name for each in await there.mesh.instances("gateway") if each.instance.id == host(theirs))
        await there.mesh.kill(killed)
        await connected_at(moving, grace, elsewhere=host(theirs))
        took_s = await sees(linus, ada, "active", "away", within_s=LEASE_S + GRACE_S + SOON_S)
        assert took_s > LEASE_S / 3, "a pause of a gateway must not be taken for its death"
        assert words(linus, grace) == ["active"]
    await there.mesh.start(killed)


async def test_when_a_presence_server_is_killed_nobody_sees_a_flip(there: Town) -> None:
    """Its users are reported to the next owner before that says anything of them; changes go on."""
    ada, grace = there["ada"], there["grace"]
    await gone(there, "ada", "grace")
    async with there["linus"].connected() as linus, there["helper"].connected(), ada.connected():
        everybody = [ada, grace, there["linus"], there["helper"]]
        await looks(linus, *everybody)
        await sees(linus, ada, "active")
        await sees(linus, grace, "away")
        listed = {each.instance.id: each.name for each in await there.mesh.instances("presence")}
        killed = listed[Ring([Member(each) for each in listed]).owner(ada.user_id)]
        before = {person.name: words(linus, person) for person in everybody}
        await there.mesh.kill(killed)
        await asyncio.sleep(SETTLE_S + LEASE_S)
        assert {person.name: words(linus, person) for person in everybody} == before
        async with grace.connected():
            await sees(linus, grace, "away", "active")
        await there.mesh.start(killed)
        await asyncio.sleep(SETTLE_S + QUIET_S)
        assert (words(linus, ada), words(linus, grace)) == (["active"], ["away", "active", "away"])
