"""From rounds to figures: what is compared with what, and what counts as reached."""

from __future__ import annotations

from typing import Any

from bench.cores import Cores
from bench.fanout_figures import Cell, figures, misses
from bench.fanout_load import mark
from bench.fanout_peers.peer import EVENT_BYTES, event, length_prefixed


def cell(server: str, number: int, deliveries: int, wall_s: float, cpu_s: float, window: int = 1) -> Cell:
    """A measurement of 1,000 sockets."""
    return Cell(server, 1_000, window, number, deliveries, wall_s, cpu_s)


def measured(window: int = 1, **ratios: float) -> dict[str, Any]:
    """Figures of one window: the floor delivers 1,000 a second, everybody else that much times its ratio."""
    cells = [cell("floor", 0, 1_000, 1.0, 1.0, window)]
    cells += [cell(name, 0, int(1_000 * ratio), 1.0, 1.0, window) for name, ratio in ratios.items()]
    return figures(cells)


def test_a_figure_is_the_median_of_the_rounds_and_a_ratio_that_of_each_rounds_own() -> None:
    """A round in which the whole machine was slow tells as much of the ratio as any other."""
    rounds = [
        (cell("floor", 0, 100, 1.0, 0.5), cell("parley", 0, 200, 1.0, 0.5)),
        (cell("floor", 1, 100, 10.0, 5.0), cell("parley", 1, 400, 10.0, 5.0)),
        (cell("floor", 2, 100, 1.0, 0.5), cell("parley", 2, 300, 1.0, 1.0)),
    ]
    ours = figures(each for pair in rounds for each in pair)["1000"]["1"]["parley"]
    assert (ours["per_s"], ours["per_cpu_s"]) == (200, 300)
    assert (ours["ratio_wall"], ours["ratio_cpu"]) == (3.0, 2.0)
    assert (ours["core_used"], ours["rounds"]) == (0.5, 3)


def test_what_comes_before_the_server_is_told_beside_it_and_not_hidden() -> None:
    """A channel server that did the gateway's work would show."""
    behind = Cell("parley", 1_000, 1, 0, 300, 1.0, 1.0, behind_s=0.5)
    ours = figures([behind])["1000"]["1"]["parley"]
    assert (ours["per_cpu_s"], ours["per_cpu_s_with_behind"], ours["behind_used"]) == (300, 200, 0.5)
    assert "ratio_cpu" not in ours


def test_all_is_well_when_every_bar_is_reached() -> None:
    """By just enough."""
    assert misses(measured(1, parley=0.9, ws=0.89)) == []
    assert misses(measured(64, parley=5.0, ws=4.9)) == []
    assert misses(measured(16, parley=0.1)) == []


def test_each_bar_that_is_missed_is_named() -> None:
    """With the number that was reached, and whoever is ahead with theirs."""
    assert [each.split(": ")[1] for each in misses(measured(1, parley=0.8))] == ["ratio_cpu 0.8 < 0.9"]
    assert len(misses(measured(64, parley=4.9))) == 2
    assert misses(measured(16, parley=2.0, nchan=2.1)) == [
        "1000 sockets, 16 in flight: nchan has per_s 2100, ours 2000",
        "1000 sockets, 16 in flight: nchan has per_cpu_s 2100, ours 2000",
    ]
    assert misses(measured(4, nchan=2.0)) == ["1000 sockets, 4 in flight: ours was not measured"]


def test_a_server_without_figures_has_a_row_that_says_why() -> None:
    """Nobody is ahead by it, and what was measured before it failed stays beside the reason."""
    cells = [cell("floor", 0, 1_000, 1.0, 1.0), cell("parley", 0, 1_000, 1.0, 1.0), cell("ws", 0, 500, 1.0, 1.0)]
    found = figures(cells, (1, 4), {(1_000, "ws"): "it ended", (5_000, "nchan"): "not installed"})
    assert found["1000"]["1"]["ws"]["per_s"] == 500
    assert found["1000"]["1"]["ws"]["failed"] == "it ended"
    assert found["1000"]["4"] == {"ws": {"failed": "it ended"}}
    assert found["5000"]["1"] == {"nchan": {"failed": "not installed"}}
    assert "1000 sockets, 1 in flight: parley has 1 rounds of 5" in misses(found, 5)
    assert "5000 sockets, 1 in flight: ours was not measured" in misses(found, 5)


def test_every_event_has_the_same_size_and_its_offset_in_it_once() -> None:
    """Also where offsets get longer: bytes are what is compared."""
    for offset in (1, 999_999, 1_000_000, 2_000_000_000):
        body = event(offset)
        assert len(body) == EVENT_BYTES
        assert body.count(b"@") == body.count(mark(offset).encode()) == 1
    assert length_prefixed([b"ab", b"c"]) == b"\0\0\0\2ab\0\0\0\1c"


def test_the_server_has_a_processor_to_itself_where_there_are_two() -> None:
    """And shares it where there is one."""
    assert Cores.of({3, 1, 2}) == Cores(frozenset({1}), frozenset({2, 3}))
    assert Cores.of({1, 2}).are_apart
    alone = Cores.of({5})
    assert alone.rest == alone.server == {5}
    assert not alone.are_apart
