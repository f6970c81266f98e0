"""From a configuration to the handles that do what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.all_sync import AllSync
from svc.webapp.cache.routes.failover import Failover
from svc.webapp.cache.routes.miss_failover import MissFailover
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.operations import Operations
from svc.webapp.cache.routes.pool import Pool, Pools
from svc.webapp.cache.routes.prefixes import LongestPrefix, Prefixes
from svc.webapp.cache.routes.reach import copies, may_hold, reaches
from svc.webapp.cache.routes.route import Route
from svc.webapp.cache.routes.shadow import Shadow
from svc.webapp.cache.routes.spec import (
    AllSyncSpec,
    FailoverSpec,
    MissFailoverSpec,
    NullSpec,
    OperationsSpec,
    PoolSpec,
    PrefixesSpec,
    RoutesConfig,
    ShadowSpec,
    Spec,
    WarmUpSpec,
)
from svc.webapp.cache.routes.warm_up import WarmUp

__all__ = ["Tree", "build"]


def build(spec: Spec, pools: Pools, tasks: Tasks) -> Route:  # noqa: C901 - one case a handle
    """Return the handle of a spec. `pools`: follows those named; `tasks`: for what nobody waits for."""

    def built(child: Spec) -> Route:
        return build(child, pools, tasks)

    match spec:
        case PoolSpec(name, warm_up):
            return Pool(pools.view(name, warm_up=warm_up))
        case FailoverSpec(child, gutter, ttl_s):
            return Failover(built(child), built(gutter), ttl_s)
        case WarmUpSpec(cold, warm):
            return WarmUp(built(cold), built(warm))
        case AllSyncSpec(children):
            return AllSync([built(child) for child in children])
        case MissFailoverSpec(children):
            return MissFailover([built(child) for child in children])
        case ShadowSpec(child, shadow, rate):
            return Shadow(built(child), built(shadow), rate, tasks)
        case OperationsSpec(getter, deleter):
            return Operations(built(getter), built(deleter))
        case PrefixesSpec(default, by_prefix):
            return Prefixes({prefix: built(child) for prefix, child in by_prefix.items()}, built(default))
        case NullSpec():
            return Null()
        case _:
            assert_never(spec)


class Tree:
    """A configuration put to work."""

    def __init__(self, config: RoutesConfig, pools: Pools, tasks: Tasks) -> None:
        """See `build`."""
        self.config = config
        self.route = build(config.routes, pools, tasks)
        self._branches = LongestPrefix(
            {prefix: _Branch.of(spec) for prefix, spec in config.routes.prefixes.items()},
            _Branch.of(config.routes.default),
        )

        specs = (config.routes.default, *config.routes.prefixes.values())
        self.copies = any(map(copies, specs))
        """Whether it carries values from one pool to another."""

    def deletes_for(self, other: Tree, key: str) -> bool:
        """Whether a deletion by this tree does whatever one by the other would, so that the other need not be asked."""
        mine, its = self._branches.find(key), other._branches.find(key)
        return mine.spec == its.spec or (its.may_hold <= mine.reaches and not its.copies)


@dataclass(frozen=True, slots=True)
class _Branch:
    """What is known of the keys of one prefix."""

    spec: Spec
    may_hold: frozenset[str]
    reaches: frozenset[str]
    copies: bool

    @classmethod
    def of(cls, spec: Spec) -> _Branch:
        return cls(spec, may_hold(spec), reaches(spec), copies(spec))
