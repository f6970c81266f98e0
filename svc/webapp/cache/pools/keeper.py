"""The shell around pool control: whoever holds a lock in Consul looks at the pools once a second, and acts.

Runs in every webapp. The lock belongs to a Consul session, so that a keeper that dies is followed by another within
twelve seconds, and one that stops is at once. Nobody depends on there being one keeper: what two do at once is decided
by compare-and-set, and while there is none, or no Consul, the pools stay as they are.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress

from opentelemetry import metrics

from discovery.consul import ConsulClient
from discovery.watcher import ServiceWatcher
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.webapp.cache.pools.control import Control
from svc.webapp.cache.pools.follow import SPARE, FollowedPools, pool_of, seat_of, table_key
from svc.webapp.cache.pools.orders import Order, OrderError, parse_order
from svc.webapp.cache.pools.rates import HitRates
from svc.webapp.cache.pools.stats import NodeStats, empty, read_all
from svc.webapp.cache.pools.status import status, status_key
from svc.webapp.cache.pools.steps import Seen
from svc.webapp.cache.pools.table import Table, TableError, parse_table

__all__ = ["KEEPER_KEY", "ORDERS", "TABLES", "Keeper"]

log = logging.getLogger(__name__)

TABLES = "parley/cache/pools/"
ORDERS = "parley/cache/orders/"
KEEPER_KEY = "parley/cache/keeper"
SESSION_TTL_S = 10
"""The shortest that Consul allows; it may take twice as long to notice."""
HOLD_S = 3.0
"""How often the session is renewed and the lock asked for."""
LOOK_S = 1.0
"""How often the keeper looks; each time every node is asked once."""
STATUS_S = 2.0
POOLS_MAX = 8
ROUNDS_MAX = 8
"""Steps of one pool in one look; one that is given more to do than that has the rest a second later."""
DEADLINE_S = 2.0


class Keeper:
    """The keeper of all pools, or whoever would be next. `run` is its loop; give it to `lifecycle.background`."""

    def __init__(
        self,
        consul: ConsulClient,
        nodes: ServiceWatcher,
        pools: FollowedPools,
        instance_id: str,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        """`nodes`: the watcher of `follow.SERVICE`. `pools`: what this process follows, and so remembers.

        `instance_id` is what people see as the keeper's name.
        """
        self._consul = consul
        self._nodes = nodes
        self._pools = pools
        self._name = instance_id
        self._clock = clock
        self._rng = rng
        self._session = ""
        self._held_at = -HOLD_S
        self._is_keeper = False
        self._controls: dict[str, Control] = {}
        self._tables: dict[str, Table] = {}
        self._rates = HitRates()
        self._told_at: dict[str, float] = {}
        meter = metrics.get_meter(__name__)
        self._changes = meter.create_counter("parley.webapp.cache.pool.changes", description="tables written, by pool")
        self._hit_rate = meter.create_gauge(
            "parley.webapp.cache.pool.hit_rate", description="of the last 10 s, by pool"
        )

    @property
    def is_keeper(self) -> bool:
        """Whether this process decides now."""
        return self._is_keeper

    async def run(self) -> None:
        """Keep the pools, or wait for it, until cancelled."""
        try:
            while True:
                try:
                    await self._turn()
                except ParleyError as error:
                    log.log(
                        logging.WARNING if self._is_keeper else logging.DEBUG, "cache pools stay as they are: %s", error
                    )
                    self._held_at = -HOLD_S
                await self._clock.sleep(LOOK_S * self._rng.uniform(0.9, 1.1))
        finally:
            with suppress(ParleyError):
                if self._session:
                    await self._consul.destroy_session(self._session)

    async def _turn(self) -> None:
        if self._clock.now() - self._held_at >= HOLD_S:
            self._is_keeper, was_keeper = await self._hold(), self._is_keeper
            self._held_at = self._clock.now()
            if self._is_keeper and not was_keeper:
                log.info("%s keeps the cache pools", self._name)
        if self._is_keeper:
            await self._look()

    async def _hold(self) -> bool:
        """Return whether the lock is ours, with a session that is alive."""
        if not self._session or not await self._consul.renew_session(self._session):
            self._session = await self._consul.create_session("parley cache keeper", SESSION_TTL_S)
        return await self._consul.put(KEEPER_KEY, self._name.encode(), session_id=self._session)

    async def _look(self) -> None:
        """Look at every pool and do what is to be done."""
        known = await self._consul.list_keys(TABLES)
        orders = await self._consul.list_keys(ORDERS)
        instances = self._nodes.snapshot.instances
        named = {pool_of(each) for each in instances} | {key.removeprefix(TABLES) for key in known}
        # The pools that everybody reads from come before those that stand in for them, where both want a spare.
        pools = sorted(named - {"", SPARE}, key=lambda name: (name == "gutter", name))[:POOLS_MAX]
        indexes = {pool: await self._read_table(pool) for pool in pools}
        ordered = {pool: self._parse_orders(pool, orders) for pool in pools}
        addresses = {each.address for each in instances} | {
            address for table in self._tables.values() for address in (*table.addresses, *table.spares)
        }
        addresses |= {order.node for each in ordered.values() for order in each if order.node}
        stats = await read_all(addresses)
        now = self._clock.now()
        for address, said in stats.items():
            self._rates.note(address, now, said.hits, said.misses)
        self._rates.keep(addresses)
        for pool in pools:
            self._control(pool).remember(self._pools.table(pool))
            index = indexes[pool]
            if index is not None:
                await self._keep(pool, index, stats, ordered[pool])
                await self._finish_orders(pool, orders)

    async def _read_table(self, pool: str) -> int | None:
        """Take in a pool's table and return its index, 0 without one; None when nobody can tell what it says."""
        value, index = await self._consul.get(table_key(pool), consistent=True)
        self._tables.pop(pool, None)
        if value is None:
            return 0
        try:
            self._tables[pool] = parse_table(value)
        except TableError as error:
            log.error("pool %s is left as it is: its table makes no sense: %s", pool, error)
            return None
        return index

    def _parse_orders(self, pool: str, orders: Mapping[str, bytes]) -> list[Order]:
        """Return the orders of a pool, oldest first; refuse what cannot be read."""
        found = []
        for key, value in sorted(orders.items()):
            if key.startswith(f"{ORDERS}{pool}/"):
                id_ = key.rpartition("/")[2]
                try:
                    found.append(parse_order(id_, value))
                except OrderError as error:
                    self._control(pool).refuse(id_, str(error))
        return found

    def _control(self, pool: str) -> Control:
        return self._controls.setdefault(pool, Control())

    async def _keep(self, pool: str, index: int, stats: Mapping[str, NodeStats], orders: Iterable[Order]) -> None:
        """Take the steps of one pool that are due, and tell how it is."""
        control, changed = self._control(pool), False
        for _ in range(ROUNDS_MAX):
            seen = self._seen(pool, stats, orders)
            decision = control.step(seen)
            emptied = [address for address in decision.empty if await empty(address)]
            for address in emptied:
                log.info("pool %s: %s is emptied", pool, address)
                control.emptied(address)
            if decision.table is not None:
                if not await self._consul.put(table_key(pool), decision.table.dump(), if_index=index):
                    log.warning("pool %s: somebody else changed it", pool)
                    return
                changed = True
                self._changes.add(1, {"pool": pool})
                log.info("pool %s, version %d: %s", pool, decision.table.version, decision.text)
                index = await self._read_table(pool) or 0
            if not emptied and decision.table is None:
                break
        if changed or self._clock.now() - self._told_at.get(pool, -STATUS_S) >= STATUS_S:
            await self._tell(pool, self._seen(pool, stats, orders), stats)

    def _seen(self, pool: str, stats: Mapping[str, NodeStats], orders: Iterable[Order]) -> Seen:
        is_known = not self._nodes.is_failing and self._nodes.snapshot.index > 0
        instances = self._nodes.snapshot.instances if is_known else ()
        elsewhere = {each for name, table in self._tables.items() if name != pool for each in table.addresses}
        free = [each for each in instances if each.address not in elsewhere]
        return Seen(
            self._clock.now(),
            self._tables.get(pool),
            {each.address for each in instances} if is_known else None,
            {each.address: seat_of(each) for each in free if pool_of(each) == pool},
            sorted(each.address for each in free if pool_of(each) == SPARE),
            stats.keys(),
            self._rates,
            tuple(orders),
        )

    async def _tell(self, pool: str, seen: Seen, stats: Mapping[str, NodeStats]) -> None:
        """Write a pool's status."""
        self._told_at[pool] = seen.now
        names = {each.address: each.id for each in self._nodes.snapshot.instances}
        said = status(seen, self._control(pool), stats, names)
        if said["hit_rate"] is not None:
            self._hit_rate.set(said["hit_rate"], {"pool": pool})
        head = {"pool": pool, "keeper": self._name, "at": self._clock.wall_us() // 1_000_000}
        await self._consul.put(status_key(pool), json.dumps({**head, **said}).encode())

    async def _finish_orders(self, pool: str, orders: Mapping[str, bytes]) -> None:
        """Take away the orders that are carried out or refused, once the status says so."""
        outcomes = self._control(pool).outcomes
        for key in orders:
            outcome = outcomes.get(key.removeprefix(f"{ORDERS}{pool}/"))
            if outcome is not None and outcome.is_final:
                self._told_at.pop(pool, None)
                await self._consul.delete(key)
