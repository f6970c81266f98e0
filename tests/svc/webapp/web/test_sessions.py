"""Who is signed in by a cookie, and whose requests it counts for: over real HTTP and MariaDB."""

from __future__ import annotations

import pytest

from svc.kit.tokens import token_hash, token_ids
from svc.webapp.store.rows import TokenKind
from tests.svc.webapp.api.office import Office
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
