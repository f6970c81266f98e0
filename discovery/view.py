"""What we believe about a service, and when we doubt what Consul says. Pure: no sockets, no clock of its own.

Three rules stand between a bad answer and an empty world:
- an index that goes backwards, or is not positive, starts the watch over (`next_index`);
- an answer that loses everybody, or most of four and more, or anybody soon after Consul itself was in trouble, is a
  doubt, not a fact (`ServiceView.doubts`): the caller asks again with a consistent read, and asks the lost instances;
- who still answers is held for a grace time, in which it can register again (a Consul restarted without its data).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

GRACE_S = 30.0
"""Seconds that an instance in no catalog is held while it answers. Registrars are back in 2 s; 30 forgive much."""

MASS_MINIMUM = 4
"""Instances from which on a loss of more than half is doubted. Below, one death of two or three must be believed."""

WARY_S = 10.0
"""How long after an error, or an index that went backwards, any loss is doubted: a Consul that lost its data lists
whoever registered first, one that kept it first calls everybody critical. Registrars and checks settle in 2 s."""

TIER_PREFIX = "parley-"


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a tier (or of memcached) as Consul lists it."""

    id: str
    """Unique for each start of a process, so a restarted one is another instance."""
    tier: str
    """Consul's service name without `parley-`: `channel`, `memcached`; the whole name where it has no such prefix."""
    address: str
    """`host:port`, IPv6 hosts in brackets."""
    zone: str = ""
    """Zone (cell); empty when unknown, which is nobody's own zone."""
    weight: int = 1
    """Share of the load relative to others, 1 to 1,000."""
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Everything registered beside it: version, started, metrics_port, http_port, ws_port ..."""
    tags: tuple[str, ...] = ()
    """Consul's tags, such as `pool:main`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A believed view of a service, ordered by instance id."""

    service: str
    """Consul's name for it, such as `parley-channel`."""
    index: int
    """Consul's index of the answer that led here; 0 when none has been usable yet."""
    instances: tuple[Instance, ...] = ()

    def get(self, instance_id: str) -> Instance | None:
        """Return the instance with this id, if it is in the view."""
        return next((instance for instance in self.instances if instance.id == instance_id), None)


def service_name(tier: str) -> str:
    """Return Consul's name for a tier: `channel` is `parley-channel`."""
    return tier if tier.startswith(TIER_PREFIX) else TIER_PREFIX + tier


def next_index(asked: int, answered: int) -> int:
    """Return the index to block on next: 0 (start over) when the answer's went backwards or is not positive."""
    return answered if answered >= max(asked, 1) else 0


def parse_instances(entries: Sequence[Mapping[str, Any]], weight_max: int = 1_000) -> tuple[Instance, ...]:
    """Return the instances of an answer of /v1/health/service, by id. Entries without id, host or port are left out."""
    found: dict[str, Instance] = {}
    for entry in entries:
        service = entry.get("Service") or {}
        host = service.get("Address") or (entry.get("Node") or {}).get("Address") or ""
        if not (service.get("ID") and host and service.get("Port")):
            continue
        meta = {str(key): str(value) for key, value in (service.get("Meta") or {}).items()}
        weight = int((service.get("Weights") or {}).get("Passing") or 1)
        found[service["ID"]] = Instance(
            id=service["ID"],
            tier=str(service.get("Service", "")).removeprefix(TIER_PREFIX),
            address=f"[{host}]:{service['Port']}" if ":" in host else f"{host}:{service['Port']}",
            zone=meta.get("zone", ""),
            weight=min(max(weight, 1), weight_max),
            meta=meta,
            tags=tuple(service.get("Tags") or ()),
        )
    return tuple(found[instance_id] for instance_id in sorted(found))


class ServiceView:
    """The last good view of one service. Never emptied by an error: an error simply does not reach it."""

    def __init__(self, service: str, grace_s: float = GRACE_S) -> None:
        """Start with nobody known, not ready."""
        self.snapshot = Snapshot(service, 0)
        """What is believed now; replaced, never changed."""
        self.is_ready = False
        """Whether any answer has been believed yet (an empty one counts)."""
        self._grace_s = grace_s
        self._held_until: dict[str, float] = {}
        self._wary_until = -math.inf

    @property
    def held(self) -> tuple[Instance, ...]:
        """Instances in no catalog that answered when asked, so are kept for now. Ask them again every second or so."""
        return tuple(instance for instance in self.snapshot.instances if instance.id in self._held_until)

    def lost(self, seen: Iterable[Instance]) -> tuple[Instance, ...]:
        """Return the instances believed in, and not already held, that an answer no longer lists."""
        listed = {instance.id for instance in seen} | self._held_until.keys()
        return tuple(instance for instance in self.snapshot.instances if instance.id not in listed)

    def disturbed(self, now: float) -> None:
        """Note that Consul failed to answer, or started over: any loss in the next WARY_S is doubted."""
        self._wary_until = now + WARY_S

    def doubts(self, seen: Sequence[Instance], now: float) -> bool:
        """Return whether an answer loses too many to be believed alone: all, over half of four and more, or anybody
        soon after Consul was `disturbed`."""
        listed_count = len(self.snapshot.instances) - len(self._held_until)
        lost_count = len(self.lost(seen))
        if not lost_count:
            return False
        is_mass = listed_count >= MASS_MINIMUM and 2 * lost_count > listed_count
        return not seen or is_mass or now < self._wary_until

    def believe(
        self, index: int, seen: Sequence[Instance], now: float, answering: AbstractSet[str] = frozenset()
    ) -> bool:
        """Take an answer as the truth, except that lost instances in `answering` are held until `now` + grace.

        Returns whether the instances changed. Held ones that the answer lists are ordinary again; the others stay held
        until `recheck` finds them silent or overdue.
        """
        listed = {instance.id: instance for instance in seen}
        for instance in self.lost(seen):
            if instance.id in answering:
                self._held_until[instance.id] = now + self._grace_s
        for instance_id in listed.keys() & self._held_until.keys():
            del self._held_until[instance_id]
        kept = {instance.id: instance for instance in self.held}
        self.is_ready = True
        return self._replace(index, listed | kept)

    def recheck(self, answering: AbstractSet[str], now: float) -> bool:
        """Drop held instances that no longer answer or whose grace is over; return whether any was dropped."""
        gone = {held for held, until in self._held_until.items() if held not in answering or now >= until}
        for instance_id in gone:
            del self._held_until[instance_id]
        left = {instance.id: instance for instance in self.snapshot.instances if instance.id not in gone}
        return self._replace(self.snapshot.index, left)

    def _replace(self, index: int, instances: Mapping[str, Instance]) -> bool:
        before = self.snapshot.instances
        after = tuple(instances[instance_id] for instance_id in sorted(instances))
        self.snapshot = replace(self.snapshot, index=index, instances=after)
        return after != before
