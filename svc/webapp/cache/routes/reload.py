"""The tree in force, and how another one takes its place while requests go on.

A new configuration first gets deletions beside the old one, for SETTLE_S, by which time every webapp has it; then it is
read, and the old one gets deletions for as long as values that are left there may live. So no webapp reads, by either
tree, what another has deleted by the other. Whoever is in the middle of a request finishes it on the tree it began on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry import metrics

from discovery.kv import KvEntry, KvWatcher
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError
from svc.kit.lifecycle import Tasks, background
from svc.webapp.cache.routes.asking import delete_parts, joined
from svc.webapp.cache.routes.build import Tree
from svc.webapp.cache.routes.config import RoutesError, parse
from svc.webapp.cache.routes.pool import Pools
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered
from svc.webapp.cache.routes.shadow import SHADOW_TASKS_MAX
from svc.webapp.cache.routes.spec import RoutesConfig, Switches

__all__ = ["LINGER_S", "ROUTES_KEY", "SETTLE_S", "Routes", "run_routes"]

log = logging.getLogger(__name__)

ROUTES_KEY = "parley/cache/routes"
"""Where the configuration is in Consul's KV."""
SETTLE_S = 2.0
"""A change in KV reaches the webapps in 10 ms; one that lost its line to Consul asks again every 2 s at the latest. One
that is cut off for longer goes on by its old tree: others may read what it deletes, until that expires."""
LINGER_S = 4_000.0
"""No value lives longer: an hour, and a tenth of jitter."""
LINGERING_MAX = 8
"""Former trees that get deletions; with one more, the oldest is let go."""
START_S = 2.0
"""How long a start waits for Consul before it takes the default."""


@dataclass(frozen=True, slots=True)
class _Beside:
    """A tree that is not read, but gets deletions."""

    tree: Tree
    until: float


