"""What edges hold, as `parley status` shows it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from discovery.view import Instance
from ops.cli import edges
from ops.cli.checkup import edge_finding


async def test_an_edge_is_asked_what_it_holds() -> None:
    """By its metrics, so that asking needs no right and costs it nothing."""
    registry = CollectorRegistry()
    Gauge("parley_edge_workspaces", "held", registry=registry).set(3)
    Gauge("parley_edge_model_bytes", "bytes", registry=registry).set(22_500_000)
    Counter("parley_edge_refusals", "refusals", ["why"], registry=registry).labels("stale").inc(2)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        meta = {"metrics_port": str(server.server_port)}
        others = [Instance("webapp-1", "webapp", "127.0.0.1:1", "a", meta=meta)]
        [held] = await edges.survey([*others, Instance("edge-1", "edge", "127.0.0.1:1", "a", meta=meta)])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert held.describe() == {
        "edge": "edge-1",
        "zone": "a",
        "workspaces": 3,
        "model_bytes": 22_500_000,
        "conversations": 0,
        "loads": 0,
        "load_failures": 0,
        "refusals": 2,
    }
    assert held.row() == ("edge-1", "a", "3", "22.5 MB", "0", "0", "0", "2")


async def test_an_edge_that_does_not_answer_is_shown_without_numbers() -> None:
    """The status is asked for when something is wrong, so nothing that is wrong may break it."""
    meta = {"metrics_port": "1"}
    edge, unknown = Instance("edge-1", "edge", "127.0.0.1:1", "a", meta=meta), Instance("edge-2", "edge", "[::1]:1")
    held = await edges.survey([edge, unknown])
    assert [each.row()[2:] for each in held] == [("-",) * 6] * 2
    assert held[0].describe()["workspaces"] is None


def test_doctor_warns_of_an_edge_that_cannot_load() -> None:
    """Nobody else notices: boots are served without it."""
    edge = Instance("edge-1", "edge", "127.0.0.1:1", "a")
    holds = {"parley_edge_workspaces": 2.0, "parley_edge_model_bytes": 3e6}
    found = edge_finding(edges.Held(edge, holds))
    assert (found.state, found.detail) == ("ok", "2 workspaces, 3.0 MB")
    assert edge_finding(edges.Held(edge, holds | {"parley_edge_load_failures": 1.0})).state == "warning"
    assert edge_finding(edges.Held(edge, None)).state == "warning"
