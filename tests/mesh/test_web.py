"""The browser client's endpoints on a mesh of two webapps: what one of them knows, both do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle

import pytest
import pytest_asyncio

from ops.keyspaces import workspace_rules
from ops.local.spec import counts
from svc.webapp.limits.tiers import TRIES_OF_LOGIN
from tests.mesh.people import Socket
from tests.mesh.towns import Town, town
from tests.svc.webapp.web.browsers import Browser, opened

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse battery"
GENEROUS_S = 3.0
"""One second is promised, on a machine that does nothing else."""
REVOKED = 4101


@dataclass(frozen=True)
class Pair:
    """A mesh of two webapps."""

    there: Town
    urls: tuple[str, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """One for all tests of this file."""
    async with town(tmp_path_factory.mktemp("web"), counts=counts(webapp=2, channel=1, gateway=1)) as there:
        yield Pair(there, tuple(there.mesh.web_urls.values()))


def cookie_at(browser: Browser, other: Browser) -> dict[str, str]:
    """Return what the browser would send to the other webapp, whose port the cookie does not mind."""
    assert browser.cookie is not None
    return {**other.own, "Cookie": f"parley={browser.cookie.value}"}


async def test_leaving_closes_what_the_cookie_opened(pair: Pair) -> None:
    """A socket, and a ticket that was not used yet; at the other webapp too."""
    async with AsyncExitStack() as up:
        here, there = [await up.enter_async_context(opened(url)) for url in pair.urls]
        await here.ok("/web/signin/demo", user=pair.there["ada"].user_id)
        shown = cookie_at(here, there)
        there.http.cookie_jar.clear()
        boot = await here.call("client.boot")
        assert boot["ok"], boot
        ws = await up.enter_async_context(pair.there.http.ws_connect((await here.call("rtm.connect"))["url"]))
        socket = Socket(ws)
        listening = await up.enter_async_context(asyncio.TaskGroup())
        listening.create_task(socket.listen())
        await socket.wait_for(lambda event: event.get("type") == "hello")
        assert (await there.call("auth.test", shown))["ok"]
        late = (await here.call("rtm.connect"))["url"]
        began = time.monotonic()
        await here.ok("/web/signout")
        assert await socket.wait_closed(10 * GENEROUS_S) == REVOKED
        async with asyncio.timeout(10 * GENEROUS_S):
            while (answer := await there.call("auth.test", shown))["ok"]:
                await asyncio.sleep(0.01)
        took_s = time.monotonic() - began
        assert answer["error"] == "token_revoked"
        assert took_s <= GENEROUS_S
        async with pair.there.http.ws_connect(late) as ws:
            after = Socket(ws)
            await asyncio.wait_for(after.listen(), 10 * GENEROUS_S)
            assert after.close_code == REVOKED


async def test_who_guesses_is_slowed_down_by_all_webapps_together(pair: Pair) -> None:
    """A burst of tries at both in turn, then 429; also the right password is of no use then; others get in."""
    async with AsyncExitStack() as up:
        rules = await up.enter_async_context(workspace_rules(pair.there.mesh.dsns, pair.there.mesh.memcached_addrs))
        for name in ("ada", "grace"):
            user = await rules.services.workspaces.user_by_name((await rules.services.workspaces.teams())[0].id, name)
            assert user is not None
            await rules.services.passwords.set(user, PASSWORD)
        browsers = cycle([await up.enter_async_context(opened(url)) for url in pair.urls])
        began, ends = time.monotonic(), []
        for _ in range(TRIES_OF_LOGIN.burst * 2):
            ends.append(await next(browsers).post("/web/signin", login="ada", password="a wrong password"))
        passed = [answer for status, answer in ends if status == 200]
        allowed = TRIES_OF_LOGIN.burst * 3 // 2 + int((time.monotonic() - began) / 60) + 1
        assert len(passed) <= allowed < len(ends)
        assert {answer["error"] for answer in passed} == {"invalid_login"}
        status, answer = await next(browsers).post("/web/signin", login="ada", password=PASSWORD)
        assert (status, answer) == (429, {"ok": False, "error": "too_many_tries"})
        here = next(browsers)
        body = {"login": "ada", "password": PASSWORD}
        async with here.http.post(here.base / "web/signin", json=body, headers=here.own) as refused:
            assert int(refused.headers["Retry-After"]) >= 1
        await here.ok("/web/signin", login="grace", password=PASSWORD)


async def test_sockets_go_where_the_page_lets_them(pair: Pair) -> None:
    """Whether the client is built here or not: its policy has the gateways that clients are given."""
    async with opened(pair.urls[0]) as here, here.http.get(here.base) as answer:
        assert answer.status in (200, 503)
        policy = answer.headers["Content-Security-Policy"]
        await here.ok("/web/signin/demo", user=pair.there["ada"].user_id)
        url = (await here.call("rtm.connect"))["url"]
        host = url.split("/")[2].rpartition(":")[0]
        assert f"connect-src 'self' ws://{host}:*" in policy.split("; ")
