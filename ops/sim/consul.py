"""Consul's twin: who is registered and healthy, and what each process has been told of it.

Health checks notice the dead and the silent after 0.3 to 1.3 s. Every process has its own view, told late and at its
own time; while its line to Consul is cut it keeps the last one, by the rules of `discovery.view`, and its fence is
silent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from discovery.fence import Fence
from discovery.ring import Member, Ring
from discovery.view import Instance, ServiceView
from ops.sim.wires import Network
from ops.sim.world import Host, World

CHECK_S = (0.3, 1.3)
"""From a death to Consul's knowing of it."""
RECHECK_S = (0.05, 1.0)
"""From the end of a pause to Consul's believing it."""
TOLD_S = (0.002, 0.03)
LATE_S = (0.1, 1.5)
"""From Consul's knowing to a process's: usually at once, sometimes late."""
PROBE_S = 0.15
HELD_RECHECK_S = 1.0
SUSPICION_S = 0.2


@lru_cache(maxsize=512)
def ring_of(ids: tuple[str, ...]) -> Ring:
    """Return the ring of these members: a function of nothing else, so worlds share it."""
    return Ring([Member(each) for each in ids])


class Consul:
    """The catalog, and whose line to it is cut."""

    def __init__(self, world: World, network: Network, late: float) -> None:
        """`late`: share of news that take long to reach a process."""
        self.world = world
        self.network = network
        self.host = Host(world, "consul")
        self.is_down = False
        self._late = late
        self._dice = world.rng("consul")
        self._catalog: dict[str, dict[str, Host]] = {}
        self._critical: set[str] = set()
        self._index = 1
        self._cut: set[str] = set()
        self._watches: list[Watch] = []

    def reaches(self, host: Host) -> bool:
        """Return whether a process and Consul hear each other."""
        return not self.is_down and host.name not in self._cut

    def register(self, tier: str, host: Host) -> None:
        """Take an instance in; its health is watched from now on."""
        self._catalog.setdefault(tier, {})[host.name] = host
        host.on_kill.append(lambda: self._check(host, CHECK_S))
        host.on_pause.append(lambda: self._check(host, CHECK_S))
        self._changed(tier)

    def deregister(self, tier: str, host: Host) -> None:
        """Leave in peace."""
        if self.reaches(host) and self._catalog.get(tier, {}).pop(host.name, None) is not None:
            self._changed(tier)

    def cut(self, host: Host, *, is_checked: bool = False) -> None:
        """Let a process hear nothing of Consul; unless `is_checked`, its health checks fail as well."""
        self._cut.add(host.name)
        if not is_checked:
            self._check(host, CHECK_S)

    def mend(self, host: Host) -> None:
        """Let it hear again."""
        self._cut.discard(host.name)
        self._check(host, RECHECK_S)
        for watch in self._watches:
            if watch.host is host:
                self._tell(watch)

    def stop(self) -> None:
        """Answer nobody; health is not looked at."""
        self.is_down = True

    def start(self) -> None:
        """Answer again, with the data of before."""
        self.is_down = False
        for instances in self._catalog.values():
            for host in instances.values():
                self._check(host, RECHECK_S)
        for watch in self._watches:
            watch.disturbed()
            self._tell(watch)

    def recovered(self, host: Host) -> None:
        """Look at an instance whose pause is over."""
        self._check(host, RECHECK_S)

    def healthy(self, tier: str) -> dict[str, Host]:
        """Return what Consul lists now."""
        return {name: host for name, host in self._catalog.get(tier, {}).items() if name not in self._critical}

    def watch(self, watch: Watch) -> None:
        """Tell a process what there is, and each change."""
        self._watches.append(watch)
        self._tell(watch)

    def _check(self, host: Host, after: tuple[float, float]) -> None:
        self.world.at(self.world.now + self._dice.uniform(*after), self.host, self._checked, host)

    def _checked(self, host: Host) -> None:
        if self.is_down:
            return
        is_well = host.is_running and host.name not in self._cut
        if is_well == (host.name not in self._critical):
            return
        (self._critical.discard if is_well else self._critical.add)(host.name)
        self.world.trace("consul", host, "passing" if is_well else "critical")
        for tier, instances in self._catalog.items():
            if host.name in instances:
                self._changed(tier)

    def _changed(self, tier: str) -> None:
        self._index += 1
        for watch in self._watches:
            if watch.tier == tier:
                self._tell(watch)

    def _tell(self, watch: Watch) -> None:
        span = LATE_S if self._dice.random() < self._late else TOLD_S
        self.world.at(self.world.now + self._dice.uniform(*span), self.host, self._told, watch)

    def _told(self, watch: Watch) -> None:
        if self.reaches(watch.host):
            seen = [Instance(name, watch.tier, name) for name in sorted(self.healthy(watch.tier))]
            self.world.at(self.world.now, watch.host, watch.take, self._index, seen)

    def ask_soon(self, watch: Watch) -> None:
        """Answer a process that asks by itself."""
        self.world.at(self.world.now + self._dice.uniform(*TOLD_S), self.host, self._told, watch)


