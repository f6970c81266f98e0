"""What every method shares: how it is called, who calls it, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from svc.kit.errors import UnavailableError
from svc.kit.tokens import new_token, token_hash
from svc.webapp.domain.connect import TICKET
from tests.svc.webapp.api.office import HTTP, SIGNER, Office, office, serving

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def raw(acme: Office, method: str, verb: str = "POST", **options: Any) -> tuple[int, CIMultiDictProxy[str], Any]:
    """Make one request; return status, headers and the JSON."""
    async with acme.http.request(verb, acme.base + method, allow_redirects=False, **options) as answer:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return answer.status, answer.headers, json.loads(await answer.read())


async def test_get_and_post_query_and_every_body_are_the_same_call(acme: Office) -> None:
    """Also with a trailing slash, a token among the arguments, or both."""
    token = acme["ada"].token
    bearer = {"Authorization": f"Bearer {token}"}
    channel = acme.general
    form, body = aiohttp.FormData({"channel": channel, "token": token}), json.dumps({"channel": channel})
    multipart = aiohttp.FormData({"channel": channel}, default_to_multipart=True)
    typed = {**bearer, "Content-Type": "application/json"}
    for verb, path, options in (
        ("GET", f"conversations.info?channel={channel}&token={token}&nonce=1", {}),
        ("GET", f"conversations.info/?channel={channel}", {"headers": bearer}),
        ("POST", f"conversations.info?channel={channel}", {"headers": typed}),
        ("POST", "conversations.info", {"data": form}),
        ("POST", "conversations.info", {"data": form, "headers": bearer}),
        ("POST", "conversations.info", {"data": multipart, "headers": bearer}),
        ("POST", "conversations.info", {"data": body, "headers": typed}),
        ("POST", "conversations.info/", {"data": body, "headers": typed}),
    ):
        status, _, answer = await raw(acme, path, verb, **options)
        assert (status, answer["ok"], answer.get("channel", {}).get("id")) == (200, True, channel), (path, answer)


async def test_a_call_without_arguments_may_come_with_any_content_type(acme: Office) -> None:
    """slack_sdk sends application/json and nothing; slackclient sends no type at all."""
    for content_type in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        headers = {**acme["ada"].headers, "Content-Type": content_type}
        _, _, answer = await raw(acme, "auth.test", headers=headers)
        assert answer["ok"] is True
    _, _, answer = await raw(acme, "auth.test", headers=acme["ada"].headers, skip_auto_headers=["Content-Type"])
    assert answer["ok"] is True


async def test_scopes_are_named_in_lower_case_on_every_answer(acme: Office) -> None:
    """errbot reads them from a case-sensitive mapping."""
    async with acme.http.post(acme.base + "auth.test", headers=acme["helper"].headers) as answer:
        names = {name.decode() for name, _ in answer.raw_headers}
        assert {"x-oauth-scopes", "x-accepted-oauth-scopes"} <= names
        assert answer.headers["x-oauth-scopes"] == "identify,bot:basic"
        assert int(answer.headers["Content-Length"]) > 0
        body = await answer.json()
    helper = acme["helper"]
    assert (body["user_id"], body["bot_id"], body["team_id"]) == (helper.id, helper.user.bot_id, helper.user.team_id)
    assert (body["user"], body["team"], body["is_enterprise_install"]) == ("helper", "Acme", False)
    assert body["url"] == acme.base.removesuffix("api/")
    assert (await acme["ada"].ok("auth.test"))["bot_id"] == ""


async def test_an_unknown_method_is_named_back(acme: Office) -> None:
    """Without a token as well; it is no 404."""
    for path in ("no.such", "no.such/", "", "chat.postMessage/extra", "%F0%9F%98%80"):
        status, _, answer = await raw(acme, path)
        assert (status, answer["ok"], answer["error"]) == (200, False, "unknown_method")
    assert (await raw(acme, "no.such"))[2] == {"ok": False, "error": "unknown_method", "req_method": "no.such"}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "not_authed"),
        ("nonsense", "invalid_auth"),
        ("xoxb-1-2-" + "0" * 32, "invalid_auth"),
        ("xapp-1-2-" + "0" * 32, "not_allowed_token_type"),
        ("xoxp-'; DROP TABLE tokens; --", "invalid_auth"),
        ("x" * 5000, "invalid_auth"),
    ],
)
async def test_a_token_that_is_not_one_says_which_kind_of_wrong(acme: Office, token: str, code: str) -> None:
    """Clients stop for good on these, and only on these."""
    status, _, answer = await raw(acme, "auth.test", data={"token": token})
    assert (status, answer) == (200, {"ok": False, "error": code})


async def test_a_revoked_token_ends_at_once(acme: Office) -> None:
    """Though it was in the cache a moment ago; a forged one of the same user never worked."""
    grace = acme["grace"]
    token = await acme.services.accounts.token_for(grace.user)
    assert (await raw(acme, "auth.test", data={"token": token}))[2]["ok"] is True
    await acme.services.accounts.revoke(grace.id, token_hash(token))
    assert (await raw(acme, "auth.test", data={"token": token}))[2]["error"] == "token_revoked"
    forged = new_token("xoxp", grace.user.team_id, grace.id, random.Random(1))
    assert (await raw(acme, "auth.test", data={"token": forged}))[2]["error"] == "invalid_auth"


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json", b'{"channel": ', "invalid_json"),
        ("application/json", b"[1]", "json_not_object"),
        ("application/x-www-form-urlencoded", b"channel=%ff", "invalid_form_data"),
        ("multipart/form-data; boundary=X", b"--X", "invalid_form_data"),
        ("text/xml", b"<a/>", "invalid_post_type"),
        ("application/json", b'{"channel": {"id": 1}}', "invalid_arguments"),
        ("application/json", b" " * 1_100_000, "invalid_arguments"),
    ],
)
async def test_a_body_that_cannot_be_used_is_named(acme: Office, content_type: str, body: bytes, code: str) -> None:
    """Always 200 with a message that says what is wrong; the next call works."""
    headers = {**acme["ada"].headers, "Content-Type": content_type}
    status, _, answer = await raw(acme, "conversations.info", data=body, headers=headers)
    assert (status, answer["ok"], answer["error"]) == (200, False, code)
    assert answer["response_metadata"]["messages"][0].startswith("[ERROR] ")
    await acme["ada"].ok("auth.test")


async def test_api_test_echoes_what_it_was_told_but_never_the_token(acme: Office) -> None:
    """With `error` it fails with that error."""
    _, _, answer = await raw(acme, "api.test?foo=bar", data={"token": "xoxb-secret", "n": "1"})
    assert answer == {"ok": True, "args": {"foo": "bar", "n": "1"}}
    _, _, answer = await raw(acme, "api.test", data={"error": "my_error"})
    assert answer == {"ok": False, "error": "my_error", "args": {"error": "my_error"}}


async def test_rtm_connect_gives_a_url_that_names_a_gateway(acme: Office) -> None:
    """Signed for it, with who comes."""
    answer = await acme["helper"].ok("rtm.connect", batch_presence_aware="1")
    assert answer["self"] == {"id": acme["helper"].id, "name": "helper"}
    assert answer["team"]["domain"] == "acme"
    base, _, ticket = answer["url"].rpartition("/ws/")
    assert base == "ws://127.0.0.1:8090"
    claims = SIGNER.verify(TICKET, ticket, acme.services.clock.wall_us() / 1e6)
    assert (claims["user"], claims["bot"]) == (acme["helper"].id, acme["helper"].user.bot_id)
    assert claims["flags"] == ["batch_presence_aware"]
    assert answer["host_id"] == claims["gateway"]


async def test_users_and_team_are_described(acme: Office) -> None:
    """With profile, zone and flags; presence is away whenever it cannot be asked."""
    ada, grace = acme["ada"], acme["grace"]
    user = (await ada.ok("users.info", user=grace.id))["user"]
    assert (user["name"], user["real_name"], user["is_bot"]) == ("grace", "Grace", False)
    bot = (await ada.ok("users.info", user=acme["helper"].id))["user"]
    assert (bot["is_bot"], bot["profile"]["bot_id"]) == (True, acme["helper"].user.bot_id)
    assert (await ada.ok("team.info"))["team"]["domain"] == "acme"
    for user_id in ("U0000000000", "x", ada.user.team_id):
        assert await ada.error("users.info", user=user_id) == "user_not_found"
    acme.presence.active.add(grace.id)
    assert await ada.ok("users.getPresence", user=grace.id) == {"ok": True, "presence": "active"}
    acme.presence.broken = UnavailableError("no presence server")
    assert (await ada.ok("users.getPresence", user=grace.id))["presence"] == "away"
    acme.presence.broken = None
    assert {"online", "connection_count", "last_activity"} <= (await ada.ok("users.getPresence")).keys()


async def test_health_and_nothing_else_answers_outside_the_api(acme: Office) -> None:
    """A 404 in JSON, never a page or a trace."""
    root = acme.base.removesuffix("/api/")
    async with acme.http.get(root + "/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True})
    async with acme.http.get(root + "/elsewhere") as answer:
        assert (answer.status, await answer.json()) == (404, {"ok": False, "error": "not_found"})


async def test_without_memcached_everything_works(acme: Office) -> None:
    """Slower: each look-up is a query."""
    nodes = acme.mesh.names()
    memcached = next(name for name in nodes if name.startswith("memcached"))
    await acme.mesh.stop(memcached)
    try:
        await acme["ada"].ok("chat.postMessage", channel=acme.general, text="no cache")
        assert await acme["ada"].error("conversations.info", channel="C0000000000") == "channel_not_found"
        bad = await raw(acme, "auth.test", data={"token": "xoxb-1-2-" + "0" * 32})
        assert bad[2]["error"] == "invalid_auth"
    finally:
        await acme.mesh.start(memcached)


async def test_an_outage_of_mysql_is_503_and_never_invalid_auth(tmp_path: Path) -> None:
    """Clients give up for good on invalid_auth; on a 503 they come back, and nothing was stored."""
    async with office(tmp_path) as here:
        ada = here["ada"]
        before = len(here.events)
        await here.mesh.kill("mariadb")
        for method in ("auth.test", "chat.postMessage"):
            form = {"channel": here.general, "text": "lost?"}
            status, _, answer = await raw(here, method, data=form, headers=ada.headers)
            assert (status, answer) == (503, {"ok": False, "error": "service_unavailable"}), method
        unknown = {"Authorization": f"Bearer xoxp-1-2-{'0' * 32}"}
        status, _, answer = await raw(here, "auth.test", headers=unknown)
        assert (status, answer["error"]) == (503, "service_unavailable")
        await here.mesh.start("mariadb")
        async with asyncio.timeout(10):
            while (await raw(here, "auth.test", headers=ada.headers))[0] == 503:
                await asyncio.sleep(0.05)
        await ada.ok("chat.postMessage", channel=here.general, text="again")
        assert len(here.events) == before + 1


async def test_more_requests_than_are_served_at_once_are_told_to_come_back(acme: Office) -> None:
    """The limit is a setting; what is under way is not disturbed."""
    async with serving(acme.mesh, config=replace(HTTP, requests_max=1)) as narrow:
        held = [
            asyncio.ensure_future(acme.http.post(narrow.base + "auth.test", headers=acme["ada"].headers))
            for _ in range(20)
        ]
        answers = await asyncio.gather(*held)
        statuses = [answer.status for answer in answers]
        for answer in answers:
            answer.release()
    assert statuses.count(200) >= 1
    assert set(statuses) <= {200, 429}
