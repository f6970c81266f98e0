"""A webapp whose MySQL stands still for two seconds under load: clear answers, nothing twice, and soon all is well."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry import RateLimitErrorRetryHandler, RetryHandler

from svc.kit.clock import ManualClock
from svc.kit.lifecycle import background
from svc.webapp.priority import Priority, Turn, taking
from tests.svc.webapp.api.office import HTTP, Office, office, serving

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

RATES = {"chat.postMessage": 15, "conversations.history": 40, "users.list": 20, "users.getPresence": 10}
"""Calls a second: a few per cent of what this webapp can do. In two seconds of standstill, 170 that wait."""
HEALED_S = 15.0
"""On an idle machine it takes half a second."""

NOT_CACHED = {"latest": "4000000000.000000"}
"""A page of history by its end is read from MySQL each time."""


@dataclass
class Asked:
    """One call and what was answered."""

    method: str
    at: float
    text: str
    status: int = 0
    code: str = ""
    retry_after: str = ""
    took_s: float = 0.0


@dataclass
class Load:
    """Calls at a steady rate, whatever becomes of those before."""

    here: Office
    asked: list[Asked] = field(default_factory=list)
    waiting_max: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Call while the block runs; on the way out wait for the answers."""
        async with asyncio.TaskGroup() as answers, aiohttp.ClientSession() as http, asyncio.TaskGroup() as loops:
            is_over = asyncio.Event()
            for method, rate in RATES.items():
                loops.create_task(self._call_often(http, answers, method, rate, is_over))
            async with background("watching the lines", self._watch()):
                yield
                is_over.set()
                await asyncio.sleep(0.2)
                while any(not asked.status for asked in self.asked):
                    await asyncio.sleep(0.05)

    async def _watch(self) -> None:
        while True:
            lines = [self.here.pools.channel.admission, self.here.pools.workspace.admission]
            self.waiting_max = max(self.waiting_max, *(line.waiting(p) for line in lines for p in Priority))
            await asyncio.sleep(0.01)

    async def _call_often(
        self, http: aiohttp.ClientSession, answers: asyncio.TaskGroup, method: str, rate: int, is_over: asyncio.Event
    ) -> None:
        now = asyncio.get_running_loop().time
        for number in itertools.count():
            if is_over.is_set():
                return
            answers.create_task(self._call(http, Asked(method, now(), f"post {number}")))
            await asyncio.sleep(1 / rate)

    async def _call(self, http: aiohttp.ClientSession, asked: Asked) -> None:
        self.asked.append(asked)
        form = {"channel": self.here.general, "text": asked.text, "user": self.here["grace"].id, **NOT_CACHED}
        url, headers = self.here.base + asked.method, self.here["ada"].headers
        async with http.post(url, data=form, headers=headers) as answer:
            body = await answer.json()
        asked.took_s = asyncio.get_running_loop().time() - asked.at
        asked.code = "ok" if body["ok"] else body["error"]
        asked.retry_after = answer.headers.get("Retry-After", "")
        asked.status = answer.status

    def codes(self, since: float, until: float, *methods: str) -> Counter[str]:
        """Count the answers to what was asked between two moments."""
        return Counter(a.code for a in self.asked if since <= a.at < until and (not methods or a.method in methods))

    def by_second(self, since: float) -> str:
        """Describe what was answered to what was asked in each second."""
        return "".join(
            f"\n{second} {method} {dict(self.codes(since + second, since + second + 1, method))}"
            for second in range(15)
            for method in RATES
        )


async def stored(here: Office) -> Counter[str]:
    """Return how often each text is in the channel."""
    rows = await here.pools.channel.rows("SELECT text FROM messages WHERE channel_id = %s", (here.general,))
    return Counter(str(text) for (text,) in rows if str(text).startswith("post "))


