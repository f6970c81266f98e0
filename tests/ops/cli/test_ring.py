"""`parley ring` and `parley bench`: what people and programs read."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from discovery.ring import SLOTS, Member, Ring
from discovery.view import Instance
from ops.cli import bench, ring
from tests.discovery.fake_consul import Answer, FakeConsul


def test_a_ring_is_described_by_its_members_and_their_loads() -> None:
    """Loads are over fair shares by weight, slots add up, owners are the ring's own."""
    placed = Ring([Member("a", 1, "h:1", "az1"), Member("b", 3, "h:2", "az2")])
    shown = ring.describe(placed, "channel", ("C1", "U1"))
    assert sum(member["slots"] for member in shown["members"]) == SLOTS
    assert shown["balance"]["max_over_mean"] == pytest.approx(1, abs=0.05)
    assert [each["owner"] for each in shown["keys"]] == [placed.owner("C1"), placed.owner("U1")]
    assert shown["fingerprint"] == f"{placed.fingerprint:016x}"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), "2 members"), (("C1",), "127.0.0.1:1"), (("--tier", "edge", "T1", "T2"), "T2")],
)
async def test_the_command_reads_consul(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], expected: str
) -> None:
    """A table of members, or of owners."""
    code, output = await _run(monkeypatch, FakeConsul(lambda query: Answer("ab")), arguments)
    assert code == 0
    assert expected in output


def test_edges_have_a_ring_in_each_zone() -> None:
    """A workspace has an owner in each; a zone without edges sees those that its callers turn to."""
    edges = [Instance(name, "edge", f"h:{name}", zone) for name, zone in (("a1", "a"), ("a2", "a"), ("b1", "b"))]
    first, second = ring.zone_rings(edges, ("T1",))
    assert [first["zone"], second["zone"]] == ["a", "b"]
    assert {member["id"] for member in first["members"]} == {"a1", "a2"}
    assert second["keys"][0]["owner"] == "b1"
    [stand_in] = ring.zone_rings(edges, ("T1",), "c")
    assert stand_in["members"] == [
        member
        for each in (first, second)
        for member in each["members"]
        if member["zone"] == stand_in["members"][0]["zone"]
    ]


async def test_a_zone_is_only_the_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channel and presence servers of all zones are one ring: an answer for one zone would be wrong."""
    code, output = await _run(monkeypatch, FakeConsul(lambda query: Answer("ab")), ("--zone", "a"))
    assert code == 1
    assert "one for all zones" in output


async def test_a_name_is_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel's name would hash to some slot too, and the answer would be wrong."""
    code, output = await _run(monkeypatch, FakeConsul(lambda query: Answer("ab")), ("#general",))
    assert code == 1
    assert "'#general' is not an id" in output


async def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """For programs."""
    _, output = await _run(monkeypatch, FakeConsul(lambda query: Answer("ab")), ("C1", "--json"))
    shown = json.loads(output)
    assert [member["id"] for member in shown["members"]] == ["a", "b"]
    assert shown["keys"][0]["key"] == "C1"


async def test_a_tier_without_members_is_a_failure_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody owns anything: that is no empty table."""
    code, output = await _run(monkeypatch, FakeConsul(), ())
    assert code == 1
    assert "No channel server" in output


def test_every_benchmark_in_the_table_can_be_run() -> None:
    """The help lists them; an unknown one is wrong usage."""
    shown = CliRunner().invoke(bench.command, ["--help"])
    assert all(name in shown.output for name, _, _ in bench.BENCHES)
    assert CliRunner().invoke(bench.command, ["nothing"]).exit_code == 2


async def _run(monkeypatch: pytest.MonkeyPatch, consul: FakeConsul, arguments: tuple[str, ...]) -> tuple[int, str]:
    """Run `parley ring` in a thread, beside the Consul that it asks."""
    async with consul:
        monkeypatch.setenv("PARLEY_CONSUL_ADDR", consul.address)
        result = await asyncio.to_thread(CliRunner().invoke, ring.command, arguments)
    return result.exit_code, result.output
