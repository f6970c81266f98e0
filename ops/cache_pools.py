"""The cache pools as `parley cache` sees them: what is in Consul, and orders to whoever keeps the pools.

Nothing here changes a pool. An order is written to Consul, and the keeper, one of the webapps, carries it out.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from discovery.consul import ConsulClient
from discovery.view import Instance, service_name
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.pools.follow import SERVICE, SPARE, pool_of, seat_of, table_key
from svc.webapp.cache.pools.keeper import ORDERS, TABLES
from svc.webapp.cache.pools.orders import Order, Outcome
from svc.webapp.cache.pools.stats import read_all
from svc.webapp.cache.pools.status import status_key
from svc.webapp.cache.pools.table import Table, listed_table, parse_table
from svc.webapp.cache.pools.view import PoolRoutes, PoolRoutesView
from svc.webapp.cache.routes.build import build
from svc.webapp.cache.routes.config import DEFAULT_FILE, parse, read_file
from svc.webapp.cache.routes.reload import ROUTES_KEY
from svc.webapp.cache.routes.route import Explained, Found, Step, Sum, Undelivered

FRESH_S = 15
"""A keeper says how things are every two seconds; after this many without a word there is none."""
POLL_S = 0.5
NAMES_MAX = 20
"""Nodes named in an error; a fleet has more."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool: its table (of version 0: what Consul lists), and what its keeper last said."""

    name: str
    table: Table
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        """Whether a keeper has spoken lately."""
        return time.time() - float(self.said.get("at", 0)) < FRESH_S


async def read_nodes(consul: ConsulClient) -> tuple[Instance, ...]:
    """Return the healthy memcached nodes. Raises ParleyError."""
    return (await consul.health.passing(service_name(SERVICE))).instances


async def read_pools(consul: ConsulClient, nodes: Iterable[Instance]) -> dict[str, Pool]:
    """Return every pool that has a table or a node, by name. Raises ParleyError, TableError."""
    tables = {key.removeprefix(TABLES): parse_table(value) for key, value in (await consul.list_keys(TABLES)).items()}
    listed: dict[str, list[tuple[str, str]]] = {}
    for node in nodes:
        listed.setdefault(pool_of(node), []).append((seat_of(node), node.address))
    names = (tables.keys() | listed.keys()) - {"", SPARE}
    return {
        name: Pool(name, tables.get(name) or listed_table(listed[name]), await _said(consul, name))
        for name in sorted(names, key=lambda name: (name != "main", name))
    }


async def _said(consul: ConsulClient, pool: str) -> Mapping[str, Any]:
    value, _ = await consul.get(status_key(pool))
    try:
        said = json.loads(value or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


async def describe(pool: Pool) -> dict[str, Any]:
    """Return a pool as programs see it: what its keeper said or, without one, what its nodes say."""
    if pool.is_kept:
        return {**pool.said, "kept": True}
    stats = await read_all(pool.table.addresses)
    seats = []
    for name, seat in sorted(pool.table.seats.items()):
        said = stats.get(seat.node)
        node = {
            "address": seat.node,
            "id": "",
            "state": "ok" if said else "silent",
            "items": said.items if said else None,
            "used_bytes": said.used_bytes if said else None,
            "limit_bytes": said.limit_bytes if said else None,
            "hit_rate": None,
            "gets_s": None,
        }
        seats.append({"seat": name, "mode": seat.mode.value, "state": node["state"], "why": seat.why, "node": node})
    return {"pool": pool.name, "kept": False, "keeper": "", "version": pool.table.version, "seats": seats}


def find_node(given: str, nodes: Iterable[Instance]) -> str:
    """Return the address of a node given by address or by its id in Consul. Raises LookupError with those there are."""
    known = {node.id: node.address for node in nodes}
    if given in known:
        return known[given]
    if ":" in given:
        return given
    names = ", ".join(sorted(known)[:NAMES_MAX]) or "no node at all"
    raise LookupError(f"Consul lists no healthy node {given!r}; it lists {names}, and host:port is understood as well.")


async def give(consul: ConsulClient, pool: str, order: Order) -> None:
    """Give an order to the keeper. Raises ParleyError."""
    await consul.put(f"{ORDERS}{pool}/{order.id}", order.dump())


async def follow_order(
    consul: ConsulClient, pool: str, order: Order
) -> AsyncIterator[tuple[Outcome, Mapping[str, Any]]]:
    """Yield how an order stands, with the pool's status, whenever either changes, until it is final."""
    last: object = None
    while True:
        said = await _said(consul, pool)
        outcome = next((Outcome(**each) for each in said.get("orders", ()) if each["id"] == order.id), None)
        if outcome is None:
            value, _ = await consul.get(table_key(pool))
            outcome = _by_table(order, parse_table(value) if value is not None else Table(), said)
        if (outcome, said.get("at")) != last:
            last = outcome, said.get("at")
            yield outcome, said
        if outcome.is_final:
            return
        await asyncio.sleep(POLL_S)


def _by_table(order: Order, table: Table, said: Mapping[str, Any]) -> Outcome:
    """Return how an order stands of which the keeper has not spoken. It writes the table first: what it has said by
    then is of before, and whoever is told that an order is done may look at the pool next.
    """
    if order.id not in table.done:
        return Outcome(order.id, "waiting", "waits for the keeper")
    is_told = int(said.get("version", 0)) >= table.version
    if is_told or not Pool(order.id, table, said).is_kept:
        return Outcome(order.id, "done", "")
    return Outcome(order.id, "running", "the keeper is about to say how the pool is")


class _Named:
    """Stands for a node where a way is only described."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def get(self, keys: Any, lease_s: int) -> list[Found | None]:
        return [None] * len(keys)

    async def delete(self, keys: Any, stale_s: int) -> Undelivered:
        return {}

    async def add(self, key: str, step: Step) -> Sum | None:
        return None

    def explain(self, key: str) -> Explained:
        return Explained("node", self._address)


class _TablePools:
    """`routes.pool.Pools` of tables that were read once."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._routes = {name: PoolRoutes(name) for name in pools}
        for name, pool in pools.items():
            self._routes[name].update(pool.table, {each: _Named(each) for each in pool.table.addresses})

    async def follow(self, names: Iterable[str]) -> None:
        """All are known."""

    def view(self, name: str, *, warm_up: bool) -> PoolRoutesView:
        """Return a pool; one that nobody has registered for has no seats."""
        return self._routes.setdefault(name, PoolRoutes(name)).view(warm_up=warm_up)


async def explain(consul: ConsulClient, pools: Mapping[str, Pool], key: str) -> Explained:
    """Return which way a key takes by the configuration and the tables in Consul. Raises ParleyError, RoutesError."""
    value, _ = await consul.get(ROUTES_KEY)
    config = parse(value) if value is not None else read_file(DEFAULT_FILE)
    async with Tasks("nothing", 1) as tasks:
        return build(config.routes, _TablePools(pools), tasks).explain(key)
