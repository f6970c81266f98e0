"""A configuration of routes as values: what `config` reads and `build` puts to work. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

__all__ = [
    "AllSyncSpec",
    "FailoverSpec",
    "MissFailoverSpec",
    "NullSpec",
    "OperationsSpec",
    "PoolSpec",
    "PrefixesSpec",
    "RoutesConfig",
    "ShadowSpec",
    "Spec",
    "Switches",
    "WarmUpSpec",
]


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """See `pool`."""

    pool: str
    warm_up: bool = True
    """Whether a seat's new node fetches from the one before; off for the plain mode of benchmarks."""


@dataclass(frozen=True, slots=True)
class FailoverSpec:
    """See `failover`."""

    child: Spec
    gutter: Spec
    ttl_s: int = 10


@dataclass(frozen=True, slots=True)
class WarmUpSpec:
    """See `warm_up`."""

    cold: Spec
    warm: Spec


@dataclass(frozen=True, slots=True)
class AllSyncSpec:
    """See `all_sync`."""

    children: tuple[Spec, ...]


@dataclass(frozen=True, slots=True)
class MissFailoverSpec:
    """See `miss_failover`."""

    children: tuple[Spec, ...]


@dataclass(frozen=True, slots=True)
class ShadowSpec:
    """See `shadow`."""

    child: Spec
    shadow: Spec
    rate: float


@dataclass(frozen=True, slots=True)
class OperationsSpec:
    """See `operations`."""

    get: Spec
    delete: Spec


@dataclass(frozen=True, slots=True)
class PrefixesSpec:
    """See `prefixes`."""

    default: Spec
    prefixes: Mapping[str, Spec] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class NullSpec:
    """See `null`."""


Spec: TypeAlias = (
    PoolSpec
    | FailoverSpec
    | WarmUpSpec
    | AllSyncSpec
    | MissFailoverSpec
    | ShadowSpec
    | OperationsSpec
    | PrefixesSpec
    | NullSpec
)


@dataclass(frozen=True, slots=True)
class Switches:
    """What the whole cache does or leaves."""

    leases: bool = True
    """Who finds that another is loading a key waits for him; without, everybody who misses loads."""
    early_refresh: bool = True
    """Hot keys are refreshed before they expire."""
    stale: bool = True
    """What is deleted is kept for a while, marked stale, for classes that may use it when loading fails."""


@dataclass(frozen=True, slots=True)
class RoutesConfig:
    """A whole configuration that has been checked."""

    pools: tuple[str, ...]
    """The pools that it names, sorted."""
    routes: PrefixesSpec
    switches: Switches = Switches()
