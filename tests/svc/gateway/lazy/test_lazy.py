"""Lazy queries over real sockets: answers, errors that come in time, bounds, and queries that end with their client."""

import asyncio
from typing import Any

import pytest

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge_pb
from svc.gateway.lazy.lazy import LazyLimits
from svc.kit.errors import ParleyError, ResourceExhaustedError, UnavailableError
from tests.svc.gateway.conftest import until
from tests.svc.gateway.edge_twin import TEAM

ANN, BOB, EVE = "U0000000001", "U0000000002", "U0000000003"
C, D = "C0000000001", "C0000000002"


async def test_objects_come_with_versions_and_unchanged_ones_stay_away(house: Any) -> None:
    """Slack's objects, the version beside; membership is the session's."""
    house.edge.add(ANN, "ann", 4, real_name="Ann Example")
    house.edge.add(BOB, "bob", 7)
    for channel_id in (C, D):
        house.edge.channels[channel_id] = boot_pb2.Channel(
            id=channel_id, team_id=TEAM, name=channel_id.lower(), kind=boot_pb2.CHANNEL_KIND_PUBLIC, version=2
        )
    ann = await house.connect(ANN, C)
    answer = await ann.ask(id=1, type="objects", ids={ANN: 3, BOB: 7, EVE: None, C: None, D: 1, "x": None}, team="T9")
    assert (answer["ok"], answer["reply_to"], answer["unknown"]) == (True, 1, [EVE, "x"])
    [user] = answer["users"]
    assert (user["id"], user["v"], user["profile"]["real_name"]) == (ANN, 4, "Ann Example")
    assert {each["id"]: each["is_member"] for each in answer["channels"]} == {C: True, D: False}
    assert house.edge.asked[0].team_id == TEAM
    nothing = await ann.ask(id=2, type="objects", ids={"x": None})
    assert nothing == {"ok": True, "reply_to": 2, "users": [], "channels": [], "unknown": ["x"]}
    assert len(house.edge.asked) == 1, "what cannot exist is not asked for"


async def test_search_members_and_emoji(house: Any) -> None:
    """As the user of the ticket, whatever the frame says."""
    house.edge.add(ANN, "ann")
    house.edge.membership[C] = [ANN, BOB, EVE]
    house.edge.custom = [boot_pb2.Emoji(name="party", value="https://example.org/party.png")]
    ann = await house.connect(ANN, C)
    assert [each["id"] for each in (await ann.ask(id=1, type="search", prefix="an", user_id=EVE))["users"]] == [ANN]
    assert house.edge.asked[-1].user_id == ANN
    page = await ann.ask(id=2, type="members", channel=C, limit=2)
    assert page == {"ok": True, "reply_to": 2, "members": [ANN, BOB], "total": 3, "cursor": BOB}
    rest = await ann.ask(id=3, type="members", channel=C, limit=2, cursor=page["cursor"])
    assert rest == {"ok": True, "reply_to": 3, "members": [EVE], "total": 3, "cursor": ""}
    hidden = await ann.ask(id=4, type="members", channel=D)
    assert hidden == {"ok": False, "reply_to": 4, "error": {"code": 4, "msg": "channel_not_found"}}
    emoji = await ann.ask(id=5, type="emoji")
    assert emoji == {"ok": True, "reply_to": 5, "emoji": {"party": "https://example.org/party.png"}, "version": 7}
    assert await ann.ask(id=6, type="emoji", version=7) == {"ok": True, "reply_to": 6, "unchanged": True, "version": 7}


@pytest.mark.parametrize("error", [UnavailableError("away"), ResourceExhaustedError("full")])
async def test_an_edge_that_is_away_is_an_error_with_a_hint(house: Any, error: ParleyError) -> None:
    """The client asks again, or over HTTP."""
    house.edge.error = error
    ann = await house.connect(ANN, C)
    answer = await ann.ask(id=1, type="search", prefix="a")
    assert (answer["error"]["code"], answer["error"]["msg"]) == (7, "service_unavailable")
    assert 1.0 <= answer["error"]["retry_after"] <= 2.0
    assert "client.search" in answer["error"]["hint"]
    assert house.lazy.failed == 1
    house.edge.error = None
    assert (await ann.ask(id=2, type="search", prefix="a"))["ok"]


async def test_an_edge_that_hangs_costs_the_deadline_and_events_go_on(open_house: Any) -> None:
    """Never a hang."""
    house = await open_house(lazy=LazyLimits(query_timeout_s=0.2))
    house.edge.may_answer.clear()
    ann = await house.connect(ANN, C)
    await ann.say(id=1, type="emoji")
    house.mesh.append(C, text="meanwhile")
    assert await ann.texts(1) == ["meanwhile"]
    assert (await ann.json())["error"]["msg"] == "service_unavailable"


