"""The benchmark of fan-out: not its numbers, but that it runs the whole path and compares what it says."""

from __future__ import annotations

import pytest

from bench import fanout_peers
from bench.fanout import Plan, measure
from bench.fanout_peers import PEERS, PeerMissing

SOCKETS = 20


@pytest.mark.mesh
def test_ours_and_the_floor_are_measured_in_every_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there is named with what brings it, and one that does not start with why."""

    def absent(place: fanout_peers.Place) -> None:
        raise PeerMissing("by hand: apt-get install absent")

    def broken(place: fanout_peers.Place) -> None:
        raise OSError("no such thing")

    servers = {"floor": PEERS["floor"], "absent": absent, "broken": broken, "parley": PEERS["parley"]}
    monkeypatch.setattr("bench.fanout.PEERS", servers)
    plan = Plan(sockets=(SOCKETS,), rounds=2, cell_s=0.05, servers=tuple(servers))
    result = measure(lambda _: None, plan=plan)
    assert result["failed"] == {"broken": "did not start: OSError no such thing"}
    assert result["missing"] == {"absent": "by hand: apt-get install absent"}
    windows = result["figures"][str(SOCKETS)]
    assert set(windows) == {"1", "4", "16", "64"}
    for servers_there in windows.values():
        assert set(servers_there) == {"floor", "parley"}
        for figures in servers_there.values():
            assert figures["rounds"] == 2
            assert figures["per_s"] > 0
            assert figures["per_cpu_s"] > 0
        assert servers_there["floor"]["ratio_cpu"] == 1.0
        assert servers_there["parley"]["behind_used"] > 0
    assert not result["ok"]
