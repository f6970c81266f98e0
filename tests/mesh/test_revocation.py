"""A revoked token opens nothing a second later: on no webapp, and through no socket, however it was opened."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from ops.keyspaces import workspace_rules
from ops.local.spec import counts
from svc.webapp.store.rows import User
from tests.mesh.people import Json, Person, Socket
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

GENEROUS_S = 3.0
"""One second is promised, on a machine that does nothing else."""
REVOKED = 4101


@dataclass(frozen=True)
class Pair:
    """A mesh of two webapps and two gateways, and somebody new at both webapps, who has one token."""

    there: Town
    urls: tuple[str, ...]

    async def somebody(self, name: str) -> tuple[Person, Person]:
        """Add a person; return it as it calls either webapp."""
        async with workspace_rules(self.there.mesh.dsns, self.there.mesh.memcached_addrs) as rules:
            accounts = rules.services.accounts
            team = (await rules.services.workspaces.teams())[0]
            user = await accounts.person(User("", team.id, name, real_name=name.title(), is_admin=name == "root"))
            token = await accounts.token_for(user)
        first, second = (Person(name, user.id, token, url, self.there.http) for url in self.urls)
        return first, second


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """One for all tests of this file."""
    async with town(tmp_path_factory.mktemp("revocation"), counts=counts(webapp=2, gateway=2)) as there:
        listed = await there.mesh.instances()
        ports = [each.instance.meta["http_port"] for each in listed if each.instance.tier == "webapp"]
        yield Pair(there, tuple(f"http://127.0.0.1:{port}" for port in ports))


async def measured(what: str, began: float, ends: dict[str, Awaitable[object]]) -> None:
    """Wait for what has to end, and say how long each took."""

    async def timed(name: str, end: Awaitable[object]) -> tuple[str, float]:
        await end
        return name, time.monotonic() - began

    async with asyncio.timeout(10 * GENEROUS_S):
        took = dict(await asyncio.gather(*(timed(*each) for each in ends.items())))
    told = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in took.items())
    sys.stdout.write(f"\n{what}: {told}\n")
    assert max(took.values()) <= GENEROUS_S, took


async def refused(person: Person, code: str) -> None:
    """Wait until a person's token is refused."""
    while (answer := await person.call("auth.test"))["ok"]:
        await asyncio.sleep(0.01)
    assert answer["error"] == code


async def dismissed(socket: Socket) -> None:
    """Wait until a socket is closed, and see that it was told why."""
    assert await socket.wait_closed(10 * GENEROUS_S) == REVOKED
    assert socket.events[-1] == {"type": "error", "error": {"code": 1, "msg": "token_revoked"}}


async def settled(*sockets: Socket) -> None:
    """Wait until sessions follow their channels: each hears of what is told to the user."""
    for socket in sockets:
        await socket.send(type="ping", id=1)
        await socket.wait_for(lambda event: event.get("type") == "pong")


async def end_of(pair: Pair, name: str, code: str, how: Callable[[Person, Person], Awaitable[object]]) -> None:
    """Open two sockets, one of them resumable, and a ticket; end the token; see all of them end."""
    first, second = await pair.somebody(name)
    async with AsyncExitStack() as up:
        sockets = [await up.enter_async_context(each.connected()) for each in (first, second)]
        aware = await up.enter_async_context(second.connected(resume_aware=1))
        await settled(*sockets, aware)
        tickets = [(await each.ok("rtm.connect"))["url"] for each in (first, second)]
        await asyncio.gather(refused_not_yet(first), refused_not_yet(second))
        began = time.monotonic()
        await how(first, second)
        ends: dict[str, Awaitable[object]] = {
            "this webapp": refused(first, code),
            "the other webapp": refused(second, code),
            "a socket": dismissed(sockets[0]),
            "another socket": dismissed(sockets[1]),
            "one that keeps positions": dismissed(aware),
        }
        await measured(name, began, ends)
        for url in tickets:
            # Given out before, used now.
            async with pair.there.http.ws_connect(url) as ws:
                late = Socket(ws)
                await asyncio.wait_for(late.listen(), 10 * GENEROUS_S)
                assert late.close_code == REVOKED
                assert late.events[-1]["error"]["msg"] == "token_revoked"
        for each in (first, second):
            assert (await each.call("rtm.connect"))["error"] == code
            assert (await each.call("client.boot"))["error"] == code


async def refused_not_yet(person: Person) -> None:
    """See that the token is good, so that it is in every cache."""
    await person.ok("auth.test")


async def test_who_revokes_its_own_token_is_out_everywhere(pair: Pair) -> None:
    """auth.revoke through one webapp."""

    async def how(first: Person, second: Person) -> Json:
        return await first.ok("auth.revoke")

    await end_of(pair, "walter", "token_revoked", how)


async def test_who_is_deactivated_is_out_everywhere(pair: Pair) -> None:
    """By an admin, through the other webapp."""
    _, root = await pair.somebody("root")

    async def how(first: Person, second: Person) -> Json:
        return await root.ok("users.admin.setInactive", user=first.user_id)

    await end_of(pair, "wanda", "account_inactive", how)


async def test_an_operator_s_revocation_is_heard_by_everybody(pair: Pair) -> None:
    """`parley token revoke` works beside the mesh: what it leaves to the webapps is done at their next look."""

    async def how(first: Person, second: Person) -> None:
        program = [str(Path(sys.executable).parent / "parley"), "token", "revoke", first.token]
        var = ["--var", str(pair.there.mesh.spec.var)]
        done = await asyncio.to_thread(subprocess.run, [*program, *var], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    first, second = await pair.somebody("william")
    async with first.connected() as one, second.connected() as other:
        await settled(one, other)
        await how(first, second)
        ends: dict[str, Awaitable[object]] = {
            "a webapp": refused(second, "token_revoked"),
            "a socket": dismissed(one),
            "another socket": dismissed(other),
        }
        await measured("an operator", time.monotonic(), ends)


async def test_another_token_of_the_same_user_goes_on(pair: Pair) -> None:
    """Its sockets hear all that they heard before."""
    first, _ = await pair.somebody("wilma")
    async with workspace_rules(pair.there.mesh.dsns, pair.there.mesh.memcached_addrs) as rules:
        user = await rules.services.workspaces.user((await rules.services.workspaces.teams())[0].id, first.user_id)
        assert user is not None
        other = replace(first, token=await rules.services.accounts.token_for(user))
    async with first.connected() as gone, other.connected() as socket:
        await settled(gone, socket)
        await first.ok("auth.revoke")
        await dismissed(gone)
        await other.ok("users.profile.set", name="title", value="still here")
        event = await socket.wait_for(lambda each: each.get("type") == "user_change")
        assert event["user"]["profile"]["title"] == "still here"
