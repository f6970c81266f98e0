"""The schedules of faults."""

from __future__ import annotations

import pytest

from ops.chaos.faults import APP_GATEWAY, APP_OWNER, PRIMARY, URL_OWNER, Action, Cut
from ops.chaos.scenarios import COUNTS, SCENARIOS, TAIL_S, WARM_S, ZONES, schedule
from ops.local.spec import places

EVERYBODY = {name for tier, count in COUNTS.items() for name, _ in places(tier, count, ZONES)}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_seed_gives_the_same_schedule_every_time_and_another_seed_another(name: str) -> None:
    """A failing run can be repeated."""
    scenario = SCENARIOS[name]
    assert schedule(scenario, 7, 60.0) == schedule(scenario, 7, 60.0)
    assert len({schedule(scenario, seed, 60.0) for seed in range(5)}) == 5


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("seed", range(20))
def test_the_usual_length_holds_five_faults_or_more_with_load_before_and_after(name: str, seed: int) -> None:
    """Fewer would prove little."""
    scenario = SCENARIOS[name]
    faults = schedule(scenario, seed, scenario.duration_s)
    assert len(faults) >= 5
    assert faults[0].at_s >= WARM_S
    assert faults[-1].at_s <= scenario.duration_s - TAIL_S
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)


@pytest.mark.parametrize("name", SCENARIOS)
def test_faults_hit_what_the_mesh_has(name: str) -> None:
    """Names are those that the mesh will give."""
    for fault in schedule(SCENARIOS[name], 3, 120.0):
        assert fault.target in EVERYBODY | {
            "consul",
            "mariadb",
            "channel",
            "memcached",
            PRIMARY,
            APP_OWNER,
            APP_GATEWAY,
            URL_OWNER,
        }, fault


def test_half_a_minute_of_kill_any_has_five_faults() -> None:
    """That is what the tests run."""
    assert all(len(schedule(SCENARIOS["kill-any"], seed, 30.0)) >= 5 for seed in range(50))


def test_a_rolling_restart_meets_every_instance_once() -> None:
    """Nobody is left out, nobody twice."""
    scenario = SCENARIOS["rolling-restart"]
    faults = schedule(scenario, 1, scenario.duration_s)
    assert sorted(fault.target for fault in faults) == sorted(EVERYBODY)
    assert {fault.action for fault in faults} == {Action.RESTART}


def test_partitions_come_from_every_side_in_both_ways() -> None:
    """From Consul, from admin, from gateways; silent and by resets."""
    scenario = SCENARIOS["partition-channel"]
    faults = schedule(scenario, 1, scenario.duration_s)
    assert {(fault.peers, fault.cut) for fault in faults} == {
        (peers, cut) for peers in ("consul", "admin", "gateway") for cut in Cut
    }


def test_whoever_leaves_the_ring_comes_back_before_anybody_else_leaves() -> None:
    """The ring never shrinks below a server less than it had."""
    away: list[str] = []
    for fault in schedule(SCENARIOS["join-leave"], 2, 120.0):
        if fault.action is Action.LEAVE:
            assert not away
            away.append(fault.target)
        elif fault.action is Action.RETURN:
            assert away.pop() == fault.target
