"""Pools of connections to a real MariaDB, through its restarts and hangs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pymysql
import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import (
    AlreadyExistsError,
    DeadlineError,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from svc.webapp.store.pools import Database, PoolLimits, Pools
from tests.svc.webapp.databases import DatabaseServer, migrated
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL

pytestmark = pytest.mark.mesh


def database(pools: Pools, limits: PoolLimits) -> Database:
    """Return another pool of the user keyspace."""
    return Database("user", pools.user.dsn, SystemClock(), limits)


async def test_reads_go_on_after_a_restart(own_mariadb: DatabaseServer) -> None:
    """A dead pooled connection is not the reader's concern; while nothing listens, he is told at once."""
    async with migrated(own_mariadb) as pools:
        await asyncio.gather(*(pools.user.rows("SELECT SLEEP(0.05)") for _ in range(4)))
        await own_mariadb.stop()
        with pytest.raises(UnavailableError):
            await pools.user.rows("SELECT 1")
        await own_mariadb.start()
        for _ in range(4):
            assert await pools.user.rows("SELECT 1") == ((1,),)
        assert await pools.user.execute("DELETE FROM tokens") == 0


async def test_a_statement_has_a_deadline_and_leaves_the_pool_whole(pools: Pools) -> None:
    """The connection that may still be busy is closed, not handed to the next."""
    slow = database(pools, PoolLimits(connections_max=1, statement_s=0.2))
    with pytest.raises(DeadlineError):
        await slow.rows("SELECT SLEEP(2)")
    assert await slow.rows("SELECT 1") == ((1,),)
    await slow.close()


async def test_a_cancelled_statement_leaves_the_pool_whole(pools: Pools) -> None:
    """The next reader must not get the answer to the question before."""
    single = database(pools, PoolLimits(connections_max=1))
    task = asyncio.ensure_future(single.rows("SELECT SLEEP(1), 'old'"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await single.rows("SELECT 'new'") == (("new",),)
    await single.close()


async def test_callers_queue_for_a_connection_bounded_in_time_and_number(pools: Pools) -> None:
    """One waits and gives up, the next is refused at once."""
    narrow = database(pools, PoolLimits(connections_max=1, waiting_max=1, acquire_s=0.2))
    busy = asyncio.ensure_future(narrow.rows("SELECT SLEEP(0.6)"))
    await asyncio.sleep(0.1)
    waiting = asyncio.ensure_future(narrow.rows("SELECT 1"))
    await asyncio.sleep(0.05)
    with pytest.raises(ResourceExhaustedError):
        await narrow.rows("SELECT 1")
    with pytest.raises(ResourceExhaustedError):
        await waiting
    await busy
    assert await narrow.rows("SELECT 1") == ((1,),)
    await narrow.close()


async def test_a_transaction_is_all_or_nothing(pools: Pools) -> None:
    """A block that fails leaves nothing, and no half-open connection."""
    statement = "INSERT INTO names (team_id, name, channel_id, reserved_s, confirmed) VALUES ('T', %s, 'C', 0, 0)"

    async def fail() -> None:
        async with pools.workspace.transaction() as transaction:
            await transaction.execute(statement, ("a",))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with pools.workspace.transaction() as transaction:
        await transaction.execute(statement, ("b",))
    assert await pools.workspace.rows("SELECT name FROM names") == (("b",),)


async def test_what_is_queued_goes_with_the_next_statement_and_ends_at_the_first_that_fails(pools: Pools) -> None:
    """In order, with nothing done behind the one that failed; what is in a literal separates no statements."""
    odd = "';\nDELETE FROM members;\n"
    row = "INSERT INTO members (channel_id, user_id, joined_us) VALUES (%s, %s, %s)"
    count = "SELECT %s, COUNT(*) FROM members"
    async with pools.channel.transaction() as transaction:
        transaction.queue(row, (CHANNEL, ALICE, 1))
        members, counted = await transaction.rows_of((("SELECT user_id FROM members", ()), (count, (odd,))))
        assert (list(members), list(counted)) == ([(ALICE,)], [(odd, 1)])
        transaction.queue(row, (CHANNEL, BOB, 1))
    assert list(await pools.channel.rows(count, ("",))) == [("", 2)]
    async with pools.channel.begun() as transaction:
        transaction.queue("DELETE FROM members WHERE user_id = %s", (BOB,))
        transaction.queue(row, (CHANNEL, ALICE, 1))
        transaction.queue(row, (CHANNEL, "U0000000009", 1))
        with pytest.raises(pymysql.err.IntegrityError):
            await transaction.flush()
        assert list(await transaction.rows("SELECT user_id FROM members")) == [(ALICE,)]
        await transaction.rollback()
        # The next is a transaction of its own.
        transaction.queue(row, (CHANNEL, "U0000000009", 1))
        await transaction.flush()
        await transaction.rollback()
    assert list(await pools.channel.rows(count, ("",))) == [("", 2)]


async def test_errors_have_the_kits_names(pools: Pools) -> None:
    """Duplicates, values that do not fit, and our own mistakes are told apart."""
    statement = "INSERT INTO names (team_id, name, channel_id, reserved_s, confirmed) VALUES ('T', %s, 'C', 0, 0)"
    await pools.workspace.execute(statement, ("a",))
    with pytest.raises(AlreadyExistsError):
        await pools.workspace.execute(statement, ("a",))
    with pytest.raises(InvalidArgumentError):
        await pools.workspace.execute(statement, ("x" * 81,))
    with pytest.raises(InvalidArgumentError):
        await pools.workspace.rows("SELECT 1 FROM names WHERE channel_id = %s", ("é",))
    with pytest.raises(InternalError):
        await pools.workspace.rows("SELEKT")


async def test_a_wrong_password_is_no_outage(pools: Pools) -> None:
    """It is a mistake of the operator's; and the password is in no message."""
    wrong = Database("user", replace(pools.user.dsn, password="s3cret"), SystemClock(), PoolLimits())
    with pytest.raises(InternalError) as caught:
        await wrong.rows("SELECT 1")
    assert "s3cret" not in f"{caught.value} {wrong.dsn!r}"
