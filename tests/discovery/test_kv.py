"""Following a key: against a Consul that errs, lags and starts over, and against a real one."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from discovery.consul import ConsulClient
from discovery.front import Discovery
from discovery.kv import KvEntry, KvQueries, KvWatcher
from svc.kit.clock import SystemClock
from svc.kit.errors import DeadlineError, UnavailableError
from svc.kit.lifecycle import background
from tests.discovery.agents import Agent, settings, until

CLOCK = SystemClock()
HANGING = 30.0
KEY = "parley/some where"


@dataclass
class Answer:
    """What to answer: a value last changed at `changed` (None: 404), or a raw body."""

    value: bytes | None = None
    index: int | None = 1
    changed: int = 0
    status: int = 200
    delay_s: float = 0.0
    raw: str | None = None


@dataclass
class FakeKv:
    """A Consul with one key; remembers the index and consistency of each query."""

    respond: Callable[[int, bool], Answer]
    queries: list[tuple[int, bool]] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> "FakeKv":
        app = web.Application()
        app.router.add_get("/v1/kv/{key:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.match_info["key"] == KEY
        assert ("stale" in request.query) != ("consistent" in request.query)
        asked = int(request.query.get("index", 0)), "consistent" in request.query
        self.queries.append(asked)
        answer = self.respond(*asked)
        await asyncio.sleep(answer.delay_s)
        headers = {} if answer.index is None else {"X-Consul-Index": str(answer.index)}
        if answer.raw is not None or answer.status != 200:
            return web.Response(status=answer.status, headers=headers, text=answer.raw)
        if answer.value is None:
            return web.Response(status=404, headers=headers)
        entry = {"Value": base64.b64encode(answer.value).decode() or None, "ModifyIndex": answer.changed}
        return web.Response(headers=headers, text=json.dumps([entry]))


def script(*answers: Answer) -> FakeKv:
    """Return a Consul that gives these answers, and then blocks."""
    rest: Iterator[Answer] = iter(answers)
    return FakeKv(lambda index, is_consistent: next(rest, Answer(delay_s=HANGING)))


@asynccontextmanager
async def watching(consul: FakeKv) -> AsyncIterator[tuple[KvWatcher, list[bytes | None]]]:
    """Run a watcher against `consul`; the list holds what it announces."""
    async with consul, KvQueries(f"http://127.0.0.1:{consul.port}", "", 0.5) as queries:
        watcher = KvWatcher(queries, KEY, CLOCK, wait_s=5.0)
        heard: list[bytes | None] = []
        watcher.subscribe(lambda entry: heard.append(entry.value))
        async with background("watch", watcher.run()):
            yield watcher, heard


async def test_the_value_follows_the_answers_and_the_index() -> None:
    """Each answer's index is what the next query blocks on; an empty value is a value."""
    consul = script(Answer(b"one", 5, 4), Answer(b"two", 9, 9), Answer(b"", 11, 11))
    async with watching(consul) as (watcher, heard):
        await until(lambda: len(consul.queries) == 4)
        assert heard == [b"one", b"two", b""]
        assert [index for index, _ in consul.queries] == [0, 5, 9, 11]
        assert watcher.entry == KvEntry(b"", 11)


async def test_what_did_not_change_is_not_announced_again() -> None:
    """A query's time ran out, or the same was written again; its index is still the one to compare with."""
    consul = script(Answer(b"one", 5, 5), Answer(b"one", 5, 5), Answer(b"one", 8, 8))
    async with watching(consul) as (watcher, heard):
        await until(lambda: len(consul.queries) == 4)
        assert heard == [b"one"]
        assert watcher.entry.index == 8


@pytest.mark.parametrize(
    "error",
    [
        Answer(index=1, status=500),
        Answer(index=7, status=302),
        Answer(index=None),
        Answer(index=7, raw="not json"),
        Answer(index=7, raw="[]"),
        Answer(index=7, raw='{"a": 1}'),
        Answer(index=7, raw='[{"Value": "*", "ModifyIndex": 7}]'),
        Answer(index=7, raw='[{"Value": "YQ=="}]'),
    ],
    ids=["500", "redirect", "404 of a proxy", "no json", "nothing", "no list", "no base64", "no index"],
)
async def test_an_error_changes_nothing_and_its_index_is_not_taken(error: Answer) -> None:
    """The last good value stays; after an error the next read is a plain one."""
    consul = script(Answer(b"one", 50, 50), error, Answer(b"one", 51, 50))
    async with watching(consul) as (_, heard):
        await until(lambda: len(consul.queries) == 4)
        assert [index for index, _ in consul.queries] == [0, 50, 0, 51]
        assert heard == [b"one"]