class Routes:
    """A `Route`: the whole cache below its leases. Holds one tree that is read, and those beside it."""

    def __init__(
        self,
        tree: Tree,
        pools: Pools,
        tasks: Tasks,
        clock: Clock,
        *,
        default: RoutesConfig | None = None,
        settle_s: float = SETTLE_S,
        linger_s: float = LINGER_S,
    ) -> None:
        """`tree` is in force at once; `default`, when KV has none; `tasks`: for shadows."""
        self._tree = tree
        self._default = default or tree.config
        self._pools = pools
        self._tasks = tasks
        self._clock = clock
        self._settle_s = settle_s
        self._linger_s = linger_s
        self._beside: tuple[_Beside, ...] = ()
        self.mistakes: tuple[str, ...] = ()
        """What is wrong with the newest configuration; empty when it is in force, or about to be."""
        meter = metrics.get_meter(__name__)
        self._changes = meter.create_counter(
            "parley.webapp.cache.routes.changes", description="configurations of routes, by result: taken, refused"
        )
        self._is_refused = meter.create_gauge(
            "parley.webapp.cache.routes.refused", description="1 while the newest configuration is refused"
        )

    @property
    def config(self) -> RoutesConfig:
        """The configuration in force."""
        return self._tree.config

    @property
    def switches(self) -> Switches:
        """What the whole cache does now; may change between two requests."""
        return self._tree.config.switches

    def get(self, keys: Sequence[str], lease_s: int) -> Coroutine[Any, Any, list[Found | None]]:
        """See `Route.get`."""
        return self._tree.route.get(keys, lease_s)

    def delete(self, keys: Sequence[str], stale_s: int) -> Coroutine[Any, Any, Undelivered]:
        """See `Route.delete`."""
        if not self._beside:
            return self._tree.route.delete(keys, stale_s)
        return self._delete_beside(keys, stale_s)

    def add(self, key: str, step: Step) -> Coroutine[Any, Any, Sum | None]:
        """See `Route.add`."""
        return self._tree.route.add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        others = [each.tree.route.explain(key) for each in self._beside if not self._tree.deletes_for(each.tree, key)]
        note = f"; deletions go to {len(others)} other trees as well, next in this list" if others else ""
        return Explained("routes", f"{self._describe()}{note}", (self._tree.route.explain(key), *others))

    async def take(self, entry: KvEntry) -> None:
        """Take what is in KV now, or refuse it and go on as before. Returns once it is read from, SETTLE_S later."""
        try:
            config = self._default if entry.value is None else parse(entry.value)
        except RoutesError as error:
            self.refuse(error)
            return
        self.mistakes = ()
        self._is_refused.set(0)
        if config == self.config:
            return
        self._changes.add(1, {"result": "taken"})
        await self._pools.follow(config.pools)
        coming = Tree(config, self._pools, self._tasks)
        self._put_beside(_Beside(coming, float("inf")))
        await self._clock.sleep(self._settle_s)
        # One assignment after the other without an await: a request sees all of it or nothing.
        self._beside = tuple(each for each in self._beside if each.tree is not coming)
        self._put_beside(_Beside(self._tree, self._clock.now() + self._linger_s))
        self._tree = coming
        log.info("cache routes: another configuration is in force (pools %s)", ", ".join(config.pools))

    def refuse(self, error: RoutesError) -> None:
        """Note that the newest configuration is of no use."""
        if error.mistakes == self.mistakes:
            return
        self.mistakes = error.mistakes
        self._changes.add(1, {"result": "refused"})
        self._is_refused.set(1)
        log.error("cache routes: a configuration with mistakes is refused: %s", "; ".join(error.mistakes))

    async def run(self, watcher: KvWatcher) -> None:
        """Follow the key until cancelled. Changes that come while one settles are taken after it, the newest only."""
        async for entry in watcher.changes():
            await self.take(entry)

    async def _delete_beside(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """Delete by all trees; by those beside only what the one that is read does not reach itself."""
        now, tree = self._clock.now(), self._tree
        self._beside = tuple(each for each in self._beside if each.until > now)
        parts: dict[Route, Sequence[str]] = {tree.route: keys}
        is_carried = tree.copies
        for each in self._beside:
            unreached = [key for key in keys if not tree.deletes_for(each.tree, key)]
            if unreached:
                parts[each.tree.route] = unreached
                is_carried = is_carried or each.tree.copies
        # What becomes the tree meanwhile hears of it too, being beside.
        undelivered = await delete_parts(parts, stale_s)
        if is_carried and len(parts) > 1:
            # Another process may go by one of them that carries values over, from where they were not deleted yet to
            # where they were. The second time they are gone from wherever they could be carried.
            undelivered = joined(undelivered, await delete_parts(parts, stale_s))
        return undelivered

    def _put_beside(self, beside: _Beside) -> None:
        if len(self._beside) >= LINGERING_MAX:
            log.warning("cache routes: %d former trees; the oldest gets no deletions any more", len(self._beside))
        self._beside = (*self._beside, beside)[-LINGERING_MAX:]

    def _describe(self) -> str:
        switches = self.switches
        words = [name for name in ("leases", "early_refresh", "stale") if getattr(switches, name)]
        refused = f"; a newer configuration is refused: {'; '.join(self.mistakes)}" if self.mistakes else ""
        return f"with {', '.join(words) or 'nothing else'}{refused}"


@asynccontextmanager
async def run_routes(
    watcher: KvWatcher,
    default: RoutesConfig,
    pools: Pools,
    clock: Clock,
    *,
    settle_s: float = SETTLE_S,
    linger_s: float = LINGER_S,
) -> AsyncIterator[Routes]:
    """Yield the routes that KV says, kept in step with it as long as the block lives.

    Without an answer from Consul in START_S, and while KV has nothing, or from the start nothing of use, by `default`.
    """
    async with Tasks("cache shadows", SHADOW_TASKS_MAX) as tasks:
        config, refused = await _first(watcher, default)
        await pools.follow(config.pools)
        tree = Tree(config, pools, tasks)
        routes = Routes(tree, pools, tasks, clock, default=default, settle_s=settle_s, linger_s=linger_s)
        if refused is not None:
            routes.refuse(refused)
        async with background("cache routes", routes.run(watcher)):
            yield routes


async def _first(watcher: KvWatcher, default: RoutesConfig) -> tuple[RoutesConfig, RoutesError | None]:
    """Return what to begin with."""
    try:
        entry = await watcher.ready(START_S)
        return (default if entry.value is None else parse(entry.value)), None
    except DeadlineError as error:
        log.warning("cache routes: the default is taken: %s", error)
    except RoutesError as error:
        return default, error
    return default, None
