"""Names and passwords over real HTTP and MariaDB: who gets in, and what it costs who does not."""

from __future__ import annotations

import time

import pytest
from argon2 import PasswordHasher

from svc.webapp.store.rows import User
from svc.webapp.store.sign_ins import Password
from tests.svc.webapp.api.office import Office
from tests.svc.webapp.web.browsers import browser

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

SECRET = "correct horse battery"
OTHER = "staple of batteries"


async def member(acme: Office, password: str = SECRET) -> User:
    """Return a person with a password."""
    name = f"u{time.time_ns()}"
    team_id = acme["ada"].user.team_id
    user = await acme.services.accounts.person(User("", team_id, name, email=f"{name}@acme.example"))
    await acme.services.passwords.set(user, password)
    return user


async def test_one_signs_in_by_handle_or_address(acme: Office) -> None:
    """With and without the workspace's domain; the session is a person's."""
    user = await member(acme)
    for login in (user.name, f"@{user.name}", user.email, user.email.upper()):
        for team in ({}, {"team": "acme"}):
            async with browser(acme) as here:
                answer = await here.ok("/web/signin", login=login, password=SECRET, **team)
                assert answer["user"] == {"id": user.id, "name": user.name}
                assert (await here.call("auth.test"))["user_id"] == user.id


async def test_whoever_does_not_get_in_is_told_nothing(acme: Office) -> None:
    """A wrong password, nobody of this name, a bot, one without a password, one who left, another workspace."""
    user, gone = await member(acme), await member(acme)
    await acme.services.people.remove(gone.team_id, gone.id)
    async with browser(acme) as here:
        for login, password, team in (
            (user.name, OTHER, "acme"),
            (user.name, SECRET * 100, "acme"),
            ("nobody-at-all", SECRET, "acme"),
            ("helper", SECRET, "acme"),
            ("linus", SECRET, "acme"),
            (gone.name, SECRET, "acme"),
            (user.name, SECRET, "nowhere"),
        ):
            status, answer = await here.post("/web/signin", team=team, login=login, password=password)
            assert (status, answer) == (200, {"ok": False, "error": "invalid_login"}), login
            assert here.cookie is None
        for wrong in ({"login": user.name}, {"password": SECRET}, {"login": 5, "password": SECRET}):
            assert await here.error("/web/signin", **wrong) == "invalid_arguments"


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(acme: Office) -> None:
    """At the best of several tries each, in turn: without the work for nobody it would be a twentieth."""
    user = await member(acme)
    took: dict[str, list[float]] = {user.name: [], "nobody-at-all": []}
    async with browser(acme) as here:
        for login in list(took) * 5:
            began = time.perf_counter()
            assert await here.error("/web/signin", login=login, password=OTHER) == "invalid_login"
            took[login].append(time.perf_counter() - began)
    known, unknown = map(min, took.values())
    assert unknown > known / 5


async def test_a_session_is_new_at_each_sign_in(acme: Office) -> None:
    """What the browser had before is not what it has then, and is good for nothing any more."""
    user = await member(acme)
    async with browser(acme, "grace") as here:
        planted = here.cookie
        assert planted is not None
        await here.ok("/web/signin", login=user.name, password=SECRET)
        assert here.cookie is not None
        assert here.cookie.value != planted.value
        old = {**here.own, "Cookie": f"parley={planted.value}"}
        assert (await here.call("auth.test"))["user_id"] == user.id
        async with browser(acme) as there:
            assert (await there.call("auth.test", old))["error"] == "token_revoked"


async def test_another_password_ends_the_sessions_of_other_browsers(acme: Office) -> None:
    """The browser that changed it stays; the old password is none any more; tokens of programs stay."""
    user = await member(acme)
    token = await acme.services.accounts.token_for(user)
    async with browser(acme) as here, browser(acme) as there:
        assert await here.error("/web/password", old=SECRET, new=OTHER) == "not_authed"
        for each in (here, there):
            await each.ok("/web/signin", login=user.name, password=SECRET)
        assert await here.error("/web/password", old=OTHER, new=OTHER) == "invalid_password"
        assert await here.error("/web/password", old=SECRET, new="short") == "password_too_short"
        assert await here.error("/web/password", old=SECRET, new="x" * 257) == "password_too_long"
        await here.ok("/web/password", old=SECRET, new=OTHER)
        assert (await here.get("/web/session"))[1]["signed_in"] is True
        assert (await there.get("/web/session"))[1]["signed_in"] is False
        assert await there.error("/web/signin", login=user.name, password=SECRET) == "invalid_login"
        await there.ok("/web/signin", login=user.name, password=OTHER)
        assert (await here.call("auth.test", {"Authorization": f"Bearer {token}"}))["ok"]


async def test_a_hash_of_other_parameters_is_made_anew(acme: Office) -> None:
    """At the next sign-in, which is when the password is known."""
    user = await member(acme)
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(SECRET)
    sign_ins = acme.services.workspaces.sign_ins
    await sign_ins.put_password(Password(user.team_id, user.id, weak, 1, revision_us=time.time_ns() // 1_000))
    async with browser(acme) as here:
        for _ in range(2):
            await here.ok("/web/signin", login=user.name, password=SECRET)
    now = await sign_ins.password(user.team_id, user.id)
    assert now is not None
    assert now.hash != weak
    assert now.hash.startswith("$argon2id$v=19$m=65536,t=2,p=1$")


async def test_no_password_is_told_to_anybody(acme: Office) -> None:
    """Neither it nor its hash is in an event, or in the row that the effect left behind."""
    user = await member(acme)
    now = await acme.services.workspaces.sign_ins.password(user.team_id, user.id)
    assert now is not None
    for event in acme.events:
        raw = event.SerializeToString()
        assert now.hash.encode() not in raw
        assert SECRET.encode() not in raw
    left = await acme.pools.channel.rows("SELECT COUNT(*) FROM effects WHERE channel_id = %s", (user.id,))
    assert left[0][0] == 0