async def test_only_so_many_queries_are_under_way(open_house: Any) -> None:
    """For one connection, and in all; the others' answers come."""
    house = await open_house(lazy=LazyLimits(queries_open_max=3, queries_open_all_max=5))
    house.edge.may_answer.clear()
    ann, bob = await house.connect(ANN, C), await house.connect(BOB, C)
    for number in range(4):
        await ann.say(id=number, type="emoji")
    refusal = await ann.json()
    assert (refusal["reply_to"], refusal["error"]["msg"]) == (3, "ratelimited")
    for number in range(3):
        await bob.say(id=number, type="emoji")
    busy = await bob.json()
    assert (busy["reply_to"], busy["error"]["msg"]) == (2, "service_unavailable")
    assert house.lazy.open == 5
    house.edge.may_answer.set()
    assert {(await ann.json())["reply_to"] for _ in range(3)} == {0, 1, 2}
    assert {(await bob.json())["reply_to"] for _ in range(2)} == {0, 1}
    await until(lambda: house.lazy.open == 0)


async def test_a_client_that_leaves_takes_its_queries_along(house: Any) -> None:
    """The edge is not asked for the dead."""
    house.edge.may_answer.clear()
    ann = await house.connect(ANN, C)
    for number in range(5):
        await ann.say(id=number, type="emoji")
    await until(lambda: len(house.edge.asked) == 5)
    await ann.socket.close()
    await until(lambda: house.lazy.open == 0)
    assert house.edge.cancelled == 5


async def test_an_answer_that_is_too_large_says_what_is_left_and_cuts_nobody_off(open_house: Any) -> None:
    """Objects are told in parts; emoji only over HTTP."""
    house = await open_house(bytes_max=64 * 1024)
    ids = [f"U{number:010d}" for number in range(1, 101)]
    for user_id in ids:
        house.edge.add(user_id, user_id.lower(), status_text="x" * 100)
    house.edge.custom = [boot_pb2.Emoji(name=f"e{number}", value="x" * 100) for number in range(1_000)]
    ann = await house.connect(ANN, C)
    had: list[str] = []
    left = ids
    for number in range(20):
        answer = await ann.ask(id=number, type="objects", ids=dict.fromkeys(left))
        had += [user["id"] for user in answer["users"]]
        left = answer.get("more", [])
        if not left:
            break
    assert had == ids
    refusal = await ann.ask(id=99, type="emoji")
    assert (refusal["error"]["code"], refusal["error"]["msg"]) == (10, "answer_too_large")
    assert "client.emoji" in refusal["error"]["hint"]
    assert house.outbox.slow_consumers == 0


async def test_a_client_that_does_not_read_is_not_fed_answers(open_house: Any) -> None:
    """They wait for room, or are dropped; it is cut off by its events alone."""
    house = await open_house(bytes_max=256 * 1024, lazy=LazyLimits(query_timeout_s=0.3))
    for number in range(60):
        house.edge.add(f"U{number:010d}", "u", status_text="x" * 1_000)
    ann = await house.connect(ANN, C)
    ann.socket._response.connection.transport.pause_reading()
    ids = {f"U{number:010d}": None for number in range(60)}
    [mine] = house.connections
    for number in range(90):
        await ann.say(id=number, type="objects", ids=ids)
        if number % 8 == 7:
            await until(lambda: house.lazy.open == 0)
    assert house.outbox.slow_consumers == 0
    assert mine.unwritten_bytes <= 256 * 1024
    assert not mine.is_closing


FUZZ = [
    b'{"id":1,"type":"objects","ids":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"id":1,"type":"objects","ids":{"U0000000001":1e999}}',
    b'{"id":1,"type":"objects","ids":{"U0000000001":99999999999999999999}}',
    b'{"id":1,"type":"objects","ids":{"\\u0000":null,"\\ud83d\\ude00":null}}',
    b'{"id":1,"type":"search","prefix":"\\ud800"}',
    b'{"id":1,"type":"search","prefix":"\\u0000\\u0001"}',
    b'{"id":1,"type":"search","prefix":"%","near":[null,{},[]]}',
    b'{"id":1,"type":"members","channel":"C0000000001","cursor":{"a":1}}',
    b'{"id":1,"type":"members","channel":"C0000000001\\n"}',
    b'{"id":1,"type":"emoji","version":-0.0}',
    b'{"id":[],"type":"emoji"}',
    b'{"id":1,"type":"objects","ids":{' + b",".join(b'"U%010d":%d' % (n, n) for n in range(2_000)) + b"}}",
]


@pytest.mark.parametrize("payload", FUZZ)
async def test_a_malformed_query_touches_nobody_else(house: Any, payload: bytes) -> None:
    """It is answered, the connection stays, and others hear on."""
    ann, bob = await house.connect(ANN, C), await house.connect(BOB, C)
    await ann.socket.send_str(payload.decode())
    answer = await ann.json()
    assert "ok" in answer
    house.mesh.append(C, text="still here")
    assert await ann.texts(1) == await bob.texts(1) == ["still here"]
    assert await bob.hears_nothing()


async def test_the_edge_may_answer_anything(house: Any) -> None:
    """A page without members but with more, users without a zone: nothing raises."""
    house.edge.members = _page
    ann = await house.connect(ANN, C)
    page = await ann.ask(id=1, type="members", channel=C)
    assert page == {"ok": True, "reply_to": 1, "members": [], "total": 0, "cursor": ""}
    await asyncio.sleep(0)
    assert house.lazy.open == 0


async def _page(request: edge_pb.ListMembersRequest, timeout_s: float) -> edge_pb.ListMembersResponse:
    return edge_pb.ListMembersResponse(has_more=True)
