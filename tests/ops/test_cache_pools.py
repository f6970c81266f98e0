"""Orders to whoever keeps the cache's pools, followed to their end."""

from __future__ import annotations

import json
import time
from typing import cast

import pytest

from discovery.consul import ConsulClient
from ops import cache_pools
from svc.webapp.cache.pools.follow import table_key
from svc.webapp.cache.pools.orders import Op, Order
from svc.webapp.cache.pools.status import status_key
from svc.webapp.cache.pools.table import Seat, Table

ORDER = Order("7", Op.REPLACE, "2")


class Kept:
    """What is in KV; the keeper's word comes one reading late."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._versions = [table.version - 1, table.version]

    async def get(self, key: str) -> tuple[bytes, int]:
        """Return a value of the pool main."""
        if key == table_key("main"):
            return self._table.dump(), 1
        assert key == status_key("main")
        version = self._versions.pop(0) if len(self._versions) > 1 else self._versions[0]
        return json.dumps({"version": version, "at": int(time.time()), "orders": []}).encode(), 1


async def test_an_order_is_done_when_the_pool_is_shown_as_it_has_become(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is written before the status, and who hears of the end looks at the status."""
    monkeypatch.setattr(cache_pools, "POLL_S", 0)
    consul = cast(ConsulClient, Kept(Table(5, {"2": Seat("127.0.0.1:1")}, done=(ORDER.id,))))
    states = [outcome.state async for outcome, _ in cache_pools.follow_order(consul, "main", ORDER)]
    assert states == ["running", "done"]
