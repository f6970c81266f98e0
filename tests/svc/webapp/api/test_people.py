"""users.*, bots.*, team.*, admin.users.*: who is who, what they say of themselves, and who is a member no longer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from svc.webapp.domain.refusal import Refused
from svc.webapp.status_sweep import sweep_statuses
from svc.webapp.store.rows import User
from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


@dataclass(frozen=True)
class Firm:
    """A workspace of its own."""

    office: Office
    owner: Someone
    admin: Someone
    ada: Someone
    bob: Someone
    bot: Someone

    def told(self, kind: str) -> list[dict[str, Any]]:
        """What the workspace heard."""
        return [each for each in self.office.payloads(self.ada.user.team_id) if each["type"] == kind]

    async def row(self, someone: Someone) -> User:
        """What the database has."""
        found = await self.office.services.workspaces.user(someone.user.team_id, someone.id)
        assert found is not None
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def firm(acme: Office, request: pytest.FixtureRequest) -> Firm:
    """A new one for each test."""
    accounts = acme.services.accounts
    team, _ = await accounts.team("Firm", request.node.name[:60].replace("_", "-"))
    owner = await accounts.person(User("", team.id, "olga", real_name="Olga", is_admin=True, is_owner=True))
    admin = await accounts.person(User("", team.id, "adam", real_name="Adam", is_admin=True))
    ada = await accounts.person(
        User("", team.id, "ada", real_name="Ada Lovelace", email="ada@example.org", avatar_hash="0" * 32)
    )
    first, second, third = [
        Someone(user, await accounts.token_for(user), acme.base, acme.http) for user in (owner, admin, ada)
    ]
    others = await acme.hire(team.id, ["bob"], ["robot"])
    return Firm(acme, first, second, third, others["bob"], others["robot"])


async def test_who_the_server_speaks_as_is_known(acme: Office) -> None:
    """Clients ask about everybody who says something."""
    found = (await acme["ada"].ok("users.info", user="USLACKBOT"))["user"]
    assert (found["id"], found["name"], found["is_bot"], found["deleted"]) == ("USLACKBOT", "slackbot", False, False)
    assert (await acme["ada"].ok("users.profile.get", user="USLACKBOT"))["profile"]["real_name"] == "Slackbot"


async def test_a_profile_is_set_shown_and_told(firm: Firm) -> None:
    """As an object in a form, as JSON, and value by value; all see the same of it."""
    ada, bob = firm.ada, firm.bob
    change = {
        "first_name": "Augusta",
        "last_name": "Lovelace",
        "display_name": "Ädä",
        "title": "Analyst",
        "phone": "+44 1",
        "pronouns": "she",
        "status_text": "away",
        "status_emoji": ":palm_tree:",
        "status_expiration": 4_000_000_000,
        "fields": {"Xf1": {"value": "v", "alt": "a"}},
    }
    answer = await ada.ok("users.profile.set", profile=change)
    profile = answer["profile"]
    assert profile.items() >= (change | {"real_name": "Augusta Lovelace", "display_name_normalized": "Ada"}).items()
    await ada.ok("users.profile.set", name="title", value="Countess")
    async with ada.http.post(
        ada.base + "users.profile.set", json={"profile": {"phone": ""}}, headers=ada.headers
    ) as sent:
        assert (await sent.json())["ok"]
    shown = (await bob.ok("users.info", user=ada.id, include_locale=True))["user"]
    assert shown["locale"] == "en-US"
    assert shown["real_name"] == "Augusta Lovelace"
    assert shown["profile"]["title"] == "Countess"
    assert shown["profile"]["phone"] == ""
    assert shown["profile"] == (await bob.ok("users.profile.get", user=ada.id))["profile"]
    assert {f"image_{size}" for size in (24, 32, 48, 72, 192, 512)} <= shown["profile"].keys()
    told = firm.told("user_change")
    assert [each["user"]["profile"]["title"] for each in told] == ["Analyst", "Countess", "Countess"]
    del shown["locale"]
    assert told[-1]["user"] == shown
    lazily = (await bob.ok("client.objects", ids={ada.id: None}))["users"]
    assert {k: v for k, v in lazily[0].items() if k != "v"} == shown
    own = (await ada.ok("users.profile.get"))["profile"]
    assert own == shown["profile"]
    labelled = (await bob.ok("users.profile.get", user=ada.id, include_labels=1))["profile"]
    assert {name: each["label"] for name, each in labelled["fields"].items()} == {each: each for each in own["fields"]}
    assert {name: {**each, "label": name} for name, each in own["fields"].items()} == labelled["fields"]


async def test_what_a_profile_refuses(firm: Firm) -> None:
    """The codes of Slack; nothing is changed by what is refused."""
    ada, bob = firm.ada, firm.bob
    for arguments, code in (
        ({}, "invalid_profile"),
        ({"profile": "no json"}, "invalid_profile"),
        ({"profile": ["x"]}, "invalid_profile"),
        ({"name": "shoe_size", "value": "44"}, "invalid_profile"),
        ({"name": "status_text", "value": "x" * 101}, "too_long"),
        ({"name": "status_emoji", "value": "x"}, "profile_status_set_failed_not_emoji_syntax"),
        ({"name": "title", "value": "x", "user": bob.id}, "not_admin"),
        ({"name": "email", "value": "new@example.org"}, "not_admin"),
        ({"name": "title", "value": "x", "user": "U0000000000"}, "not_admin"),
    ):
        assert await ada.error("users.profile.set", **arguments) == code, arguments
    admin = firm.admin
    assert await admin.error("users.profile.set", user="U0000000000", name="title", value="x") == "user_not_found"
    assert await admin.error("users.profile.set", user=firm.owner.id, name="title", value="x") == (
        "cannot_update_admin_user"
    )
    assert await admin.error("users.profile.set", user=bob.id, name="email", value="ada@example.org") == "email_taken"
    assert await ada.error("users.profile.get", user="U0000000000") == "user_not_found"
    assert firm.told("user_change") == []
    await admin.ok("users.profile.set", user=bob.id, name="email", value="bob@example.org")
    assert (await firm.row(bob)).email == "bob@example.org"
    await ada.ok("users.profile.set", name="title", value="Analyst")
    count = len(firm.told("user_change"))
    await ada.ok("users.profile.set", name="title", value="Analyst")
    assert len(firm.told("user_change")) == count, "nothing changed, nothing to tell"


async def test_changes_at_the_same_time_are_all_kept(firm: Firm) -> None:
    """Ten values set at once by several clients: none undoes another, and the last event has them all."""
    names = ("title", "phone", "pronouns", "display_name", "status_text")
    await asyncio.gather(*(firm.ada.ok("users.profile.set", name=name, value=f"my {name}") for name in names))
    profile = (await firm.bob.ok("users.profile.get", user=firm.ada.id))["profile"]
    assert {name: profile[name] for name in names} == {name: f"my {name}" for name in names}
    newest = max(firm.told("user_change"), key=lambda each: int(each["position"].rpartition(":")[2]))
    assert newest["user"]["profile"] == profile


async def test_a_status_ends_by_itself(firm: Firm) -> None:
    """The sweep takes those that are over, once, and leaves what was set meanwhile."""
    ada, people = firm.ada, firm.office.services.people
    await ada.ok("users.profile.set", profile={"status_text": "out", "status_expiration": 4_000_000_000})
    await firm.bob.ok("users.profile.set", profile={"status_text": "lunch", "status_expiration": 1_000})
    workspaces = firm.office.services.workspaces
    for _ in range(2):
        await sweep_statuses(workspaces, people, firm.office.services.clock)
    assert (await firm.row(ada)).status_text == "out"
    over = await firm.row(firm.bob)
    assert (over.status_text, over.status_emoji, over.status_expiration_s) == ("", "", 0)
    told = [each["user"]["profile"]["status_text"] for each in firm.told("user_change")]
    assert told == ["out", "lunch", ""]


async def test_people_are_listed_looked_up_and_described(firm: Firm) -> None:
    """Everybody, page by page; by address, whatever its case."""
    ada, found = firm.ada, []
    cursor = ""
    while True:
        page = await ada.ok("users.list", limit=2, cursor=cursor)
        found += [each["id"] for each in page["members"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert found == sorted(each.id for each in (firm.owner, firm.admin, ada, firm.bob, firm.bot))
    assert page["cache_ts"] > 1_600_000_000
    assert await ada.error("users.list", cursor="!") == "invalid_cursor"
    assert (await ada.ok("users.lookupByEmail", email="Ada@Example.org"))["user"]["id"] == ada.id
    for email in ("nobody@example.org", "", None):
        assert await ada.error("users.lookupByEmail", email=email) == "users_not_found"
    me = await ada.ok("users.identity")
    assert me["user"]["id"] == ada.id
    assert me["team"]["id"] == ada.user.team_id
    assert me["user"]["image_72"]
    await ada.ok("users.setActive")
    await ada.ok("users.deletePhoto")
    assert (await ada.ok("users.profile.get"))["profile"]["image_72"] == ""
    assert "connection_count" not in await ada.ok("users.getPresence", user=firm.bob.id)
    assert (await ada.ok("users.getPresence"))["manual_away"] is False
    assert await ada.error("users.getPresence", user="U0000000000") == "user_not_found"


async def test_bots_and_the_workspace_are_described(firm: Firm) -> None:
    """What a bot is, and whose."""
    bot = firm.bot.user
    shown = (await firm.ada.ok("bots.info", bot=bot.bot_id))["bot"]
    assert shown.items() >= {"id": bot.bot_id, "user_id": bot.id, "app_id": bot.app_id, "deleted": False}.items()
    assert (await firm.bot.ok("bots.info"))["bot"] == shown
    for bot_id in ("B0000000000", "nobody", None):
        assert await firm.ada.error("bots.info", bot=bot_id) == "bot_not_found"
    team = (await firm.ada.ok("team.info"))["team"]
    assert team["icon"]["image_default"] is True
    assert team["email_domain"] == ""
    assert team["url"].startswith("http")
    assert await firm.ada.error("team.info", team="T0000000000") == "team_not_found"
    assert await firm.ada.error("team.info", domain="other") == "team_not_found"
    assert (await firm.ada.ok("team.profile.get"))["profile"]["fields"] == []


async def test_who_was_deactivated_is_out_and_shown_as_such(firm: Firm) -> None:
    """Its tokens open nothing, the workspace hears of it, and a bot's profile says so too."""
    admin, bob = firm.admin, firm.bob
    for someone, user_id, code in (
        (firm.ada, bob.id, "not_an_admin"),
        (admin, "U0000000000", "user_not_found"),
        (admin, admin.id, "cant_deactivate_self"),
        (admin, firm.owner.id, "restricted_action"),
    ):
        assert await someone.error("users.admin.setInactive", user=user_id) == code
        assert await someone.error("admin.users.remove", team_id=bob.user.team_id, user_id=user_id) == code
    assert await admin.error("admin.users.remove", team_id="T0000000000", user_id=bob.id) == "team_not_found"
    second = await firm.office.services.accounts.token_for(bob.user)
    await bob.ok("auth.test")
    await admin.ok("users.admin.setInactive", user=bob.id)
    for token in (bob.token, second):
        assert await replace(bob, token=token).error("auth.test") == "account_inactive"
    assert (await firm.ada.ok("users.info", user=bob.id))["user"]["deleted"] is True
    assert firm.told("user_change")[-1]["user"]["deleted"] is True
    await admin.ok("users.admin.setInactive", user=bob.id)
    await admin.ok("admin.users.remove", team_id=bob.user.team_id, user_id=firm.bot.id)
    assert (await admin.ok("bots.info", bot=firm.bot.user.bot_id))["bot"]["deleted"] is True
    assert await firm.bot.error("auth.test") == "account_inactive"
    await firm.owner.ok("users.admin.setInactive", user=admin.id)
    with pytest.raises(Refused, match="account_inactive"):
        await firm.office.services.accounts.token_for(bob.user)
    await firm.office.services.people.restore(bob.user.team_id, bob.id)
    assert await bob.error("auth.test") == "token_revoked"
    again = await firm.office.services.accounts.token_for(await firm.row(bob))
    await replace(bob, token=again).ok("auth.test")


