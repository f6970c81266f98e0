"""From a spec to the servers that it asks for, each with its port and settings; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops.local.consul import Consul
from ops.local.mariadb import Dsns, Mariadb
from ops.local.memcached import GUTTER_POOL, MAIN_POOL, SPARE_POOL, Memcached
from ops.local.ports import HOST, Ports
from ops.local.remembered import recall
from ops.local.replication import Pairing
from ops.local.spec import MeshSpec, places
from ops.local.state import derive_password, ops_credentials
from ops.local.tier import PORT_SETTING, ListTiers, Tier

# Folders and names; which of the two is the primary is remembered.
MARIADBS = ("mariadb", "mariadb-2")

OPTION = {"webapp": "--http-port", "gateway": "--ws-port"}
PURPOSE = {"webapp": "Web API", "gateway": "gateway's WebSockets"}


@dataclass(slots=True)
class Fleet:
    """The servers of one mesh; None where an external one is used. Tiers may be added later."""

    consul: Consul | None
    consul_addr: str
    mariadbs: list[Mariadb]
    dsns: Dsns
    memcached: list[Memcached]
    memcached_addrs: tuple[str, ...]
    tiers: dict[str, Tier] = field(default_factory=dict)


class FleetPlanner:
    """Turns a spec into servers, claiming their ports. Raises PortTakenError and LocalError."""

    def __init__(self, spec: MeshSpec, ports: Ports, secret: str, listed: ListTiers) -> None:
        self._spec = spec
        self._ports = ports
        self._secret = secret
        self._listed = listed
        self._logs = spec.var / "log"
        self._environ: Mapping[str, str] = {}
        self._port_next = {"gateway": spec.ws_port, "webapp": spec.http_port}

    def plan(self) -> Fleet:
        """Return the fleet of the spec."""
        spec = self._spec
        consul = None if spec.consul_addr else self._consul()
        consul_addr = consul.address if consul else spec.consul_addr
        mariadbs = [] if spec.dsns else self._mariadbs()
        dsns = spec.dsns or mariadbs[0].dsns
        nodes = [] if spec.memcached_addrs else self._memcached()
        addresses = spec.memcached_addrs or tuple(node.address for node in nodes if node.pool == MAIN_POOL)
        fleet = Fleet(consul, consul_addr, mariadbs, dsns, nodes, addresses)
        self._environ = self._tier_environ(fleet)
        for tier, count in spec.counts.items():
            for name, zone in places(tier, count, spec.zones):
                fleet.tiers[name] = self.tier(name, tier, zone)
        return fleet

    def tier(self, name: str, tier: str, zone: str) -> Tier:
        """Return one instance, with a port of its own where the tier has one for people."""
        spec = self._spec
        return Tier(
            name,
            tier,
            zone,
            port=self._claim(tier) if tier in PORT_SETTING else 0,
            log=self._logs / f"{name}.log",
            environ={
                **self._environ,
                **spec.environ,
                **spec.tier_environ.get(tier, {}),
                **spec.instance_environ.get(name, {}),
            },
            listed=self._listed,
            ready_timeout_s=spec.ready_timeout_s,
        )

    @property
    def environ(self) -> Mapping[str, str]:
        """What every tier is told; known once planned."""
        return {**self._environ, **self._spec.environ}

    def _claim(self, tier: str) -> int:
        port = self._port_next[tier]
        if port:
            self._port_next[tier] = port + 1
        hint = f"Stop it, or choose another: {OPTION[tier]} PORT (0 takes a free one)."
        return self._ports.claim(port, PURPOSE[tier], hint)

    def _consul(self) -> Consul:
        hint = (
            "Stop it, or choose another: --consul-port PORT. To use a Consul that runs: PARLEY_CONSUL_ADDR=HOST:PORT."
        )
        port = self._ports.claim(self._spec.consul_port, "Consul", hint)
        return Consul(self._spec.var / "consul", self._logs / "consul.log", port, self._ports)

    def _mariadbs(self) -> list[Mariadb]:
        """Return the server that was the primary, and the other one with a replica wanted.

        One that has had a replica goes on writing its log for it.
        """
        remembered = recall(self._spec.var)
        primary = remembered.primary if remembered else MARIADBS[0]
        names = [primary, *(name for name in MARIADBS if name != primary and self._spec.replica)]
        is_paired = self._spec.replica or remembered is not None
        return [self._mariadb(name, is_paired=is_paired) for name in names]

    def _mariadb(self, name: str, *, is_paired: bool) -> Mariadb:
        credentials = ops_credentials(self._secret)
        number = MARIADBS.index(name) + 1
        return Mariadb(
            self._spec.var / name,
            self._logs / f"{name}.log",
            self._ports.claim_free(),
            derive_password(self._secret, "mariadb"),
            name=name,
            pairing=Pairing(number, credentials.ops_password, credentials.replication_password) if is_paired else None,
        )

    def cache_node(self, name: str, zone: str, pool: str, seat: str) -> Memcached:
        """Return one memcached, on a port of its own."""
        return Memcached(name, self._logs / f"{name}.log", self._ports.claim_free(), zone, pool, seat)

    def _memcached(self) -> list[Memcached]:
        spec = self._spec
        main = places("memcached", spec.memcached, spec.zones)
        gutter = places("memcached-gutter", spec.memcached_gutter, spec.zones)
        spares = places("memcached-spare", spec.memcached_spares, spec.zones)
        return [
            *(self.cache_node(name, zone, MAIN_POOL, str(seat)) for seat, (name, zone) in enumerate(main, 1)),
            *(self.cache_node(name, zone, GUTTER_POOL, str(seat)) for seat, (name, zone) in enumerate(gutter, 1)),
            *(self.cache_node(name, zone, SPARE_POOL, "") for name, zone in spares),
        ]

    def _tier_environ(self, fleet: Fleet) -> dict[str, str]:
        """Return what every tier is told. Ports for gRPC and metrics are not: Consul knows them."""
        common = {
            "PARLEY_CONSUL_ADDR": fleet.consul_addr,
            "PARLEY_SECRET": self._secret,
            "PARLEY_BIND_HOST": HOST,
            # Demonstrations, tests and benches are one app that calls as fast as it can.
            "PARLEY_WEBAPP_RATE_LIMITS": "off",
            "PARLEY_WEBAPP_DEMO": "demo",
            "PARLEY_WEBAPP_FILES_DIR": str(self._spec.var / "files"),
            "PARLEY_SEARCH_DIR": str(self._spec.var / "search"),
        }
        return {**common, **self._tls_environ(), **fleet.dsns.environ()}

    def _tls_environ(self) -> dict[str, str]:
        spec = self._spec
        if spec.tls_cert is None or spec.tls_key is None:
            return {}
        return {"PARLEY_TLS_CERT": str(spec.tls_cert.resolve()), "PARLEY_TLS_KEY": str(spec.tls_key.resolve())}
