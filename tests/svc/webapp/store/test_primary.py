"""Another primary while webapps run: two real MariaDBs, and what Consul's KV says of them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from discovery.consul import ConsulClient
from discovery.front import Discovery
from discovery.kv import KvEntry
from ops.database.roles import become_primary
from svc.kit.clock import SystemClock
from svc.kit.errors import ParleyError, ResourceExhaustedError, UnavailableError
from svc.webapp.commit.committer import Committer, run_committer
from svc.webapp.commit.log import OutcomeUnknownError
from svc.webapp.migrate import migrate
from svc.webapp.store.follow import Follower, followed
from svc.webapp.store.pools import Database, Pools, open_pools
from svc.webapp.store.topology import Topology, key_of
from tests.discovery.agents import Agent, settings, until
from tests.svc.webapp.store.pair import Pair, pair
from tests.svc.webapp.writes import CHANNEL, post

pytestmark = pytest.mark.mesh

HEALED_S = 1.0
"""Within what of the news writes must succeed again."""
INSERT = "INSERT INTO names (team_id, name, channel_id, reserved_s, confirmed) VALUES ('T', %s, 'C', 0, 0)"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Pair]:
    """A pair that the test may hurt."""
    async with pair(tmp_path) as found:
        yield found


@pytest.fixture
async def pools(both: Pair) -> AsyncIterator[Pools]:
    """Migrated pools that go by the settings alone."""
    async with open_pools(both.first.dsns, SystemClock()) as found:
        await migrate(found)
        await both.caught_up()
        yield found


def news(topology: Topology) -> KvEntry:
    """Return what the KV would hold."""
    value = {"epoch": topology.epoch, "primary": topology.primary, "replicas": list(topology.replicas)}
    return KvEntry(json.dumps(value).encode(), topology.epoch)


async def healed(write: Callable[[], Awaitable[object]], timeout_s: float = 5.0) -> float:
    """Try until a write succeeds; return how long it took. Anything but UnavailableError is a mistake."""
    began = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                await write()
            except UnavailableError:
                await asyncio.sleep(0.02)
            else:
                return time.monotonic() - began


def inserts(database: Database) -> Callable[[], Awaitable[object]]:
    """Return a write that is another one each time."""
    names = iter(range(1_000_000))
    return lambda: database.execute(INSERT, (f"n{next(names)}",))


async def test_an_ordered_switch_heals_within_a_second(both: Pair, pools: Pools) -> None:
    """While the old one is shut writes are UnavailableError; with the news they go to the new one."""
    database = pools.workspace
    follower, write = Follower(database), inserts(database)
    follower.take(news(both.topology()))
    await write()
    await both.swap()
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await write()
    follower.take(news(both.topology(2)))
    assert await healed(write) < HEALED_S
    assert await database.rows("SELECT @@port") == ((int(both.second.address.rpartition(":")[2]),),)
    assert (database.dsn.user, database.dsn.database) == ("parley", "parley_workspace")


async def test_a_write_to_a_server_that_became_read_only_is_unavailable(both: Pair, pools: Pools) -> None:
    """On a connection that is open, which nobody cut: 1290, in a transaction and without; reads go on."""
    database = pools.workspace
    write = inserts(database)
    await write()
    await both.first.run("SET GLOBAL read_only = 1")
    with pytest.raises(UnavailableError):
        await write()
    with pytest.raises(UnavailableError):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT, ("x",))
    assert await database.rows("SELECT COUNT(*) FROM names") == ((1,),)
    await both.first.run("SET GLOBAL read_only = 0")
    await write()


async def test_a_server_that_may_not_write_is_not_believed_to_be_the_primary(both: Pair, pools: Pools) -> None:
    """The news may come before the server is ready: not even reads, which would be of the past, go there."""
    database = pools.workspace
    follower = Follower(database)
    follower.take(news(both.topology(2)))
    with pytest.raises(UnavailableError, match="read only"):
        await database.rows("SELECT 1")
    await both.swap()
    assert await healed(inserts(database)) < HEALED_S


async def test_a_switch_from_a_hung_server_heals_within_a_second(both: Pair, pools: Pools) -> None:
    """Statements under way on it, connections being made to it and idle ones are all let go."""
    database = pools.workspace
    follower, write = Follower(database), inserts(database)
    follower.take(news(both.topology()))
    await asyncio.gather(*(write() for _ in range(4)))
    await both.caught_up()
    await both.first.freeze()
    stuck = [asyncio.ensure_future(write()) for _ in range(database.limits.connections_max * 2)]
    await asyncio.sleep(0.2)
    await become_primary(both.second.node, has_replica=False)
    follower.take(news(both.topology(2)))
    assert await healed(write) < HEALED_S
    done, waiting = await asyncio.wait(stuck, timeout=1.0)
    assert not waiting
    # Whoever was in the middle is told so, who waited for too long was shed; the others wrote to the new one.
    outcomes = {type(task.exception()) for task in done}
    assert outcomes <= {type(None), UnavailableError, ResourceExhaustedError}
    assert {type(None), UnavailableError} <= outcomes


async def test_old_news_and_nonsense_change_nothing(both: Pair, pools: Pools, caplog: pytest.LogCaptureFixture) -> None:
    """A lower epoch, a second primary in the same one, what is no topology, and a key that is gone."""
    database = pools.workspace
    follower = Follower(database)
    follower.take(KvEntry())
    assert follower.known is None
    follower.take(news(both.topology(3)))
    for entry in (news(both.topology(2)), news(Topology(3, both.second.address)), KvEntry(b"{", 9), KvEntry()):
        follower.take(entry)
        assert follower.known == both.topology(3)
    await inserts(database)()
    assert "two primaries" in caplog.text
    assert "is gone from Consul" in caplog.text


@dataclass
class Poster:
    """Posts one after the other, each with a request id of its own, and remembers what came of them."""

    committer: Committer
    name: str
    answered: dict[str, int] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    wrong: list[ParleyError] = field(default_factory=list)
    last_at: float = 0.0
    is_over: bool = False

    async def run(self) -> None:
        """Post until it is over."""
        number = 0
        while not self.is_over:
            text, number = f"{self.name}-{number}", number + 1
            # Every other one without a request id: it must never be written twice.
            request_id = text if number % 2 else ""
            try:
                committed = await self.committer.commit(post(CHANNEL, text, request_id))
                self.answered[text] = committed.places[0].offset
                self.last_at = time.monotonic()
            except OutcomeUnknownError:
                self.unknown.add(text)
            except UnavailableError:
                await asyncio.sleep(0.02)
            except ParleyError as error:
                self.wrong.append(error)


@pytest.mark.parametrize("how", ["shut", "killed"])
async def test_no_acked_post_is_lost_by_a_switch(both: Pair, pools: Pools, how: str) -> None:
    """Posts go on through it; what was answered is there once, what failed said so, and no offset is missing."""
    database = pools.channel
    follower = Follower(database)
    follower.take(news(both.topology()))
    async with run_committer(database, lambda _: None, SystemClock(), random.Random(1)) as committer:
        posters = [Poster(committer, f"p{number}") for number in range(4)]
        running = [asyncio.ensure_future(poster.run()) for poster in posters]
        await asyncio.sleep(1.0)
        await take_over(both, how)
        follower.take(news(both.topology(2)))
        told_at = time.monotonic()
        await asyncio.sleep(1.5)
        for poster in posters:
            poster.is_over = True
        await asyncio.gather(*running)
    rows = await database.rows("SELECT text, `offset` FROM messages WHERE channel_id = %s", (CHANNEL,))
    written = {str(text): int(offset) for text, offset in rows}
    assert len(written) == len(rows), "something was written twice"
    assert sorted(written.values()) == list(range(1, len(rows) + 1))
    for poster in posters:
        assert not poster.wrong
        assert poster.answered.items() <= written.items()
        assert poster.last_at > told_at + 1.0
    assert sum(len(poster.answered) for poster in posters) > 100


async def take_over(both: Pair, how: str) -> None:
    """Make the second the primary."""
    if how == "shut":
        await both.swap()
        return
    await both.first.kill()
    # What it received is applied before it is asked for more.
    async with asyncio.timeout(5.0):
        while await applying(both):
            await asyncio.sleep(0.02)
    await become_primary(both.second.node, has_replica=False)


async def applying(both: Pair) -> bool:
    """Tell whether the second has yet to apply something that it has."""
    async with both.second.node.session() as session:
        (status,) = await session.rows("SHOW SLAVE STATUS")
        return bool(status["Gtid_IO_Pos"] != await session.value("@@global.gtid_slave_pos"))


async def test_the_pools_follow_consul(both: Pair, pools: Pools, tmp_path: Path) -> None:
    """A real agent: the first value is known before the first request, the next one heals within a second."""
    agent = Agent(tmp_path / "agent")
    await agent.start()
    try:
        async with ConsulClient(agent.address) as consul, Discovery(settings(agent.address), SystemClock()) as disco:
            # The settings are of the second, which is wrong and read only.
            async with open_pools(both.second.dsns, SystemClock()) as mine:
                for keyspace in ("workspace", "channel", "user"):
                    await consul.put(key_of(keyspace), news(both.topology()).value or b"")
                async with followed(mine, disco.kv):
                    write = inserts(mine.workspace)
                    await write()
                    await until(lambda: mine.workspace.settled_us > 0)
                    await both.swap()
                    await consul.put(key_of("workspace"), news(both.topology(2)).value or b"")
                    assert await healed(write) < HEALED_S
                    assert mine.channel.dsn.port != mine.workspace.dsn.port
    finally:
        await agent.close()


async def test_without_consul_a_start_goes_by_its_settings(both: Pair, pools: Pools) -> None:
    """After a moment of waiting."""
    async with Discovery(settings("127.0.0.1:1"), SystemClock()) as disco:
        began = time.monotonic()
        async with followed(pools, disco.kv):
            assert time.monotonic() - began < 3.0
            await inserts(pools.workspace)()