async def test_a_token_can_be_revoked_by_who_has_it(firm: Firm) -> None:
    """Only that one, and what it opened hears of it by the user's own channel."""
    ada = firm.ada
    other = replace(ada, token=await firm.office.services.accounts.token_for(ada.user))
    assert (await ada.ok("auth.revoke", test=1))["revoked"] is False
    assert (await ada.ok("auth.teams.list"))["teams"] == [{"id": ada.user.team_id, "name": "Firm"}]
    assert (await ada.ok("auth.revoke"))["revoked"] is True
    assert await ada.error("auth.revoke") == "token_revoked"
    await other.ok("auth.test")
    events = [each for each in firm.office.events if each.channel_id == ada.id and each.HasField("revocation")]
    assert len(events) == 1
    assert len(events[0].revocation.token_prefixes) == 1
    assert not events[0].payload


async def test_a_token_that_is_over_opens_nothing(firm: Firm) -> None:
    """By the clock, without anybody doing anything."""
    services = firm.office.services
    token = await services.accounts.token_for(firm.ada.user, lives_s=3600)
    hashed = (await services.sessions.authenticate(token)).token_hash
    await replace(firm.ada, token=token).ok("auth.test")
    await firm.office.pools.user.execute(
        "UPDATE tokens SET expires_s = 7 WHERE user_id = %s AND token_hash = %s", (firm.ada.id, hashed)
    )
    await services.lookups.forget_token(hashed)
    assert await replace(firm.ada, token=token).error("auth.test") == "token_expired"


@pytest.mark.parametrize("odd", ["\x86*#\x96", "é", "U 1", "x" * 300, "U0000000000"])
async def test_what_is_no_id_names_nobody(acme: Office, odd: str) -> None:
    """Whatever a client sends as a user's id, to whatever method."""
    ada = acme["ada"]
    for method, name in ("conversations.open", "users"), ("users.info", "user"), ("reactions.list", "user"):
        assert await ada.error(method, **{name: odd}) == "user_not_found"
    assert (await ada.ok("dnd.teamInfo", users=[odd, ada.id]))["users"].keys() == {ada.id}
