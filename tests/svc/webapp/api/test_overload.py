"""A webapp whose MySQL stands still for two seconds under load: clear answers, nothing twice, and soon all is well."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from svc.kit.lifecycle import background
from svc.webapp.priority import Priority
from tests.svc.webapp.api.office import Office, office

pytestmark = pytest.mark.mesh

RATES = {"chat.postMessage": 30, "conversations.history": 60, "users.list": 30, "users.getPresence": 20}
"""Calls a second: a few per cent of what this webapp can do. In two seconds of standstill, 280 that wait."""


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
        form = {"channel": self.here.general, "text": asked.text, "user": self.here["grace"].id}
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


async def stored(here: Office) -> Counter[str]:
    """Return how often each text is in the channel."""
    rows = await here.pools.channel.rows("SELECT text FROM messages WHERE channel_id = %s", (here.general,))
    return Counter(str(text) for (text,) in rows if str(text).startswith("post "))


async def test_when_mysql_stands_still_callers_are_told_and_afterwards_all_is_well(tmp_path: Path) -> None:
    """No answer takes longer than the request's time, what was refused was not stored, and three seconds heal it."""
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
            await asyncio.sleep(6.0)
            ended = now()
        assert set(load.codes(began, stopped - 0.5)) == {"ok"}
        assert set(load.codes(went_on + 3.0, ended)) == {"ok"}, "well three seconds later"
        standstill = load.codes(stopped, went_on, "conversations.history", "users.list")
        assert standstill["ratelimited"] > 0.5 * standstill.total()
        for asked in load.asked:
            assert asked.took_s < 6.0
            assert (asked.status == 429) == (asked.code == "ratelimited") == (asked.retry_after != "")
        # What waits is far less than what came: the line sheds while nothing moves.
        assert load.waiting_max < 100
        await check_posts(here, load)


async def check_posts(here: Office, load: Load) -> None:
    """Every acknowledged post is there once, every refused one is not; unknown ones are there once or not at all."""
    there = await stored(here)
    posts = [asked for asked in load.asked if asked.method == "chat.postMessage"]
    assert len(posts) > 200
    for post in posts:
        if post.code == "ok":
            assert there[post.text] == 1, post
        elif post.code in ("ratelimited", "service_unavailable"):
            assert there[post.text] == 0, post
        else:
            assert post.code == "fatal_error", post
    assert sum(post.code == "ok" for post in posts) > 0.8 * len(posts), Counter(post.code for post in posts)
    assert there.total() == len(there)


async def test_a_client_that_hangs_up_while_it_waits_costs_nothing(tmp_path: Path) -> None:
    """Its place in the line is passed over: MySQL never sees its statement."""
    async with office(tmp_path) as here:
        pool = here.pools.channel
        grace, slots = here["grace"], pool.limits.connections_max
        await grace.ok("conversations.history", channel=here.general)
        holders = [asyncio.ensure_future(pool.rows("SELECT SLEEP(0.3)")) for _ in range(slots - 1)]
        await asyncio.sleep(0.05)
        before = await statements(here)
        url, form = here.base + "conversations.history", {"channel": here.general}
        async with aiohttp.ClientSession() as hasty:
            calls = [asyncio.ensure_future(hasty.post(url, data=form, headers=grace.headers)) for _ in range(20)]
            await asyncio.sleep(0.08)
            assert pool.admission.waiting(Priority.READ) >= 10
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.gather(*holders)
        await grace.ok("conversations.history", channel=here.general)
        assert await statements(here) - before < 10


async def statements(here: Office) -> int:
    """Return how many times history was read from MySQL since it started."""
    found = await here.pools.user.rows("SHOW GLOBAL STATUS LIKE 'Com_select'")
    return int(found[0][1])