async def test_when_mysql_stands_still_callers_are_told_and_afterwards_all_is_well(tmp_path: Path) -> None:
    """No answer takes longer than the request's time, what was refused was not stored, and it heals by itself."""
    now = asyncio.get_running_loop().time
    async with office(tmp_path) as here:
        await here["ada"].ok("chat.postMessage", channel=here.general, text="warm")
        load = Load(here)
        async with load.running():
            began = now()
            await asyncio.sleep(2.0)
            stopped = now()
            await here.mesh.kill("mariadb", signal.SIGSTOP)
            try:
                await asyncio.sleep(2.0)
            finally:
                await here.mesh.kill("mariadb", signal.SIGCONT)
            went_on = now()
            async with asyncio.timeout(HEALED_S):
                # A second of all that was asked, and answered since.
                while set(load.codes(now() - 1.5, now() - 0.5)) != {"ok"} or now() < went_on + 2.0:
                    await asyncio.sleep(0.1)
        assert set(load.codes(began, stopped - 0.5)) == {"ok"}
        standstill = load.codes(stopped, went_on, "conversations.history", "users.list")
        assert standstill["ratelimited"] > 0.5 * standstill.total(), load.by_second(began)
        for asked in load.asked:
            assert asked.took_s < 6.0
            assert (asked.status == 429) == (asked.code == "ratelimited") == (asked.retry_after != "")
        # What waits is far less than what came: the line sheds while nothing moves.
        assert load.waiting_max < 80
        await check_posts(here, load)


async def check_posts(here: Office, load: Load) -> None:
    """Every acknowledged post is there once, every refused one is not; unknown ones are there once or not at all."""
    there = await stored(here)
    posts = [asked for asked in load.asked if asked.method == "chat.postMessage"]
    assert len(posts) > 60
    for post in posts:
        if post.code == "ok":
            assert there[post.text] == 1, post
        elif post.code in ("ratelimited", "service_unavailable"):
            assert there[post.text] == 0, post
        else:
            assert post.code == "fatal_error", post
    assert sum(post.code == "ok" for post in posts) > 0.8 * len(posts), Counter(post.code for post in posts)
    assert there.total() == len(there)


async def test_slack_sdk_waits_as_it_is_told_and_then_succeeds(acme: Office) -> None:
    """With its own handler for rate limits, and nothing of ours; without one it says when to come back."""
    async with serving(acme.mesh, config=replace(HTTP, requests_max=1)) as narrow:
        url = urlsplit(narrow.base)
        _, slow = await asyncio.open_connection(url.hostname, url.port)
        slow.write(b"POST /api/auth.test HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n")
        await slow.drain()
        await asyncio.sleep(0.1)
        plain = WebClient(acme["ada"].token, base_url=narrow.base)
        with pytest.raises(SlackApiError) as told:
            await asyncio.to_thread(plain.conversations_history, channel=acme.general)
        assert (told.value.response.status_code, told.value.response["error"]) == (429, "ratelimited")
        assert int(told.value.response.headers["Retry-After"]) >= 1
        handlers: list[RetryHandler] = [RateLimitErrorRetryHandler(max_retry_count=3)]
        patient = WebClient(acme["ada"].token, base_url=narrow.base, retry_handlers=handlers)
        call = asyncio.ensure_future(asyncio.to_thread(patient.conversations_history, channel=acme.general))
        await asyncio.sleep(0.3)
        slow.close()
        assert (await call)["ok"]


async def test_a_client_that_hangs_up_while_it_waits_costs_nothing(acme: Office) -> None:
    """Its place in the line is passed over: MySQL never sees its statement."""
    async with serving(acme.mesh) as here, AsyncExitStack() as held:
        line, grace = here.pools.channel.admission, replace(acme["grace"], base=here.base)
        ask = {"channel": acme.general, **NOT_CACHED}
        await grace.ok("conversations.history", **ask)
        start = await statements(here)
        await grace.ok("conversations.history", **ask)
        usual = await statements(here) - start
        # For the line time stands still, so that nobody is shed before he hangs up.
        line.clock = ManualClock(line.clock.now())
        with taking(Turn(Priority.POST)):
            for _ in range(here.pools.channel.limits.connections_max):
                await held.enter_async_context(line.slot(is_measured=False))
        async with aiohttp.ClientSession() as hasty:
            url = here.base + "conversations.history"
            calls = [asyncio.ensure_future(hasty.post(url, data=ask, headers=grace.headers)) for _ in range(8)]
            async with asyncio.timeout(10):
                while line.waiting(Priority.READ) < 4:
                    await asyncio.sleep(0.01)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.sleep(0.1)
        start = await statements(here)
        await held.aclose()
        await grace.ok("conversations.history", **ask)
        assert await statements(here) - start <= usual + 1


async def statements(here: Office) -> int:
    """Return how many times history was read from MySQL since it started."""
    found = await here.pools.user.rows("SHOW GLOBAL STATUS LIKE 'Com_select'")
    return int(found[0][1])
