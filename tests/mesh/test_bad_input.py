"""Bad input is answered as Slack would, or with a clear close code, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from ops.keyspaces import workspace_rules
from svc.kit.tokens import Signer
from svc.webapp.store.rows import User
from tests.mesh.people import Json, Person, Socket
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def bystander(shared: Town) -> AsyncIterator[Socket]:
    """Somebody who must not notice: still connected, and still served, when the test is over."""
    async with shared["linus"].connected() as socket:
        yield socket
        await shared["ada"].post(shared.general, "is everything all right?")
        await socket.wait_text("is everything all right?")
        assert socket.close_code is None


async def raw(town: Town, method: str, **request: Any) -> tuple[int, Json]:
    """Make any HTTP request to a method; return status and body."""
    async with town.http.request(request.pop("verb", "POST"), f"{town.mesh.web_url}/api/{method}", **request) as answer:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return answer.status, await answer.json()


async def test_an_unknown_method_names_itself(shared: Town) -> None:
    """So that the caller sees what was asked for."""
    status, body = await raw(shared, "no.such")
    assert (status, body) == (200, {"ok": False, "error": "unknown_method", "req_method": "no.such"})


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "not_authed"),
        ("nonsense", "invalid_auth"),
        ("xoxb-1-1-00000000000000000000000000000000", "invalid_auth"),
        ("xoxb-" + "9" * 400, "invalid_auth"),
        ("xoxb-1-1-é", "invalid_auth"),
    ],
)
async def test_a_bad_token_is_refused_for_what_it_is(shared: Town, token: str, error: str) -> None:
    """In the form and in the header alike."""
    form: dict[str, Any] = {"data": {"token": token}} if token else {}
    assert await raw(shared, "auth.test", **form) == (200, {"ok": False, "error": error})


async def test_arguments_that_are_missing_or_malformed_are_named(shared: Town) -> None:
    """The message says which one, and what is wrong with it."""
    ada = shared["ada"]
    missing = await ada.call("conversations.info")
    assert missing["error"] in ("invalid_arguments", "channel_not_found")
    assert "channel" in str(missing.get("response_metadata", "channel"))
    for method, arguments, error in (
        ("conversations.info", {"channel": "nonsense"}, "channel_not_found"),
        ("conversations.history", {"channel": shared.general, "cursor": "!!"}, "invalid_cursor"),
        ("conversations.history", {"channel": shared.general, "oldest": "yesterday"}, "invalid_ts_oldest"),
        ("conversations.list", {"types": "secret_channel"}, "invalid_types"),
        ("conversations.create", {"name": "No Spaces Please"}, "invalid_name_specials"),
        ("users.info", {"user": "U00000000XX"}, "user_not_found"),
        ("chat.postMessage", {"channel": shared.general}, "no_text"),
    ):
        answer = await ada.call(method, **arguments)
        assert (answer["ok"], answer["error"]) == (False, error), method


async def test_broken_json_is_said_to_be_broken_and_an_empty_body_is_not(shared: Town) -> None:
    """slack_sdk sends a JSON content type with nothing in it for calls without arguments."""
    headers = {"Authorization": f"Bearer {shared['ada'].token}", "Content-Type": "application/json"}
    assert (await raw(shared, "auth.test", headers=headers, data=b""))[1]["ok"] is True
    for body, error in ((b'{"a":', "invalid_json"), (b"[1]", "json_not_object"), (b"\xff\xfe", "invalid_json")):
        status, answer = await raw(shared, "auth.test", headers=headers, data=body)
        assert (status, answer["ok"], answer["error"]) == (200, False, error)


async def test_text_beyond_the_limit_is_refused_or_cut_and_never_a_server_error(shared: Town) -> None:
    """Slack cuts at 40,000 characters over HTTP."""
    answer = await shared["ada"].call("chat.postMessage", channel=shared.general, text="x" * 60_000)
    if answer["ok"]:
        assert len(answer["message"]["text"]) == 40_000
    else:
        assert answer["error"] == "msg_too_long"
    status, body = await raw(
        shared,
        "chat.postMessage",
        headers={"Authorization": f"Bearer {shared['ada'].token}"},
        data={"channel": shared.general, "text": "x" * 20_000_000},
    )
    assert status < 500
    assert body["ok"] is False


async def close_code_after(person: Person, frame: bytes | str) -> int | None:
    """Send one frame on a fresh socket and return the code that it is closed with."""
    async with person.connected() as socket:
        await (socket.ws.send_bytes(frame) if isinstance(frame, bytes) else socket.ws.send_str(frame))
        return await socket.wait_closed()


async def test_a_binary_frame_and_a_huge_frame_close_that_socket_with_their_codes(
    shared: Town, bystander: Socket
) -> None:
    """1003 is "cannot accept this type", 1009 is "too big" (RFC 6455, 7.4.1)."""
    assert await close_code_after(shared["grace"], b"\x00\x01") == 1003
    assert await close_code_after(shared["grace"], "x" * 1_000_000) == 1009


async def test_nonsense_over_the_socket_is_answered_and_the_socket_stays_open(shared: Town, bystander: Socket) -> None:
    """An error object with a message, under the number that was sent."""
    async with shared["grace"].connected() as socket:
        await socket.ws.send_str("this is not json")
        await socket.wait_for(lambda e: e.get("ok") is False and e["error"]["code"] == 5)
        await socket.send(id=3, type="no_such_type")
        answer = await socket.wait_for(lambda e: e.get("reply_to") == 3)
        assert answer["ok"] is False
        assert answer["error"]["msg"]
        await socket.send(id=4, type="message", channel="C0000000000", text="nobody is there")
        answer = await socket.wait_for(lambda e: e.get("reply_to") == 4)
        assert answer["ok"] is False
        await socket.send(id=5, type="message", channel=shared.general, text="y" * 4001)
        answer = await socket.wait_for(lambda e: e.get("reply_to") == 5)
        assert answer["error"]["msg"] == "msg_too_long"
        await socket.send(id=6, type="ping")
        await socket.wait_for(lambda e: e.get("type") == "pong" and e.get("reply_to") == 6)


async def test_a_ticket_works_once_and_a_forged_one_never(shared: Town) -> None:
    """The handshake is refused with a status, not with silence."""
    url = (await shared["grace"].ok("rtm.connect"))["url"]
    async with shared.http.ws_connect(url) as ws:
        assert (await ws.receive_json())["type"] == "hello"
        await assert_refused(shared, url)
    await assert_refused(shared, url[:-8] + "AAAAAAAA")
    await assert_refused(shared, url.rsplit("/", 1)[0] + "/")


async def test_an_expired_ticket_is_refused(shared: Town) -> None:
    """A ticket of half a minute ago is worth nothing: made here with the installation's secret, already too old."""
    url = (await shared["grace"].ok("rtm.connect"))["url"]
    base, ticket = url.rsplit("/", 1)
    signer = Signer(shared.mesh.secret)
    claims = signer.verify("ticket", ticket, 0)
    del claims["exp"]
    await assert_refused(shared, f"{base}/{signer.sign('ticket', {**claims, 'jti': 'x'}, 30, 1_700_000_000)}")


