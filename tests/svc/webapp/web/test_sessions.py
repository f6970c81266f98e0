"""Who is signed in by a cookie, and whose requests it counts for: over real HTTP and MariaDB."""

from __future__ import annotations

import json

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svc.kit.tokens import token_hash, token_ids
from svc.webapp.store.rows import TokenKind
from tests.svc.webapp.api.office import Office
from tests.svc.webapp.api.uploads import TEXT, room, shared
from tests.svc.webapp.web.browsers import browser

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_demo_is_entered_and_left(acme: Office) -> None:
    """Before, in between and after; what was signed in by is revoked when it is left."""
    async with browser(acme) as here:
        status, before = await here.get("/web/session")
        assert (status, before["ok"], before["signed_in"], before["user"], before["demo"]) == (
            200,
            True,
            False,
            None,
            True,
        )
        assert before["team"]["domain"] == "acme"
        names = {each["name"] for each in before["demo_users"]}
        assert {"ada", "grace", "linus"} <= names
        assert "helper" not in names
        await here.ok("/web/signin/demo", user=acme["ada"].id)
        _, during = await here.get("/web/session")
        assert (during["signed_in"], during["user"]) == (True, {"id": acme["ada"].id, "name": "ada"})
        assert (await here.call("auth.test"))["user_id"] == acme["ada"].id
        cookie = here.cookie
        assert cookie is not None
        await here.ok("/web/signout")
        assert here.cookie is None
        assert (await here.get("/web/session"))[1]["signed_in"] is False
        old = {**here.own, "Cookie": f"parley={cookie.value}"}
        assert (await here.call("auth.test", old))["error"] == "token_revoked"
        await here.ok("/web/signout")


