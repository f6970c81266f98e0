"""The embedded servers of a mesh, for real: Consul, MariaDB and memcached as child processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
import pytest

from discovery.consul import ConsulClient
from ops.local import state
from ops.local.catalog import CatalogError
from ops.local.errors import AlreadyRunningError, PortTakenError, ProcessFailedError
from ops.local.memcached import answers
from ops.local.mesh import Mesh
from ops.local.ports import HOST
from ops.local.spec import MeshSpec, none

pytestmark = pytest.mark.mesh


def spec(folder: Path, **changes: object) -> MeshSpec:
    """Return a mesh of servers without tiers."""
    return MeshSpec(var=folder / "var", counts=none(), graceful=False, **changes)  # type: ignore[arg-type]


def query(dsn: str, *statements: str) -> tuple[tuple[object, ...], ...]:
    """Run statements in a keyspace; return the rows of the last."""
    parts = urlsplit(dsn)
    connection = pymysql.connect(  # type: ignore[no-untyped-call]
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=parts.path[1:],
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:  # type: ignore[no-untyped-call]
        for statement in statements:
            cursor.execute(statement)
        return tuple(cursor.fetchall())


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, 15 s at most."""
    deadline = time.monotonic() + 15
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    """A running mesh without tiers."""
    async with Mesh(spec(tmp_path)) as running:
        yield running


async def cache_nodes(mesh: Mesh) -> list[tuple[str, str]]:
    """Return the cache nodes that Consul lists, with their health; none while it is away."""
    try:
        return [(listed.name, listed.health) for listed in await mesh.instances("memcached")]
    except CatalogError:
        return []


async def test_every_server_answers_once_the_mesh_is_up(mesh: Mesh) -> None:
    """No waiting is left for whoever uses the mesh."""
    assert await cache_nodes(mesh) == [("memcached-az1-1", "passing")]
    assert await answers(mesh.memcached_addrs[0])
    for dsn in mesh.dsns.environ().values():
        assert query(dsn, "SELECT 1") == ((1,),)
    (encoding,) = query(mesh.dsns.channel, "SELECT @@character_set_database, @@innodb_flush_log_at_trx_commit")
    assert encoding == ("utf8mb4", 1)


async def test_the_state_file_tells_other_commands(mesh: Mesh) -> None:
    """They find the servers without being told."""
    found = state.load(mesh.spec.var)
    assert found is not None
    assert found.consul_addr == mesh.consul_addr
    assert found.dsns == mesh.dsns.environ()
    assert set(found.children) == {"consul", "mariadb", "memcached-az1-1"}


async def test_a_second_start_has_the_data_of_the_first(tmp_path: Path) -> None:
    """Rows and keys survive an orderly stop; only what ran is gone from Consul."""
    orderly = MeshSpec(var=tmp_path / "var", counts=none())
    async with Mesh(orderly) as mesh, ConsulClient(mesh.consul_addr) as consul:
        query(mesh.dsns.user, "CREATE TABLE t (n INT)", "INSERT INTO t VALUES (7)")
        await consul.put("weights/az1", b"50")
        processes = [process for name in mesh.names() if (process := mesh.process(name))]
    assert not any(process.is_running for process in processes)
    began = time.monotonic()
    async with Mesh(orderly) as mesh, ConsulClient(mesh.consul_addr) as consul:
        assert time.monotonic() - began < 10
        assert query(mesh.dsns.user, "SELECT n FROM t") == ((7,),)
        assert (await consul.get("weights/az1"))[0] == b"50"


async def test_a_killed_mesh_comes_back_with_its_data(tmp_path: Path) -> None:
    """Nothing that was committed is lost when everything dies at once."""
    async with Mesh(spec(tmp_path)) as mesh:
        query(mesh.dsns.channel, "CREATE TABLE t (n INT)", "INSERT INTO t VALUES (9)")
    async with Mesh(spec(tmp_path)) as mesh:
        assert query(mesh.dsns.channel, "SELECT n FROM t") == ((9,),)
        assert await cache_nodes(mesh) == [("memcached-az1-1", "passing")]


async def test_a_killed_database_is_back_with_its_data(mesh: Mesh) -> None:
    """Crash recovery, on the port that everybody knows."""
    query(mesh.dsns.channel, "CREATE TABLE t (n INT)", "INSERT INTO t VALUES (1)")
    await mesh.kill("mariadb")
    with pytest.raises(pymysql.OperationalError):
        query(mesh.dsns.channel, "SELECT 1")
    await mesh.start("mariadb")
    assert query(mesh.dsns.channel, "SELECT n FROM t") == ((1,),)


