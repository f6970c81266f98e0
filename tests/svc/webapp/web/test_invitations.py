"""Invitations over real HTTP and MariaDB: each makes one member, once."""

from __future__ import annotations

import asyncio
import time

import pytest

from svc.webapp.store.rows import User
from tests.svc.webapp.api.office import Json, Office
from tests.svc.webapp.api.uploads import room
from tests.svc.webapp.web.browsers import browser

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

SECRET = "correct horse battery"


def fresh() -> str:
    """Return a handle that nobody has."""
    return f"n{time.time_ns()}"


async def invited(acme: Office, name: str) -> str:
    """Return a code for somebody."""
    return await acme.services.invitations.ask(acme["ada"].user.team_id, f"{name}@acme.example", name.title())


async def test_who_is_invited_joins(acme: Office) -> None:
    """Sees by whom and where to, is in the general conversation and is told of to the others."""
    await acme.services.accounts.person(User("", acme["ada"].user.team_id, "boss", is_admin=True, real_name="The Boss"))
    boss = (await acme.hire(acme["ada"].user.team_id, ["boss"]))["boss"]
    channel, name = await room(acme), fresh()
    assert await acme["linus"].error("admin.users.invite", email=f"{name}@x.example") == "not_an_admin"
    email = f"{name}@ACME.example"
    answer = await boss.ok("admin.users.invite", email=email, channel_ids=channel, real_name="New One")
    assert await boss.error("admin.users.invite", email=email) == "already_in_team_invited_user"
    base, _, code = answer["url"].rpartition("/join/")
    assert base == acme.base.removesuffix("/api/")
    async with browser(acme) as here:
        _, shown = await here.get(f"/web/invitation?code={code}")
        assert (shown["team"]["domain"], shown["email"]) == ("acme", email.lower())
        assert (shown["inviter"]["real_name"], shown["real_name"]) == ("The Boss", "New One")
        joined = await here.ok("/web/join", code=code, name=name, real_name="New One", password=SECRET)
        user_id = joined["user"]["id"]
        assert (await here.call("auth.test"))["user_id"] == user_id
        info = (await here.call("users.info", user=user_id))["user"]
        assert (info["name"], info["real_name"]) == (name, "New One")
        for each in (channel, acme.general):
            assert user_id in (await acme["ada"].ok("conversations.members", channel=each))["members"]
        assert (
            await here.error("/web/join", code=code, name=fresh(), real_name="x", password=SECRET) == "invitation_used"
        )
        await here.ok("/web/signout")
        await here.ok("/web/signin", login=email, password=SECRET)
    told = [each["user"]["id"] for each in acme.payloads(boss.user.team_id) if each["type"] == "team_join"]
    assert told.count(user_id) == 1
    assert await boss.error("admin.users.invite", email=email) == "already_in_team"


async def test_two_who_use_a_code_at_once_make_one_member(acme: Office) -> None:
    """Of six, one joins; the others are told that it was used."""
    code, name = await invited(acme, fresh()), fresh()

    async def join(number: int) -> str:
        async with browser(acme) as here:
            body: Json = {"code": code, "name": f"{name}-{number}", "real_name": "x", "password": SECRET}
            return str((await here.post("/web/join", **body))[1].get("error", "ok"))

    ends = await asyncio.gather(*map(join, range(6)))
    assert sorted(ends) == sorted(["ok", *["invitation_used"] * 5])
    rows = await acme.pools.workspace.rows("SELECT COUNT(*) FROM users WHERE name LIKE %s", (f"{name}-%",))
    assert rows[0][0] == 1


async def test_a_code_that_is_good_no_more_says_why(acme: Office) -> None:
    """Expired, withdrawn, replaced by a newer one, never made."""
    name = fresh()
    replaced = await invited(acme, name)
    withdrawn = await invited(acme, name)
    assert await acme.services.invitations.withdraw(acme["ada"].user.team_id, f"{name}@acme.example") == 1
    expired = await invited(acme, name)
    await acme.pools.workspace.execute(
        "UPDATE invitations SET until_s = %s WHERE email = %s AND revoked_s = 0",
        (int(time.time()) - 1, f"{name}@acme.example"),
    )
    async with browser(acme) as here:
        for code, error in (
            (replaced, "invitation_revoked"),
            (withdrawn, "invitation_revoked"),
            (expired, "invitation_expired"),
            (f"{expired[:-1]}x", "invitation_not_found"),
            (expired[:-1] + ("0" if expired[-1] != "0" else "1"), "invitation_not_found"),
            ("99999999999999999-" + "0" * 32, "invitation_not_found"),
            ("", "invitation_not_found"),
        ):
            assert (await here.get(f"/web/invitation?code={code}"))[1]["error"] == error
            body: Json = {"code": code, "name": fresh(), "real_name": "x", "password": SECRET}
            assert await here.error("/web/join", **body) == error


async def test_a_join_that_is_refused_uses_nothing_up(acme: Office) -> None:
    """Names that are none or taken, passwords that are too short; afterwards it works."""
    name = fresh()
    code = await invited(acme, name)
    async with browser(acme) as here:
        for wanted, password, error in (
            ("ada", SECRET, "name_taken"),
            ("ADA", SECRET, "name_taken"),
            ("a b", SECRET, "invalid_name"),
            ("here", SECRET, "invalid_name"),
            ("", SECRET, "invalid_name"),
            ("x" * 81, SECRET, "invalid_name"),
            (name, "short", "password_too_short"),
            (name, "x" * 257, "password_too_long"),
        ):
            assert await here.error("/web/join", code=code, name=wanted, real_name="x", password=password) == error
        await here.ok("/web/join", code=code, name=name, real_name="", password=SECRET)


async def test_a_claim_whose_maker_died_is_given_up(acme: Office) -> None:
    """After a minute, unless the user was made."""
    sign_ins, team_id = acme.services.workspaces.sign_ins, acme["ada"].user.team_id
    for user_id, end in (("U00000000ZZ", "ok"), (acme["ada"].id, "invitation_used")):
        name = fresh()
        code = await invited(acme, name)
        found = await acme.services.invitations.look(code)
        assert await sign_ins.claim(found, user_id, int(time.time()))
        async with browser(acme) as here:
            body: Json = {"code": code, "name": name, "real_name": "x", "password": SECRET}
            assert await here.error("/web/join", **body) == "invitation_used"
            await acme.pools.workspace.execute(
                "UPDATE invitations SET claimed_s = claimed_s - 61 WHERE team_id = %s AND code_hash = %s",
                (team_id, found.code_hash),
            )
            assert (await here.post("/web/join", **body))[1].get("error", "ok") == end