async def test_the_cookie_is_kept_from_scripts_and_other_sites(acme: Office) -> None:
    """Its flags; Secure where the browser came over TLS, to us or to a proxy before us."""
    async with browser(acme) as here:
        for proto, host in (("http", "chat.lan"), ("https", "chat.lan")):
            told = {"X-Forwarded-Proto": proto, "X-Forwarded-Host": host, "Origin": f"{proto}://{host}"}
            body = {"user": acme["ada"].id}
            async with here.http.post(here.base / "web/signin/demo", json=body, headers=told) as answer:
                assert (await answer.json())["ok"]
                flags = answer.headers.getall("Set-Cookie")[0].split("; ")
            name, _, token = flags[0].partition("=")
            expected = {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=2592000"}
            assert name == "parley"
            assert expected | ({"Secure"} if proto == "https" else set()) == set(flags[1:])
            ids = token_ids(token)
            assert ids is not None
            record = await acme.services.users.token(ids[1], token_hash(token))
            assert record is not None
            assert record.kind is TokenKind.WEB
            assert record.expires_s - record.created_s == 30 * 86_400


async def test_a_session_that_is_used_does_not_end(acme: Office) -> None:
    """In the second half of its life it begins anew, and its cookie; one that was revoked does not."""
    async with browser(acme, "ada") as here:
        assert here.cookie is not None
        ids = token_ids(here.cookie.value)
        assert ids is not None
        user_id, hashed = ids[1], token_hash(here.cookie.value)

        async def age(days: int) -> int:
            """Let as many days be over; return when it ends then."""
            record = await acme.services.users.token(user_id, hashed)
            assert record is not None
            ends_s = record.expires_s - days * 86_400
            sql = "UPDATE tokens SET expires_s = %s WHERE user_id = %s AND token_hash = %s"
            await acme.pools.user.execute(sql, (ends_s, user_id, hashed))
            await acme.services.lookups.forget_token(hashed)
            return ends_s

        async def asked() -> tuple[int, str]:
            """Open the page; return when the session ends, and the cookie that came."""
            async with here.http.get(here.base / "web/session") as answer:
                assert (await answer.json())["signed_in"]
                told = answer.headers.get("Set-Cookie", "")
            record = await acme.services.users.token(user_id, hashed)
            assert record is not None
            return record.expires_s, told

        young = await age(days=14)
        assert await asked() == (young, "")
        old = await age(days=2)
        ends_s, told = await asked()
        assert ends_s >= old + 16 * 86_400
        assert told.startswith(f"parley={here.cookie.value};")
        assert {"HttpOnly", "SameSite=lax", "Max-Age=2592000"} <= set(told.split("; "))
        assert (await here.call("auth.test"))["ok"]
        await age(days=20)
        await here.ok("/web/signout")
        assert not await acme.services.users.prolong_token(user_id, hashed, ends_s + 1)


async def test_the_cookie_counts_for_our_own_page_alone(acme: Office) -> None:
    """Another site, one of the same machine at another port, a sandboxed page, nobody who says, and all by GET."""
    async with browser(acme, "ada") as here:
        own = here.own["Origin"]
        for told in ({"Origin": own}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": own, "Sec-Fetch-Site": "none"}):
            assert (await here.call("auth.test", told))["ok"], told
        for told in (
            {},
            {"Origin": "https://evil.example"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": own.replace("http", "https")},
            {"Origin": f"{own}.evil.example"},
            {"Origin": "null"},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "none"},
        ):
            assert (await here.call("auth.test", told))["error"] == "invalid_auth", told
            status, answer = await here.post("/web/signin/demo", told, user=acme["grace"].id)
            assert (status, answer["error"]) == (403, "invalid_origin"), told
            assert (await here.post("/web/signout", told))[0] == 403
        for told in (here.own, {"Sec-Fetch-Site": "same-origin"}):
            status, answer = await here.get("/api/auth.test", told)
            assert answer["error"] == "invalid_auth"
            assert (await here.get("/web/signout", told))[0] == 405
        assert (await here.get("/web/session"))[1]["user"]["name"] == "ada"
        posted = await here.call("chat.postMessage", {}, channel=acme.general, text="from elsewhere")
        assert posted["error"] == "invalid_auth"


async def test_no_other_site_may_read_anything(acme: Office) -> None:
    """Neither asked beforehand nor in the answer is another origin let in."""
    async with browser(acme, "ada") as here:
        for verb in ("GET", "OPTIONS"):
            for path in ("web/session", "api/auth.test", "files-pri/x"):
                asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
                async with here.http.request(verb, here.base / path, headers=asked) as answer:
                    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_a_cookie_s_token_is_good_for_the_cookie_alone(acme: Office) -> None:
    """It is none in a header or an argument, and no other token is one in the cookie; a token goes before a cookie."""
    async with browser(acme, "ada") as here, browser(acme) as there:
        assert here.cookie is not None
        value = here.cookie.value
        assert (await there.call("auth.test", {"Authorization": f"Bearer {value}"}))["error"] == "invalid_auth"
        assert (await there.call("auth.test", token=value))["error"] == "invalid_auth"
        for token in (acme["ada"].token, "xoxs-1-1-nonsense", value[:-1] + ("0" if value[-1] != "0" else "1")):
            answer = await there.call("auth.test", {**there.own, "Cookie": f"parley={token}"})
            assert answer["error"] in ("not_authed", "invalid_auth")
        assert (await here.call("auth.test", token=acme["grace"].token))["user"] == "grace"
        assert (await here.call("auth.test", token="xoxp-1-1-nonsense"))["error"] == "invalid_auth"


async def test_files_are_seen_with_the_cookie_and_run_nowhere(acme: Office) -> None:
    """Downloads ask for no origin, as pictures have none; what a browser could run is saved, and sandboxed."""
    channel = await room(acme)
    page = await shared(acme, acme["ada"], channel, b"<script>alert(1)</script>", "page.html")
    text = await shared(acme, acme["ada"], channel, TEXT, "a.txt")
    async with browser(acme, "ada") as here, browser(acme) as stranger:
        async with here.http.get(text["url_private"]) as answer:
            assert (answer.status, await answer.read()) == (200, TEXT)
        async with here.http.get(page["url_private"]) as answer:
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with stranger.http.get(text["url_private"]) as answer:
            assert answer.status == 401
        form = aiohttp.FormData({"channels": channel})
        form.add_field("file", b"hello", filename="b.txt")
        async with here.http.post(here.base / "api/files.upload", data=form, headers=here.own) as answer:
            assert (await answer.json())["ok"]
        form = aiohttp.FormData({"channels": channel})
        form.add_field("file", b"hello", filename="b.txt")
        async with here.http.post(here.base / "api/files.upload", data=form) as answer:
            assert (await answer.json())["error"] == "invalid_auth"


NAMES = ("team", "login", "password", "user", "code", "name", "real_name", "old", "new", "client_id", "scope")
VALUES = st.one_of(st.text(max_size=300), st.none(), st.integers(), st.lists(st.text(max_size=5)), st.booleans())
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), VALUES).map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=200),
    st.sampled_from([b"[]", b"null", b'"x"', b"{", b"[" * 9_000, b"x" * 20_000, b'{"login":"\\ud800"}']),
)
PATHS = (
    *("session", "signin", "signin/demo", "signout", "password", "invitation", "join", "consent", "consent/agree"),
    *("nonsense", "", "join/x"),
)


@given(st.sampled_from(PATHS), st.sampled_from(["GET", "POST", "PUT"]), BODIES, st.text(max_size=80), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_input_is_our_fault(acme: Office, path: str, verb: str, body: bytes, text: str, is_in: bool) -> None:
    """Whatever is sent, to whichever endpoint, signed in or not: an answer in JSON that is no 5xx."""
    async with browser(acme, "linus" if is_in else "") as here:
        url = (here.base / f"web/{path}").with_query({"code": text, "team": text})
        told = {**here.own, "Content-Type": "application/json"}
        async with here.http.request(verb, url, data=body, headers=told) as answer:
            assert answer.status < 500, (path, verb, body)
            assert isinstance((await answer.json())["ok"], bool)
