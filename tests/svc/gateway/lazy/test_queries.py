"""Frames of lazy queries: what they ask of the edge, what is refused, and that nothing in them is ever trusted."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.edge.v1 import edge_service_pb2 as edge
from svc.gateway.lazy import queries
from svc.gateway.lazy.queries import Query, QueryRate
from svc.gateway.session import Send, Session, SessionLimits
from tests.svc.gateway.test_session import JSON, answers, body

U, W, C, D = "U0000000001", "W0000000001", "C0000000001", "D0000000001"


def asked(frame: dict[str, Any]) -> Query:
    return queries.read(frame["type"], frame.get("id"), frame)


@pytest.mark.parametrize(
    ("frame", "request_", "unknown"),
    [
        (
            {"type": "objects", "ids": {U: 12, C: None, "nobody": 3, D: None}},
            edge.GetObjectsRequest(objects=[edge.KnownObject(id=U, version=12, held=True), edge.KnownObject(id=C)]),
            ("nobody", D),
        ),
        ({"type": "objects", "ids": {}}, edge.GetObjectsRequest(), ()),
        (
            {"type": "search", "prefix": "an", "kinds": ["users"], "limit": 5, "near": [U, "x", 3], "inactive": True},
            edge.SearchRequest(
                prefix="an", kinds=[edge.OBJECT_KIND_USER], limit=5, near_ids=[U], include_inactive=True
            ),
            (),
        ),
        ({"type": "search", "prefix": "Ä"}, edge.SearchRequest(prefix="Ä"), ()),
        (
            {"type": "members", "channel": D, "cursor": W, "limit": 1000},
            edge.ListMembersRequest(channel_id=D, after_user_id=W, limit=1000),
            (),
        ),
        ({"type": "emoji", "version": 7}, edge.ListEmojiRequest(version=7), ()),
        ({"type": "emoji"}, edge.ListEmojiRequest(), ()),
        (
            {"type": "search", "prefix": "a", "team": "T9", "team_id": "T9", "user_id": "U9"},
            edge.SearchRequest(prefix="a"),
            (),
        ),
    ],
)
def test_a_frame_becomes_a_request(frame: dict[str, Any], request_: Any, unknown: tuple[str, ...]) -> None:
    """Never with a team or a user: those are the ticket's."""
    assert asked({"id": 3} | frame) == Query(3, request_, unknown)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "objects"},
        {"type": "objects", "ids": [U]},
        {"type": "objects", "ids": {U: -1}},
        {"type": "objects", "ids": {U: True}},
        {"type": "objects", "ids": {U: "1"}},
        {"type": "objects", "ids": {U: 2**63}},
        {"type": "objects", "ids": {f"U{number:010}": None for number in range(501)}},
        {"type": "search"},
        {"type": "search", "prefix": ""},
        {"type": "search", "prefix": "a" * 65},
        {"type": "search", "prefix": "a", "kinds": ["files"]},
        {"type": "search", "prefix": "a", "kinds": [["users"]]},
        {"type": "search", "prefix": "a", "limit": 21},
        {"type": "search", "prefix": "a", "near": [U] * 201},
        {"type": "members", "channel": U},
        {"type": "members", "channel": C, "cursor": "next"},
        {"type": "members", "channel": C, "limit": 1001},
        {"type": "members", "channel": C, "limit": 1.5},
        {"type": "emoji", "version": "7"},
    ],
)
def test_a_wrong_query_is_answered_with_what_is_wrong(frame: dict[str, Any]) -> None:
    """The hint is a sentence for whoever writes the client."""
    [answer] = answers(Session(SessionLimits(), 0.0).text(orjson.dumps(frame | {"id": 9}), 0.0))
    hint = answer["error"].pop("hint")
    assert answer == {"ok": False, "reply_to": 9, "error": {"code": 9, "msg": "invalid_arguments"}}
    assert len(hint) > 10


def test_queries_have_a_rate_of_their_own() -> None:
    """Beyond it they are refused with when to come again; other frames are not touched."""
    limits = SessionLimits(queries=QueryRate(queries_per_s=2.0, queries_burst=3))
    session = Session(limits, 0.0)
    query = orjson.dumps({"id": 1, "type": "emoji"})
    assert [type(action) for _ in range(3) for action in session.text(query, 0.0)] == [Query] * 3
    [refusal] = answers(session.text(query, 0.0))
    assert refusal["error"] == {"code": 6, "msg": "ratelimited", "retry_after": 0.5}
    assert answers(session.text(b'{"type":"ping"}', 0.0)) == [{"type": "pong"}]
    assert [type(action) for action in session.text(query, 0.5)] == [Query]


KEYS = st.sampled_from(["id", "ids", "prefix", "kinds", "limit", "near", "inactive", "channel", "cursor", "version"])
IDS = st.sampled_from([U, W, C, D, "", "U1", "u0000000001", "\U0001f600" * 20])
VALUES = JSON | st.dictionaries(IDS, JSON) | st.lists(IDS) | IDS | st.integers(0, 30)


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from(queries.KINDS_OF_QUERY))
def test_whatever_a_query_holds_it_is_asked_within_bounds_or_answered(frame: dict[str, Any], kind: str) -> None:
    """Fuzzing: nothing raises, and what is asked the edge will take."""
    try:
        payload = orjson.dumps(frame | {"type": kind})
    except TypeError:
        return  # not JSON (a number too large for it)
    [action] = Session(SessionLimits(), 0.0).text(payload, 0.0)
    if isinstance(action, Send):
        assert body(action.frame)["error"]["code"] == 9
        return
    assert isinstance(action, Query)
    assert not action.request.team_id
    if isinstance(action.request, edge.SearchRequest):
        assert 1 <= len(action.request.prefix) <= 64
        assert action.request.limit <= 20
        assert len(action.request.near_ids) <= 200
