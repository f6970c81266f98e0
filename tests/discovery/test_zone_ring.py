"""The ring of one zone: whose members it has, who stands in for them, and that calls go by it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from discovery.ring import RingEmptyError
from discovery.ring_watcher import Cell, RingWatcher
from discovery.view import Instance
from parley.webapp.v1.webapp_service_pb2 import ReadHeadsRequest
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from tests.discovery.test_stubs import Seen, Webapp, name_in, pools_of, read_heads

KEYS = [f"T{number}" for number in range(50)]


def fleet(*zones: str, each: int = 2) -> list[Instance]:
    """Return edges of zones."""
    return [Instance(f"edge-{zone}-{n}", "edge", f"{zone}-{n}:1", zone) for zone in zones for n in range(each)]


def zones_of(instances: Iterable[Instance]) -> set[str]:
    """Return where they are."""
    return {instance.zone for instance in instances}


def test_a_zone_has_its_own_members_whatever_others_have() -> None:
    """Another zone's edges come and go without moving a workspace here."""
    assert zones_of(Cell("az1").members(fleet("az1", "az2", "az3"))) == {"az1"}
    assert Cell("az1").members(fleet("az1", "az2")) == Cell("az1").members(fleet("az1"))


def test_an_empty_zone_turns_to_one_other_and_stays_there() -> None:
    """The same for everyone of the zone in whatever order members are seen; not the same for all zones."""
    everyone = fleet("az1", "az2", "az3", "az4")
    for zone in ("az8", "az9"):
        chosen = Cell(zone).members(everyone)
        assert len(zones_of(chosen)) == 1
        assert len(chosen) == 2
        assert zones_of(Cell(zone).members(everyone[::-1])) == zones_of(chosen)
        others = [instance for instance in everyone if instance.zone not in zones_of(chosen)]
        assert Cell(zone).members([*others[:1], *chosen]) == chosen
    assert len({Cell(f"zone-{n}").members(everyone)[0].zone for n in range(50)}) == 4


def test_a_member_owns_nothing_by_the_ring_of_a_zone_that_is_not_its_own() -> None:
    """Without fallback an empty zone is an empty ring."""
    assert not Cell("az9", has_fallback=False).members(fleet("az1", "az2"))
    assert not Cell("az9").members([])


def test_callers_and_members_of_a_zone_agree_on_owners() -> None:
    """Callers of an empty zone too, with the members of the zone that they turn to."""
    seen = Seen()
    rings = {zone: RingWatcher(seen, cell=Cell(zone)) for zone in ("az1", "az2", "az9")}
    members = {zone: RingWatcher(seen, cell=Cell(zone, has_fallback=False)) for zone in ("az1", "az2", "az9")}
    seen.show(*fleet("az1", "az2", each=3))
    for key in KEYS:
        for zone in ("az1", "az2"):
            assert rings[zone].owner(key) == members[zone].owner(key)
            assert rings[zone].fingerprint == members[zone].fingerprint
        turned_to = rings["az9"].owner(key).zone
        assert rings["az9"].owner(key) == members[turned_to].owner(key)
        with pytest.raises(RingEmptyError):
            members["az9"].owner(key)
    seen.show(*fleet("az9"))
    assert {rings["az9"].owner(key).zone for key in KEYS} == {"az9"}
    assert zones_of([rings["az1"].owner("T1"), rings["az2"].owner("T1")]) == {"az9"}


@pytest.mark.parametrize("zone_first", [True, False], ids=["zone first", "zone last"])
async def test_calls_go_to_owners_of_the_own_zone(zone_first: bool) -> None:
    """Whichever of the two rings a process asked for first; to the other zone when the own one has nobody."""
    async with pools_of(Webapp("near"), Webapp("far")) as (pools, seen, [near, far]):
        far = Instance(far.id, far.tier, far.address, "az2")
        rings = [RingWatcher(seen, cell=Cell("az1")), RingWatcher(seen)]
        for ring in rings if zone_first else rings[::-1]:
            pools.follow_ring("webapp", ring)

        async def answers() -> set[str]:
            calls = [
                await pools.call_owner("webapp", key, WebappServiceStub, read_heads, ReadHeadsRequest(), timeout_s=1)
                for key in KEYS
            ]
            return {name_in(answer) for answer in calls}

        seen.show(near, far)
        assert await answers() == {"near"}
        seen.show(far)
        assert await answers() == {"far"}