async def test_a_consul_that_lost_its_data_gets_the_cache_nodes_back(mesh: Mesh) -> None:
    """Registrations come back by themselves, within seconds."""
    await mesh.stop("consul")
    mesh.wipe_consul()
    await mesh.start("consul")

    async def listed() -> bool:
        return await cache_nodes(mesh) == [("memcached-az1-1", "passing")]

    await eventually(listed)


async def test_a_stopped_cache_node_stays_listed_as_failing(mesh: Mesh) -> None:
    """Its pool can tell a node that is down from one that is gone."""
    await mesh.stop("memcached-az1-1")

    async def failing() -> bool:
        return await cache_nodes(mesh) == [("memcached-az1-1", "critical")]

    await eventually(failing)
    await mesh.start("memcached-az1-1")

    async def passing() -> bool:
        return await cache_nodes(mesh) == [("memcached-az1-1", "passing")]

    await eventually(passing)


async def test_a_half_made_data_folder_is_made_again(tmp_path: Path) -> None:
    """A first start that was killed leaves something that the next one clears away."""
    half = tmp_path / "var" / "mariadb.half"
    half.mkdir(parents=True)
    (half / "ibdata1").write_bytes(b"half a file")
    async with Mesh(spec(tmp_path)) as mesh:
        assert query(mesh.dsns.user, "SELECT 1") == ((1,),)
    assert not half.exists()


async def test_a_second_mesh_on_the_same_folder_is_refused(mesh: Mesh) -> None:
    """Two MariaDBs on one data folder would be the end of it."""
    with pytest.raises(AlreadyRunningError) as caught:
        async with Mesh(mesh.spec):
            pytest.fail("it must not start")
    assert caught.value.pid == os.getpid()
    assert state.load(mesh.spec.var) is not None


async def test_two_meshes_run_side_by_side(mesh: Mesh, tmp_path: Path) -> None:
    """Own folders and free ports are all that it takes."""
    async with Mesh(spec(tmp_path / "other")) as other:
        assert other.consul_addr != mesh.consul_addr
        assert other.secret != mesh.secret
        assert query(other.dsns.user, "SELECT 1") == ((1,),)


async def test_a_taken_port_stops_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    """The message names who has it; nothing was started that would have to be stopped."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"pid {os.getpid()}"):
            async with Mesh(spec(tmp_path, consul_port=port)):
                pytest.fail("it must not start")
    assert state.load(tmp_path / "var") is None
    assert not state.is_locked(tmp_path / "var")


async def test_a_failing_tier_fails_the_start_with_its_log_and_stops_the_rest(tmp_path: Path) -> None:
    """Wrong settings are shown at once, and no server is left running."""
    wrong = MeshSpec(
        var=tmp_path / "var",
        counts=none(channel=1),
        graceful=False,
        tier_environ={"channel": {"PARLEY_GRPC_PORT": "no number"}},
    )
    mesh = Mesh(wrong)
    with pytest.raises(ProcessFailedError, match=r"channel-az1-1 ended with code 2.*\n.*PARLEY_GRPC_PORT"):
        async with mesh:
            pytest.fail("it must not start")
    assert all(mesh.process(name) is None for name in mesh.names())


async def test_a_hung_server_is_not_a_dead_one(mesh: Mesh) -> None:
    """SIGSTOP is how tests make a server hang; it goes on afterwards."""
    await mesh.kill("memcached-az1-1", signal.SIGSTOP)
    assert not await answers(mesh.memcached_addrs[0])
    await mesh.kill("memcached-az1-1", signal.SIGCONT)
    assert await answers(mesh.memcached_addrs[0])


async def test_servers_that_run_elsewhere_are_used_as_they_are(mesh: Mesh, tmp_path: Path) -> None:
    """A mesh on external servers starts none, and takes its cache nodes out of Consul when it ends."""
    outside = MeshSpec(
        var=tmp_path / "outside",
        counts=none(),
        consul_addr=mesh.consul_addr,
        dsns=mesh.dsns,
        memcached_addrs=mesh.memcached_addrs,
    )
    async with Mesh(outside) as guest:
        assert guest.names() == []
        assert ("memcached-external-1", "passing") in await cache_nodes(guest)
    assert await cache_nodes(mesh) == [("memcached-az1-1", "passing")]
