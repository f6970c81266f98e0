"""From a spec to the servers that it asks for, each with its port and settings; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ops.local.consul import Consul
from ops.local.mariadb import Dsns, Mariadb
from ops.local.memcached import Memcached
from ops.local.ports import HOST, Ports
from ops.local.spec import MeshSpec, places
from ops.local.state import derive_password
from ops.local.tier import PORT_SETTING, ListTiers, Tier

OPTION = {"webapp": "--http-port", "gateway": "--ws-port"}
PURPOSE = {"webapp": "Web API", "gateway": "gateway's WebSockets"}


@dataclass(slots=True)
class Fleet:
    """The servers of one mesh; None where an external one is used. Tiers may be added later."""

    consul: Consul | None
    consul_addr: str
    mariadb: Mariadb | None
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
        mariadb = None if spec.dsns else self._mariadb()
        dsns = spec.dsns or (mariadb.dsns if mariadb else Dsns("", "", ""))
        nodes = [] if spec.memcached_addrs else self._memcached()
        addresses = spec.memcached_addrs or tuple(node.address for node in nodes)
        fleet = Fleet(consul, consul_addr, mariadb, dsns, nodes, addresses)
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

    def _mariadb(self) -> Mariadb:
        password = derive_password(self._secret, "mariadb")
        return Mariadb(self._spec.var / "mariadb", self._logs / "mariadb.log", self._ports.claim_free(), password)

    def _memcached(self) -> list[Memcached]:
        names = [name for name, _ in places("memcached", self._spec.memcached, self._spec.zones)]
        return [Memcached(name, self._logs / f"{name}.log", self._ports.claim_free()) for name in names]

    def _tier_environ(self, fleet: Fleet) -> dict[str, str]:
        """Return what every tier is told. Ports for gRPC and metrics are not: Consul knows them."""
        common = {"PARLEY_CONSUL_ADDR": fleet.consul_addr, "PARLEY_SECRET": self._secret, "PARLEY_BIND_HOST": HOST}
        return {**common, **fleet.dsns.environ()}
