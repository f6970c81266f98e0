"""Changing places, for real and under writes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from discovery.consul import ConsulClient
from ops.database.directory import Directory
from ops.database.failover import Failover, FailoverError, plan
from ops.database.risks import Danger
from ops.database.topology import KEYSPACES
from tests.ops.database.pairs import Pair, eventually, pair, writer

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

QUICK_S = 5.0
"""Half of what is promised; it takes a tenth of a second here."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """A pair that all tests here break and mend: each begins with both servers in order and an empty table."""
    async with pair(tmp_path_factory.mktemp("pair")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def found(running: Pair) -> Pair:
    """The pair, in order."""
    for name in running.mesh.databases.names:
        if running.mesh.process(name) is None:
            await running.mesh.start(name)
    await running.mesh.databases.paired()
    await running.query("DELETE FROM t")
    running.said.clear()
    return running


async def refusal(found: Pair, *, force: bool = False) -> FailoverError | None:
    """Try a failover as the command does; return why it was refused, None when it was done."""
    credentials = found.mesh.databases.credentials
    assert credentials is not None
    async with ConsulClient(found.mesh.consul_addr) as consul:
        directory = Directory(consul)
        try:
            planned = await plan(directory, credentials, KEYSPACES)
            done = await Failover(directory, credentials, planned, found.said.append).run(force=force)
        except FailoverError as error:
            return error
    await eventually(lambda: found.mesh.databases.topology == done.topology, "the mesh did not hear of it")
    return None


async def test_five_primaries_die_under_writes_and_nothing_acknowledged_is_lost(found: Pair) -> None:
    """Each replica takes over at once; each dead one comes back as the replica, without being made anew."""
    async with writer(found) as acked:
        for turn in range(5):
            before = len(acked)
            await eventually(lambda before=before: len(acked) > before + 100, "nobody writes")  # type: ignore[misc]
            old = found.primary
            await found.mesh.kill(old)
            assert (await found.mesh.databases.fail_over(found.said.append)).took_s < QUICK_S
            assert found.primary != old, turn
            await found.mesh.start(old)
            await found.mesh.databases.paired()
        written = set(acked)
        assert written <= await found.numbers()
        await found.applied(written)
        assert not any("made anew" in line for line in found.said)


async def test_a_planned_change_under_writes_loses_nothing_either(found: Pair) -> None:
    """The old primary is fenced, waited for, and follows: commits are on two servers all the time."""
    async with writer(found) as acked:
        for _ in range(4):
            before = len(acked)
            await eventually(lambda before=before: len(acked) > before + 100, "nobody writes")  # type: ignore[misc]
            assert (await found.mesh.databases.fail_over(found.said.append)).took_s < QUICK_S
            await found.mesh.databases.paired()
        assert set(acked) <= await found.numbers()
        assert not any("semi_sync_off" in line for line in found.said)


async def test_what_was_never_acknowledged_is_no_hindrance_for_the_dead_primary(found: Pair) -> None:
    """A commit that waited for the replica when its primary died is cut from the log that comes back."""
    await found.query("INSERT INTO t VALUES (1)")
    async with found.mesh.databases.node(found.replica).session() as session:
        await session.run("STOP SLAVE IO_THREAD")
    waiting = asyncio.ensure_future(found.query("INSERT INTO t VALUES (2)"))
    await eventually(lambda: any("replication_stopped" in line for line in found.said), "no alarm")
    old = found.primary
    await found.mesh.kill(old)
    await asyncio.wait([waiting])
    assert waiting.exception() is not None, "nobody may have been told that it is stored"
    await found.mesh.databases.fail_over(found.said.append)
    await found.mesh.start(old)
    await found.mesh.databases.paired()
    assert await found.numbers(old) == {1}
    assert not any("made anew" in line for line in found.said)


async def test_a_primary_that_died_alone_is_not_replaced_without_force(found: Pair) -> None:
    """Its replica lacks what was acknowledged meanwhile: said, refused, and with --force kept on the side."""
    old, new = found.primary, found.replica
    await found.mesh.stop(new)
    await found.query("INSERT INTO t VALUES (1)")
    await found.heard("ALARM semi_sync_off")
    await found.mesh.kill(old)
    await found.heard("ALARM primary_away")
    await found.mesh.start(new)
    error = await refusal(found)
    assert error is not None
    assert Danger.UNREPLICATED in {risk.danger for risk in error.risks}
    assert "semi-synchronous replication was off" in str(error)
    assert await refusal(found, force=True) is None
    assert await found.numbers(new) == set()
    await found.mesh.start(old)
    await found.heard(f"{old}: its data is kept in")
    await found.mesh.databases.paired()
    assert await found.numbers(old) == set()


async def test_a_hung_primary_is_not_replaced_without_force(found: Pair) -> None:
    """It may go on, and take writes that the new one never hears of."""
    await found.mesh.kill(found.primary, signal.SIGSTOP)
    error = await refusal(found)
    await found.mesh.kill(found.primary, signal.SIGCONT)
    assert error is not None
    assert {risk.danger for risk in error.risks} == {Danger.NOT_KNOWN_DEAD}
    await found.query("INSERT INTO t VALUES (1)")


@pytest.mark.parametrize("is_dead", [True, False])
async def test_of_two_failovers_at_once_one_is_done(found: Pair, is_dead: bool) -> None:
    """The other finds the turn taken, or the topology changed, and has touched nothing: neither fence nor replica."""
    new = found.replica
    if is_dead:
        await found.mesh.kill(found.primary)
    ended = await asyncio.gather(refusal(found), refusal(found))
    assert sorted(error is None for error in ended) == [False, True], ended
    assert found.primary == new
    assert not any("put" in line for line in found.said)
    await found.query("INSERT INTO t VALUES (1)")


async def test_a_primary_that_cannot_be_caught_up_with_goes_on(found: Pair) -> None:
    """The fence is taken down again when the replica does not get there in time."""
    async with found.mesh.databases.node(found.replica).session() as session:
        await session.run("STOP SLAVE SQL_THREAD")
    await found.query("INSERT INTO t VALUES (1)")
    error = await refusal(found)
    assert error is not None
    assert {risk.danger for risk in error.risks} == {Danger.CANNOT_APPLY}
    await found.query("INSERT INTO t VALUES (2)")
    async with found.mesh.databases.node(found.replica).session() as session:
        await session.run("START SLAVE SQL_THREAD")
        await session.rows("SELECT GET_LOCK('x', 0)")
    assert await refusal(found) is None


async def test_what_cannot_be_done_is_said_before_anything_is_touched(found: Pair) -> None:
    """Keyspaces of one server move together; the target must be a replica."""
    async with ConsulClient(found.mesh.consul_addr) as consul:
        credentials = found.mesh.databases.credentials
        assert credentials is not None
        directory = Directory(consul)
        with pytest.raises(FailoverError, match="only move together"):
            await plan(directory, credentials, ("channel",))
        with pytest.raises(FailoverError, match="no replica of"):
            await plan(directory, credentials, KEYSPACES, "10.0.0.9:3306")
        primary = found.mesh.databases.node(found.primary).address
        with pytest.raises(FailoverError, match="is the primary already"):
            await plan(directory, credentials, KEYSPACES, primary)
        await found.mesh.stop(found.replica)
        with pytest.raises(FailoverError, match="cannot take over"):
            await plan(directory, credentials, KEYSPACES)
        await consul.delete("parley/mysql/", recurse=True)
        with pytest.raises(FailoverError, match="does not say"):
            await plan(directory, credentials, KEYSPACES)
