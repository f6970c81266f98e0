"""A primary and its replica, for real: started, copied, restarted, made anew."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pymysql
import pytest

from ops.local.errors import LocalError
from ops.local.mesh import Mesh
from tests.ops.database.pairs import pair

pytestmark = pytest.mark.mesh

TEXT = "a 'b' %s \\ 🦜"


async def test_a_replica_follows_and_takes_no_writes_of_the_application(tmp_path: Path) -> None:
    """Commits wait for it, and it is told apart by read_only, which the application's rights do not overrule."""
    async with pair(tmp_path) as found:
        async with asyncio.timeout(30):
            # A busy machine lets a commit of starting up time out, after which the replica is waited for again.
            while not (await found.status(found.primary)).semi_sync.holds:
                await asyncio.sleep(0.05)
            while not (await found.status(found.replica)).is_in_step:
                await asyncio.sleep(0.05)
        primary, replica = await found.status(found.primary), await found.status(found.replica)
        assert (primary.read_only, replica.read_only) == (False, True)
        assert primary.semi_sync.sure_s > 2.0
        topology = found.mesh.databases.topology
        assert topology is not None
        assert (topology.primary, topology.replicas) == (primary.address, (replica.address,))
        await found.query("INSERT INTO t VALUES (1)")
        with pytest.raises(pymysql.err.OperationalError, match="read-only"):
            await found.query("INSERT INTO t VALUES (2)", found.replica)
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            await found.query("SET GLOBAL read_only = 0", found.replica)


async def test_data_from_before_there_was_a_replica_is_copied_whole(tmp_path: Path) -> None:
    """Text, bytes, computed columns: whatever the tables hold. The new one follows from there."""
    table = "CREATE TABLE kept (id INT PRIMARY KEY, text VARCHAR(50), raw BLOB, twice INT AS (id * 2) STORED)"
    async with pair(tmp_path, replica=False) as alone:
        assert alone.mesh.databases.topology is None
        await alone.query(table)
        raw = "x'00ff2725'"
        await alone.query(f"INSERT INTO kept (id, text, raw) VALUES (7, %s, {raw}), (8, NULL, '')", args=(TEXT,))
    async with pair(tmp_path) as found:
        await found.query("INSERT INTO kept (id) VALUES (9)")
        await found.mesh.databases.fail_over(found.said.append)
        assert await found.query("SELECT * FROM kept") == [
            (7, TEXT, b"\0\xff'%", 14),
            (8, None, b"", 16),
            (9, None, None, 18),
        ]


async def test_roles_outlive_the_mesh_with_and_without_the_replica(tmp_path: Path) -> None:
    """Who was the primary is it again; what is written while the other is away reaches it later."""
    async with pair(tmp_path, graceful=True) as found:
        await found.query("INSERT INTO t VALUES (1)")
        await found.mesh.databases.fail_over(found.said.append)
        assert found.primary == "mariadb-2"
        await found.query("INSERT INTO t VALUES (2)")
        assert found.mesh.databases.topology is not None
        epoch = found.mesh.databases.topology.epoch
    async with pair(tmp_path, replica=False) as alone:
        assert alone.mesh.databases.names == ["mariadb-2"]
        await alone.query("INSERT INTO t VALUES (3)")
    async with pair(tmp_path) as found:
        assert found.primary == "mariadb-2"
        assert found.mesh.databases.topology is not None
        assert found.mesh.databases.topology.epoch == epoch + 2
        await found.applied({1, 2, 3})
        assert not any("made anew" in line for line in found.said)


async def test_either_server_restarted_is_back_in_its_role(tmp_path: Path) -> None:
    """With all that was acknowledged, and a pair again."""
    async with pair(tmp_path) as found:
        for name in (found.replica, found.primary):
            await found.query("REPLACE INTO t VALUES (1)")
            await found.mesh.kill(name)
            await found.mesh.start(name)
            await found.mesh.databases.paired()
        assert (found.primary, (await found.status("mariadb")).read_only) == ("mariadb", False)
        await found.applied({1})


async def test_a_lost_replica_is_alarming_within_seconds_and_its_return_ends_the_alarm(tmp_path: Path) -> None:
    """The first commit waits for the timeout, then replication goes on without it: silently, but for us."""
    async with pair(tmp_path) as found:
        await found.mesh.stop(found.replica)
        began = time.monotonic()
        await found.query("INSERT INTO t VALUES (1)")
        assert 2.0 < time.monotonic() - began < 4.5
        await found.heard("ALARM replica_away")
        await found.heard("ALARM semi_sync_off")
        assert time.monotonic() - began < 8.0
        await found.mesh.start(found.replica)
        await found.mesh.databases.paired()
        await found.heard("over: semi_sync_off")
        await found.heard("over: replica_away")
        await found.applied({1})


async def test_a_replica_with_writes_of_its_own_is_set_aside_and_made_anew(tmp_path: Path) -> None:
    """It would answer other things than the primary for ever."""
    async with pair(tmp_path) as found:
        await found.query("INSERT INTO t VALUES (1)")
        async with found.mesh.databases.node(found.replica).session() as session:
            await session.run("INSERT INTO parley_channel.t VALUES (666)")
        await found.mesh.stop(found.replica)
        await found.mesh.start(found.replica)
        await found.heard("made anew")
        await found.mesh.databases.paired()
        await found.applied({1})
        assert list(found.mesh.spec.var.glob("mariadb-2.aside-*"))


async def test_a_consul_that_lost_its_data_is_told_again_who_is_the_primary(tmp_path: Path) -> None:
    """Webapps that start afterwards need it."""
    async with pair(tmp_path) as found:
        await found.mesh.databases.fail_over(found.said.append)
        topology = found.mesh.databases.topology
        await found.mesh.stop("consul")
        found.mesh.wipe_consul()
        await found.mesh.start("consul")
        await found.mesh.databases.paired()
        assert found.mesh.databases.topology == topology
        await found.mesh.databases.fail_over(found.said.append)


async def test_a_broken_memory_of_roles_stops_the_start(tmp_path: Path) -> None:
    """Guessing which server has the newest data is how one loses it."""
    async with pair(tmp_path) as found:
        spec = found.mesh.spec
    (spec.var / "mariadb-roles.json").write_text("{")
    with pytest.raises(LocalError, match="newest data"):
        async with Mesh(spec):
            pytest.fail("it must not start")
