"""Choosing an instance of a stateless tier. Pure: picks, counts and ejects; calls nobody.

Own zone first; of two candidates drawn at random, the one with less in flight for its weight (power of two choices:
close to the best without knowing all, and no herd). An instance that fails several calls in a row is left out for a
while, longer each time; never more than half are, because then the fault is elsewhere.
Source: Mitzenmacher 2001 (two choices); Envoy's outlier detection (consecutive errors, maximum ejection share).
"""

import random
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from discovery.view import Instance
from svc.kit.errors import UnavailableError

EJECT_AFTER = 3
"""Failures in a row. One may be the call's own fault; five (Envoy's default) costs a quiet caller too many errors."""

EJECT_BASE_S = 1.0
"""First ejection; each further one doubles. Consul takes a dead instance out in 1.3 s, so this bridges to that."""

EJECT_CAP_S = 30.0

EJECT_SHARE_MAX = 0.5


@dataclass(slots=True)
class _Record:
    instance: Instance
    in_flight: int = 0
    failures: int = 0
    ejections: int = 0
    ejected_until: float = 0.0


class Balancer:
    """The instances of one tier as one caller sees them. All times are monotonic seconds that the caller passes in."""

    def __init__(self, tier: str, zone: str, rng: random.Random) -> None:
        """Start without instances; `zone` is the caller's own (empty: none is preferred)."""
        self.tier = tier
        self.out_of_zone_picks = 0
        """Picks that had to leave the caller's zone, since the start."""
        self._zone = zone
        self._rng = rng
        self._records: dict[str, _Record] = {}

    def update(self, instances: Iterable[Instance]) -> None:
        """Replace the candidates; those that stay keep their counts and ejections."""
        known = self._records
        self._records = {}
        for instance in instances:
            record = known.get(instance.id) or _Record(instance)
            record.instance = instance
            self._records[instance.id] = record

    def pick(self, now: float, avoid: AbstractSet[str] = frozenset()) -> Instance:
        """Return the instance to call; ids in `avoid` (just tried) only when nobody else is left.

        Raises UnavailableError when the tier has no instance.
        """
        if not self._records:
            raise UnavailableError(f"no instance of {self.tier} is known", subject=self.tier)
        candidates = self._candidates(now, avoid)
        first = self._rng.choice(candidates)
        second = self._rng.choice(candidates)
        chosen = first if _load(first) <= _load(second) else second
        if self._zone and chosen.instance.zone != self._zone:
            self.out_of_zone_picks += 1
        return chosen.instance

    def started(self, instance_id: str) -> None:
        """Count a call under way."""
        record = self._records.get(instance_id)
        if record is not None:
            record.in_flight += 1

    def finished(self, instance_id: str, now: float, *, failed: bool) -> None:
        """Count the call's end; `failed` when the instance, rather than the request, was at fault."""
        record = self._records.get(instance_id)
        if record is None:
            return
        record.in_flight = max(0, record.in_flight - 1)
        if not failed:
            record.failures = record.ejections = 0
            return
        record.failures += 1
        if record.failures >= EJECT_AFTER and self._may_eject(now):
            record.failures = 0
            record.ejected_until = now + min(EJECT_CAP_S, EJECT_BASE_S * 2 ** min(record.ejections, 30))
            record.ejections += 1

    def ejected(self, now: float) -> frozenset[str]:
        """Return the ids that are left out at `now`."""
        return frozenset(key for key, record in self._records.items() if record.ejected_until > now)

    def _candidates(self, now: float, avoid: AbstractSet[str]) -> list[_Record]:
        """Return the best class that has anybody: own zone before others, sound before ejected, fresh before tried."""
        every = list(self._records.values())
        fresh = [record for record in every if record.instance.id not in avoid] or every
        sound = [record for record in fresh if record.ejected_until <= now] or fresh
        return [record for record in sound if record.instance.zone == self._zone] or sound

    def _may_eject(self, now: float) -> bool:
        return len(self.ejected(now)) + 1 <= EJECT_SHARE_MAX * len(self._records)


def _load(record: _Record) -> float:
    return (record.in_flight + 1) / record.instance.weight
