"""The benchmark of fan-out: not its numbers, but that it runs the whole path and compares what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from bench import fanout_peers
from bench.fanout import Plan, measure
from bench.fanout_peers import PEERS, Peer, PeerMissing
from bench.fanout_peers.floor import floor
from bench.fanout_peers.peer import LinePeer
from svc.kit.lifecycle import background

SOCKETS = 20


@pytest.mark.mesh
def test_ours_and_the_floor_are_measured_in_every_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there is named with what brings it, and one that does not start with why."""

    def absent(place: fanout_peers.Place) -> None:
        raise PeerMissing("by hand: apt-get install absent")

    def broken(place: fanout_peers.Place) -> None:
        raise OSError("no such thing")

    servers = {"floor": PEERS["floor"], "absent": absent, "broken": broken, "parley": PEERS["parley"]}
    monkeypatch.setattr("bench.fanout_runner.PEERS", servers)
    plan = Plan(sockets=(SOCKETS,), rounds=2, cell_s=0.05, servers=tuple(servers))
    result = measure(lambda _: None, plan=plan)
    assert result["failed"] == {f"broken, {SOCKETS} sockets": "did not start: OSError no such thing"}
    assert result["missing"] == {"absent": "by hand: apt-get install absent"}
    windows = result["figures"][str(SOCKETS)]
    assert set(windows) == {"1", "4", "16", "64"}
    for servers_there in windows.values():
        assert servers_there.pop("absent") == {"failed": "not installed: by hand: apt-get install absent"}
        assert servers_there.pop("broken") == {"failed": "did not start: OSError no such thing"}
        assert set(servers_there) == {"floor", "parley"}
        for figures in servers_there.values():
            assert figures["rounds"] == 2
            assert figures["per_s"] > 0
            assert figures["per_cpu_s"] > 0
        assert servers_there["floor"]["ratio_cpu"] == 1.0
        assert servers_there["parley"]["behind_used"] > 0
    assert not result["ok"]


class _Ending(LinePeer):
    """Takes so many publishes, and then its line ends."""

    def __init__(self, peer: LinePeer, publishes: int) -> None:
        super().__init__(peer.endpoint, peer.pids, peer.line)
        self._left = publishes
        self.ends = asyncio.Event()

    def encode(self, bodies: Sequence[bytes]) -> bytes:
        self._left -= 1
        if self._left < 0:
            self.ends.set()
            return b""
        return super().encode(bodies)

    async def until_it_ends(self) -> None:
        await self.ends.wait()
        raise ConnectionError("the line ended")


def test_a_server_that_breaks_says_so_in_its_row_and_the_others_are_measured_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a step waits for it, and between steps; with other sockets it gets another chance."""

    @asynccontextmanager
    async def ending(place: fanout_peers.Place) -> AsyncIterator[Peer]:
        async with floor(place) as peer:
            assert isinstance(peer, LinePeer)
            # The warm-up takes four.
            mine = _Ending(peer, 6 if place.folder.name.endswith("-5") else 1_000_000)
            async with background("line", mine.until_it_ends()):
                yield mine

    monkeypatch.setattr("bench.fanout_runner.PEERS", {"floor": floor, "ending": ending})
    plan = Plan(sockets=(5, 9), windows=(1, 4), rounds=2, cell_s=0.0, servers=("floor", "ending"))
    result = measure(lambda _: None, plan=plan)
    why = "ConnectionError the line ended"
    assert result["failed"] == {"ending, 5 sockets": why}
    few, more = result["figures"]["5"], result["figures"]["9"]
    assert [few[window]["floor"]["rounds"] for window in few] == [2, 2]
    assert [few[window]["ending"].get("rounds") for window in few] == [1, 1]
    assert [few[window]["ending"]["failed"] for window in few] == [why, why]
    assert [more[window]["ending"]["rounds"] for window in more] == [2, 2]
