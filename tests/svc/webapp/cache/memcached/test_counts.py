"""What metrics readers see of nodes."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from svc.webapp.cache.memcached.counts import watch_nodes
from tests.svc.webapp.cache.memcached.clients import client, misbehaving, number, until_alive


def read(reader: InMemoryMetricReader) -> dict[str, object]:
    """Return every number by name, and by state where there is one."""
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    found: dict[str, object] = {}
    for metric in metrics:
        for point in metric.data.data_points:
            assert isinstance(point, NumberDataPoint)
            name = metric.name.removeprefix("parley.webapp.cache.")
            found[f"{name} {(point.attributes or {}).get('state', '')}".strip()] = point.value
    return found


async def test_what_happens_to_a_node_is_counted() -> None:
    """Gets, answers that did not come, deletions, deaths; no key and no address among the labels."""
    replies = {b"k1": b"VA 1 t5 f1 c1 %b\r\nx\r\n", b"k2": b"VA 0 t-1 f0 c1 %b W\r\n\r\n", b"k3": b"HD %b\r\n"}

    def reply(line: bytes) -> bytes | None:
        template = replies.get(line.split()[1])
        return template and template.replace(b"%b", number(line))

    reader = InMemoryMetricReader()
    async with misbehaving(reply) as server, client(server.address) as node:
        watch_nodes(MeterProvider([reader]).get_meter("test"), node.counts, lambda: [node.state])
        await node.get(["k1", "k2", "k1"], 10)
        await node.delete(["k3"], 0)
        assert read(reader)["nodes alive"] == 1
        assert await node.get(["ends"], 10) == [None]
        await until_alive(node, alive=False)
        await node.delete(["k3"], 0)
        seen = read(reader)
    assert (seen["node.gets"], seen["node.unanswered"], seen["node.misses"], seen["node.leases_won"]) == (4, 1, 1, 1)
    assert (seen["node.deletes"], seen["node.undelivered"]) == (2, 1)
    assert seen["nodes alive"] == 0