async def test_a_deletion_is_seen_once_the_leader_confirms_it() -> None:
    """And what is written afterwards."""
    consul = script(Answer(b"one", 5, 5), Answer(None, 7), Answer(None, 7), Answer(b"two", 9, 9))
    async with watching(consul) as (watcher, heard):
        await until(lambda: len(consul.queries) == 5)
        assert heard == [b"one", None, b"two"]
        assert [is_consistent for _, is_consistent in consul.queries[:4]] == [False, False, True, False]
        assert watcher.entry.index == 9


async def test_a_server_that_lags_takes_nothing_back() -> None:
    """After an error a server is read that has not heard of the newest value: the leader has."""
    consul = script(
        Answer(b"new", 9, 9),
        Answer(index=1, status=500),
        Answer(b"old", 6, 6),
        Answer(b"new", 9, 9),
        Answer(b"x", 10, 10),
    )
    async with watching(consul) as (_, heard):
        await until(lambda: len(consul.queries) == 6)
        assert heard == [b"new", b"x"]
        assert consul.queries[3] == (0, True)


async def test_without_a_leader_nothing_is_taken_back() -> None:
    """The second opinion fails: the first is not believed."""

    def respond(index: int, is_consistent: bool) -> Answer:
        if is_consistent:
            return Answer(status=500)
        return Answer(b"one", 5, 5) if len(consul.queries) == 1 else Answer(None, 6)

    consul = FakeKv(respond)
    async with watching(consul) as (watcher, heard):
        await until(lambda: len(consul.queries) > 6)
        assert heard == [b"one"]
        assert watcher.is_failing


async def test_an_index_that_goes_backwards_starts_the_watch_over() -> None:
    """A Consul without its old data counts anew, and its answer counts once its leader confirms it."""
    consul = script(Answer(b"one", 500, 500), Answer(b"two", 3, 3), Answer(b"two", 3, 3), Answer(b"two", 4, 3))
    async with watching(consul) as (_, heard):
        await until(lambda: len(consul.queries) == 5)
        assert heard == [b"one", b"two"]
        assert consul.queries == [(0, False), (500, False), (0, True), (0, False), (4, False)]


@pytest.mark.parametrize("answer", [Answer(b"a", 0, 1), Answer(b"a", None, 1), Answer(status=500)])
async def test_a_useless_answer_never_makes_the_loop_spin(answer: Answer) -> None:
    """Blocking on 0 does not block: the loop backs off instead."""
    consul = FakeKv(lambda index, is_consistent: answer)
    async with watching(consul):
        await asyncio.sleep(0.8)
        assert {index for index, _ in consul.queries} == {0}
        assert 2 <= len(consul.queries) < 40


async def test_a_busy_key_is_read_at_most_fifty_times_a_second() -> None:
    """An index that rises with every query must not take the processor with it."""
    count = iter(range(1, 1_000_000))
    consul = FakeKv(lambda index, is_consistent: Answer(b"a", number := next(count), number))
    async with watching(consul) as (_, heard):
        await asyncio.sleep(0.5)
        assert len(consul.queries) <= 27
        assert heard == [b"a"]


async def test_readiness_has_a_deadline_and_absence_is_an_answer() -> None:
    """Until then there is nothing to be read."""
    consul = script(Answer(None, 4, delay_s=0.2))
    async with watching(consul) as (watcher, heard):
        with pytest.raises(DeadlineError):
            await watcher.ready(0.05)
        assert not watcher.is_ready
        assert await watcher.ready(5) == KvEntry()
        assert heard == [None]


async def test_a_query_says_what_went_wrong() -> None:
    """Nobody there is one of the kit's errors."""
    async with KvQueries("http://127.0.0.1:1", "", 0.1) as queries:
        with pytest.raises(UnavailableError):
            await queries.value(KEY)


@pytest.mark.mesh
async def test_a_real_consul_is_followed_through_writes_deletion_and_loss_of_its_data(agent: Agent) -> None:
    """Written, rewritten, deleted, restarted, wiped: each is seen soon, and nothing else."""
    async with Discovery(settings(agent.address), CLOCK) as disco, ConsulClient(agent.address) as client:
        watcher = await disco.kv(KEY)
        assert await disco.kv(KEY) is watcher
        heard: list[bytes | None] = []
        assert (await watcher.ready(5)).value is None
        watcher.subscribe(lambda entry: heard.append(entry.value))
        await client.put(KEY, b"one")
        assert await until(lambda: heard == [None, b"one"]) < 1.0
        assert await client.put(KEY, b"two", if_index=watcher.entry.index)
        assert await until(lambda: heard[-1] == b"two") < 1.0
        await client.put(KEY + "/other", b"x")
        await agent.kill()
        await until(lambda: watcher.is_failing)
        assert watcher.entry.value == b"two"
        await agent.start()
        await until(lambda: not watcher.is_failing)
        assert heard == [None, b"one", b"two"]
        await client.delete(KEY)
        await until(lambda: heard[-1] is None)
        await client.put(KEY, b"three")
        await until(lambda: heard[-1] == b"three")
        await agent.kill(wipe=True)
        await agent.start()
        await until(lambda: heard[-1] is None, 20)
