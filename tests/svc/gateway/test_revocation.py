"""Sessions end with the tokens that they were begun with: told by the user's channel, by webapp, or by the clock."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import aiohttp
import pytest

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway import resume
from svc.gateway.close_codes import CloseCode, may_come_back
from svc.gateway.keepalive import KeepaliveLimits
from tests.svc.gateway.conftest import until

A = "C0000000001"
ANN = "U0000000001"
ONE, OTHER = b"1" * 16, b"2" * 16
REVOKED = {"type": "error", "error": {"code": 1, "msg": "token_revoked"}}
RESUMES = ("resume_aware", "resume")


async def connect(house: Any, token: bytes, flags: Sequence[str] = (), **claims: Any) -> Any:
    """Return a socket of ann's that was begun with a token."""
    more = {"tok": base64.urlsafe_b64encode(token).decode(), **claims}
    return await house.http.ws_connect(house.url(ANN, flags, more=more), autoping=False)


def revoke(house: Any, *tokens: bytes) -> None:
    """Commit what webapp does when tokens are revoked."""
    house.mesh.revoked.update(tokens)
    revocation = event_pb.Revocation(token_prefixes=tokens)
    house.mesh.append(ANN, kind=event_pb.EVENT_KIND_USER, payload=b"", revocation=revocation)


async def told(socket: Any) -> Any:
    """Return the next object that is no ping, or the code of the Close."""
    while True:
        frame = await socket.receive(timeout=5.0)
        if frame.type.name == "TEXT":
            return frame.json()
        if frame.type.name == "CLOSE":
            return int(frame.data)
        assert frame.type.name == "PING", frame


async def follows(house: Any, socket: Any) -> None:
    """Wait until a session follows its channels."""
    assert (await told(socket))["type"] == "hello"
    await until(lambda: all(len(each.channels) == 2 for each in house.connections))


async def test_a_revocation_closes_the_sessions_of_its_token_and_no_others(house: Any) -> None:
    """With a word first, and a code that says not to come back."""
    house.mesh.members[ANN] = [A]
    mine, others = await connect(house, ONE), await connect(house, OTHER)
    for socket in (mine, others):
        await follows(house, socket)
    revoke(house, ONE)
    assert await told(mine) == REVOKED
    assert await told(mine) == CloseCode.TOKEN_REVOKED
    assert not may_come_back(CloseCode.TOKEN_REVOKED)
    house.mesh.append(A, text="still here")
    assert (await told(others))["text"] == "still here"


async def test_a_ticket_of_a_revoked_token_opens_no_session(house: Any) -> None:
    """Webapp says so when it is asked what the session follows; nothing but a word comes before the end."""
    house.mesh.members[ANN] = [A]
    house.mesh.append(A)
    revoke(house, ONE)
    socket = await connect(house, ONE)
    assert await told(socket) == REVOKED
    assert await told(socket) == CloseCode.TOKEN_REVOKED


async def test_a_session_that_resumes_meets_the_revocation_in_its_past(house: Any) -> None:
    """It was told of nothing while it was away; another token's session goes on."""
    house.mesh.members[ANN] = [A]
    revoke(house, ONE)
    house.mesh.revoked.clear()
    token = resume.encode([(ANN, 0), (A, 0)])
    gone, other = await connect(house, ONE, RESUMES), await connect(house, OTHER, RESUMES)
    for socket in (gone, other):
        assert (await told(socket))["type"] == "hello"
        await socket.send_json({"type": "resume", "token": token})
        assert (await told(socket))["type"] == "resumed"
    assert await told(gone) == REVOKED
    assert await told(gone) == CloseCode.TOKEN_REVOKED
    assert await told(other) == {"type": "position", "position": f"{ANN}:1"}
    house.mesh.append(A, text="on")
    assert (await told(other))["text"] == "on"


async def test_a_post_before_the_session_is_known_says_whose_token_it_is(house: Any) -> None:
    """So that webapp may refuse it; afterwards nobody has to ask."""
    house.mesh.members[ANN] = [A]
    house.mesh.is_down = True
    socket = await connect(house, ONE)
    assert (await told(socket))["type"] == "hello"
    await socket.send_json({"id": 1, "type": "message", "channel": A, "text": "early"})
    assert (await told(socket))["ok"] is False
    assert house.mesh.posts[-1].token_prefix == ONE
    house.mesh.is_down = False
    await until(lambda: all(each.is_known for each in house.connections))
    await socket.send_json({"id": 2, "type": "message", "channel": A, "text": "later"})
    answer = await told(socket)
    assert answer["ok"] is True, answer
    assert house.mesh.posts[-1].token_prefix == b""


async def test_a_session_ends_with_the_time_of_its_token(open_house: Callable[..., Coroutine[Any, Any, Any]]) -> None:
    """By the gateway's own clock."""
    house = await open_house(keepalive=KeepaliveLimits(ping_interval_s=0.5))
    house.mesh.members[ANN] = [A]
    lasting = await connect(house, OTHER, ends=int(time.time()) + 3600)
    await follows(house, lasting)
    socket = await connect(house, ONE, ends=int(time.time()) + 1)
    frames: list[Any] = []
    while not frames or not isinstance(frames[-1], int):
        frames.append(await told(socket))
    assert frames[-2:] == [{"type": "error", "error": {"code": 1, "msg": "token_expired"}}, CloseCode.TOKEN_EXPIRED]
    await lasting.send_json({"type": "ping"})
    assert (await told(lasting))["type"] == "pong"


async def test_a_ticket_with_a_damaged_claim_opens_nothing(house: Any) -> None:
    """Its session could not be ended."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await house.http.ws_connect(house.url(ANN, more={"tok": "not base64!"}))
    assert refused.value.status == 403
