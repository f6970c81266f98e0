"""One trace shows a message's way."""

from __future__ import annotations

import asyncio

import pytest

from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_posted_message_is_one_tree_of_spans_through_five_tiers(shared: Town) -> None:
    """HTTP, webapp, admin, channel, gateway: one root, no loose span, in the order of the way."""
    assert shared.collector is not None
    text = "follow me"
    async with shared["grace"].connected() as socket:
        await shared["ada"].post(shared.general, text)
        await socket.wait_text(text)
        async with asyncio.timeout(10):
            while not (pushes := [s for s in shared.collector.spans if s.name == "gateway.push"]):
                await asyncio.sleep(0.05)
    trace: list[str] = []
    async with asyncio.timeout(10):
        while True:
            spans = shared.collector.trace_of(pushes[-1])
            trace = [f"{span.service} {span.name}" for span in spans]
            if len({span.service for span in spans}) >= 4 and any(not span.parent_id for span in spans):
                break
            await asyncio.sleep(0.05)
    by_id = {span.span_id: span for span in spans}
    roots = [span for span in spans if not span.parent_id]
    assert [(root.service, root.name) for root in roots] == [("parley-webapp", "POST chat.postMessage")], trace
    assert all(span.parent_id in by_id for span in spans if span.parent_id), trace
    way = []
    span = by_id[pushes[-1].span_id]
    while True:
        way.append((span.service, span.name))
        if not span.parent_id:
            break
        span = by_id[span.parent_id]
    assert [service for service, _ in way] == [
        "parley-gateway",
        "parley-channel",
        "parley-admin",
        *["parley-webapp"] * (len(way) - 3),
    ], way
    assert {"channel.fanout", "admin.route"} <= {name for _, name in way}
