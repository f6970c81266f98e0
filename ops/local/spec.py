"""What a mesh on this machine consists of: pure values, and the rules for names and zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ops.local.mariadb import Dsns

# Two of what owns channels and what holds sockets, so that the death of one is something to watch.
DEFAULT_COUNTS: Mapping[str, int] = MappingProxyType(
    {"webapp": 1, "admin": 1, "channel": 2, "gateway": 2, "presence": 1, "edge": 1, "search": 1}
)

TIERS = tuple(DEFAULT_COUNTS)

# Clients first, so that nothing new comes in; then what serves them, and the owners of channels last, because
# everybody else still publishes and unsubscribes on the way out.
STOP_ORDER = ("gateway", "webapp", "search", "edge", "presence", "admin", "channel")

DEFAULT_ZONES = ("az1", "az2")

# More of one tier than this on one machine is a typing mistake: each is a process of 50 MB and more.
INSTANCES_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshSpec:
    """A mesh to start. `var` holds its data, logs and state, and may be deleted while it is stopped.

    With `replica`, a second MariaDB follows the first, and either can take the other's place.

    Ports of 0 are free ones. Gateways listen at `ws_port`, `ws_port` + 1 and so on. A set `consul_addr`, `dsns` or
    `memcached_addrs` means servers that run elsewhere instead of embedded ones. `environ` adds settings for every
    tier, `tier_environ` for one, `instance_environ` for one instance by name. With `supervise`, a crashed child is
    restarted. Without `graceful`, the end is a kill of everything at once: for tests that throw their data away.
    """

    var: Path
    counts: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_COUNTS))
    zones: tuple[str, ...] = DEFAULT_ZONES
    memcached: int = 1
    """Nodes of the main pool."""
    memcached_gutter: int = 0
    """Nodes that stand in for a moment for one that is dead."""
    memcached_spares: int = 0
    """Nodes that wait to take a dead one's seat."""
    replica: bool = False
    http_port: int = 0
    consul_port: int = 0
    ws_port: int = 0
    consul_addr: str = ""
    dsns: Dsns | None = None
    memcached_addrs: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    tier_environ: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    instance_environ: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    supervise: bool = False
    graceful: bool = True
    ready_timeout_s: float = 60.0
    tls_cert: Path | None = None
    """Certificate (PEM) by which webapps and gateways speak TLS, with `tls_key`; nothing is served plainly then."""
    tls_key: Path | None = None


def counts(**changes: int) -> dict[str, int]:
    """Return the default counts with some changed: `counts(channel=3, edge=0)`. Raises ValueError on another tier."""
    unknown = changes.keys() - DEFAULT_COUNTS.keys()
    if unknown:
        raise ValueError(f"no such tier: {', '.join(sorted(unknown))}")
    return {**DEFAULT_COUNTS, **changes}


def none(**some: int) -> dict[str, int]:
    """Return counts of nothing but `some`: `none(channel=2)`."""
    return counts(**{**dict.fromkeys(DEFAULT_COUNTS, 0), **some})


def places(tier: str, count: int, zones: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (name, zone) of each instance of a tier: dealt to the zones in turn, numbered within each.

    Three channel servers in two zones are channel-az1-1, channel-az2-1, channel-az1-2.
    """
    return [(f"{tier}-{zones[i % len(zones)]}-{i // len(zones) + 1}", zones[i % len(zones)]) for i in range(count)]


def next_name(tier: str, zone: str, taken: set[str]) -> str:
    """Return the first free name of a tier in a zone."""
    return next(name for n in range(1, len(taken) + 2) if (name := f"{tier}-{zone}-{n}") not in taken)