async def assert_refused(town: Town, url: str) -> None:
    """The handshake fails with a client error and a reason."""
    async with asyncio.timeout(5):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await town.http.ws_connect(url)
    assert 400 <= caught.value.status < 500
    assert caught.value.message


async def test_a_channel_of_another_workspace_does_not_exist(shared: Town) -> None:
    """Nobody learns even that it is there."""
    async with workspace_rules(shared.mesh.dsns) as bench:
        accounts = bench.services.accounts
        team, _ = await accounts.team("Elsewhere", "elsewhere")
        user = await accounts.person(User("", team.id, "stranger"))
        stranger = Person("stranger", user.id, await accounts.token_for(user), shared.mesh.web_url, shared.http)
    for method in ("conversations.info", "conversations.history", "conversations.join", "conversations.members"):
        answer = await stranger.call(method, channel=shared.general)
        assert (answer["ok"], answer["error"]) == (False, "channel_not_found"), method
    posted = await stranger.call("chat.postMessage", channel=shared.general, text="boo")
    assert (posted["ok"], posted["error"]) == (False, "channel_not_found")
    assert (await stranger.call("users.info", user=shared["ada"].user_id))["error"] == "user_not_found"
    async with stranger.connected() as socket:
        await socket.send(id=1, type="message", channel=shared.general, text="boo")
        assert (await socket.wait_for(lambda e: e.get("reply_to") == 1))["ok"] is False
        await socket.send(id=2, type="typing", channel=shared.general)
        await socket.send(id=3, type="ping")
        await socket.wait_for(lambda e: e.get("reply_to") == 3)