class Watch:
    """One process's view of one tier."""

    def __init__(self, consul: Consul, host: Host, tier: str, on_change: Callable[[Watch], None]) -> None:
        """`on_change` is told of each new view."""
        self.host = host
        self.tier = tier
        self._consul = consul
        self._view = ServiceView(tier)
        self._on_change = on_change
        self._suspected_at = -1.0
        self._index = 0
        consul.watch(self)

    @property
    def ids(self) -> tuple[str, ...]:
        """The instances believed in, in order."""
        return tuple(instance.id for instance in self._view.snapshot.instances)

    @property
    def ring(self) -> Ring:
        """The ring of what is believed in."""
        return ring_of(self.ids)

    def suspect(self, instance_id: str) -> None:
        """See ServiceWatcher.suspect: ask Consul again, soon."""
        now = self._consul.world.now
        if now - self._suspected_at >= SUSPICION_S and instance_id in self.ids:
            self._suspected_at = now
            self._consul.ask_soon(self)

    def disturbed(self) -> None:
        """Note that Consul failed to answer."""
        self._view.disturbed(self._consul.world.now)

    def take(self, index: int, seen: list[Instance]) -> None:
        """Weigh an answer: believe it, or ask the lost instances themselves first."""
        if index < self._index:
            return
        self._index = index
        now = self._consul.world.now
        if self._view.doubts(seen, now):
            self._consul.world.counts["consul: an answer was doubted"] += 1
            self._consul.world.at(now + PROBE_S, self.host, self._probed, index, seen)
        else:
            self._believe(index, seen, frozenset())

    def _probed(self, index: int, seen: list[Instance]) -> None:
        if index >= self._index:
            self._believe(index, seen, self._answering(self._view.lost(seen)))

    def _believe(self, index: int, seen: list[Instance], alive: frozenset[str]) -> None:
        if self._view.believe(index, seen, self._consul.world.now, alive):
            self._on_change(self)
        if self._view.held:
            self._consul.world.at(self._consul.world.now + HELD_RECHECK_S, self.host, self._recheck)

    def _recheck(self) -> None:
        held = self._view.held
        if not held:
            return
        if self._view.recheck(self._answering(held), self._consul.world.now):
            self._on_change(self)
        if self._view.held:
            self._consul.world.at(self._consul.world.now + HELD_RECHECK_S, self.host, self._recheck)

    def _answering(self, instances: tuple[Instance, ...]) -> frozenset[str]:
        network = self._consul.network
        alive = set()
        for instance in instances:
            host = network.hosts.get(instance.id)
            if host is not None and host.is_running and not network.are_cut(self.host, host):
                alive.add(instance.id)
        return frozenset(alive)


def confirmed(consul: Consul, host: Host, fence: Fence, interval_s: float) -> None:
    """Let a registrar's word from Consul reach a fence, again and again."""

    def ask() -> None:
        if consul.reaches(host):
            fence.heard(host.world.now)

    ask()
    host.every(interval_s, ask)
