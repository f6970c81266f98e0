"""The cache nodes of a mesh, for real: pools, seats, spares, and what happens to them while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.consul import ConsulClient
from ops.local.memcached import answers
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none

pytestmark = pytest.mark.mesh


async def registered(mesh: Mesh) -> dict[str, tuple[str, str, str]]:
    """Return pool, seat and health of each listed node."""
    found = await mesh.instances("memcached")
    return {each.name: (each.instance.tags[0], each.instance.meta.get("seat", ""), each.health) for each in found}


async def test_nodes_are_registered_for_pools_and_seats(tmp_path: Path) -> None:
    """Main and gutter have seats; spares wait for one."""
    wanted = MeshSpec(
        var=tmp_path / "var", counts=none(), graceful=False, memcached=2, memcached_gutter=1, memcached_spares=1
    )
    async with Mesh(wanted) as mesh, ConsulClient(mesh.consul_addr) as consul:
        assert await registered(mesh) == {
            "memcached-az1-1": ("pool:main", "1", "passing"),
            "memcached-az2-1": ("pool:main", "2", "passing"),
            "memcached-gutter-az1-1": ("pool:gutter", "1", "passing"),
            "memcached-spare-az1-1": ("pool:spare", "", "passing"),
        }
        zones = {each.name: each.instance.zone for each in await mesh.instances("memcached")}
        assert (zones["memcached-az1-1"], zones["memcached-az2-1"]) == ("az1", "az2")
        assert len(mesh.memcached_addrs) == 2
        name = await mesh.add_cache_node("main", "2")
        assert name == "memcached-az1-2"
        assert (await registered(mesh))[name] == ("pool:main", "2", "passing")
        await mesh.deregister_cache_node("memcached-az2-1")
        assert "memcached-az2-1" not in await registered(mesh)
        assert await answers(mesh.cache_address("memcached-az2-1"))
        await consul.put("parley/cache/pools/main", b"of the nodes of this mesh")
    async with Mesh(wanted) as mesh, ConsulClient(mesh.consul_addr) as consul:
        assert (await consul.get("parley/cache/pools/main"))[0] is None, "the next mesh has other ports"
