"""usergroups.* over HTTP, and what they tell whom."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from svc.webapp.domain.people import usergroups
from svc.webapp.store.rows import User
from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


@dataclass(frozen=True)
class Crew:
    """A workspace of its own."""

    office: Office
    admin: Someone
    ada: Someone
    bob: Someone
    channel_id: str

    def told(self, channel_id: str) -> list[dict[str, Any]]:
        """What somebody heard of groups."""
        found = [each for each in self.office.payloads(channel_id) if str(each.get("type")).startswith("subteam")]
        return [{k: v for k, v in each.items() if k not in ("event_ts", "position")} for each in found]


@pytest_asyncio.fixture(loop_scope="session")
async def crew(acme: Office, request: pytest.FixtureRequest) -> Crew:
    """A new one for each test."""
    accounts = acme.services.accounts
    team, _ = await accounts.team("Crew", request.node.name[:60].replace("_", "-"))
    user = await accounts.person(User("", team.id, "root", is_admin=True))
    admin = Someone(user, await accounts.token_for(user), acme.base, acme.http)
    people = await acme.hire(team.id, ["ada", "bob"])
    made = await admin.ok("conversations.create", name="deck")
    return Crew(acme, admin, people["ada"], people["bob"], made["channel"]["id"])


async def test_a_group_is_a_section_of_its_conversations(crew: Crew) -> None:
    """Of those that come with it, not of those that are further; who turns it off, or takes them away, has none."""
    admin = crew.admin
    further = (await admin.ok("conversations.create", name="further"))["channel"]["id"]
    given = {"name": "Section", "channels": crew.channel_id, "additional_channels": further, "enable_section": 1}
    made = (await admin.ok("usergroups.create", **given, include_count=1))["usergroup"]
    assert (made["is_section"], made["channel_count"], made["additional_channels"]) == (True, 1, [further])
    assert made["prefs"]["channels"] == [crew.channel_id]
    group = {"usergroup": made["id"]}
    kept = (await admin.ok("usergroups.update", **group, name="Other"))["usergroup"]
    assert (kept["is_section"], kept["additional_channels"]) == (True, [further])
    assert not (await admin.ok("usergroups.update", **group, channels="[]"))["usergroup"]["is_section"]
    assert (await admin.ok("usergroups.update", **group, channels=further))["usergroup"]["is_section"]
    assert not (await admin.ok("usergroups.update", **group, enable_section=0))["usergroup"]["is_section"]
    assert await admin.error("usergroups.update", **group, additional_channels="C0000000000") == "channel_not_found"
    told = [each["subteam"]["is_section"] for each in crew.told(admin.user.team_id)]
    assert told == [True, True, False, True, False]


async def test_a_group_is_made_filled_listed_and_disabled(crew: Crew) -> None:
    """Each change is told to the workspace, and to who comes and goes."""
    admin, ada, bob = crew.admin, crew.ada, crew.bob
    made = (
        await admin.ok(
            "usergroups.create", name="Site Ops", description="They run it", channels=crew.channel_id, include_count=1
        )
    )["usergroup"]
    group_id = made["id"]
    assert made["handle"] == "site-ops"
    assert made["user_count"] == 0
    assert made["users"] == []
    assert made["prefs"]["channels"] == [crew.channel_id]
    assert made["created_by"] == admin.id
    filled = (await admin.ok("usergroups.users.update", usergroup=group_id, users=[bob.id, ada.id]))["usergroup"]
    assert filled["users"] == sorted([ada.id, bob.id])
    await admin.ok("usergroups.users.update", usergroup=group_id, users=ada.id)
    renamed = (await admin.ok("usergroups.update", usergroup=group_id, name="Ops", handle="@ops"))["usergroup"]
    assert (renamed["name"], renamed["handle"], renamed["description"]) == ("Ops", "ops", "They run it")
    assert (await ada.ok("usergroups.users.list", usergroup=group_id))["users"] == [ada.id]
    [listed] = (await ada.ok("usergroups.list", include_users=True))["usergroups"]
    assert listed == renamed
    [bare] = (await ada.ok("usergroups.list", include_count=True))["usergroups"]
    assert "users" not in bare
    assert bare["user_count"] == 1
    groups = crew.office.services.usergroups
    assert await groups.members_of_groups(admin.user.team_id, [group_id, "S0000000000"]) == {ada.id}
    await admin.ok("usergroups.disable", usergroup=group_id)
    assert (await ada.ok("usergroups.list"))["usergroups"] == []
    assert len((await ada.ok("usergroups.list", include_disabled=1))["usergroups"]) == 1
    assert (await ada.ok("usergroups.users.list", usergroup=group_id))["users"] == []
    assert await groups.members_of_group(admin.user.team_id, group_id) == ()
    enabled = (await admin.ok("usergroups.enable", usergroup=group_id))["usergroup"]
    assert enabled["date_delete"] == 0
    told = crew.told(admin.user.team_id)
    assert [each["type"] for each in told] == [
        "subteam_created",
        "subteam_updated",
        "subteam_members_changed",
        "subteam_updated",
        "subteam_members_changed",
        "subteam_updated",
        "subteam_updated",
        "subteam_updated",
    ]
    assert told[4]["removed_users"] == [bob.id]
    assert told[4]["added_users_count"] == 0
    assert told[-1]["subteam"]["id"] == group_id
    assert crew.told(ada.id) == [{"type": "subteam_self_added", "subteam_id": group_id}]
    assert [each["type"] for each in crew.told(bob.id)] == ["subteam_self_added", "subteam_self_removed"]
    start = await ada.ok("rtm.start")
    assert [each["id"] for each in start["subteams"]["all"]] == [group_id]
    assert start["subteams"]["self"] == [group_id]


async def test_a_handle_is_nobody_else_s(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a user's, a conversation's or another group's; and a conversation does not get a group's."""
    admin = crew.admin
    group_id = (await admin.ok("usergroups.create", name="Ops"))["usergroup"]["id"]
    for arguments, code in (
        ({"name": "x", "handle": "ada"}, "name_already_exists"),
        ({"name": "x", "handle": "deck"}, "name_already_exists"),
        ({"name": "x", "handle": "ops"}, "name_already_exists"),
        ({"name": "x", "handle": "Ops"}, "invalid_handle"),
        ({"name": "x", "handle": "a b"}, "invalid_handle"),
        ({"name": "!!"}, "invalid_handle"),
        ({"name": "x", "handle": "x" * 22}, "handle_too_long"),
        ({"name": "x" * 81, "handle": "x"}, "invalid_name"),
        ({"handle": "x"}, "invalid_name_required"),
        ({"name": "x", "description": "x" * 141}, "description_too_long"),
        ({"name": "x", "channels": "C0000000000"}, "channel_not_found"),
    ):
        assert await admin.error("usergroups.create", **arguments) == code, arguments
    assert await admin.error("conversations.create", name="ops") == "name_taken"
    await admin.ok("usergroups.update", usergroup=group_id, handle="crew")
    await admin.ok("conversations.create", name="ops")
    monkeypatch.setattr(usergroups, "GROUPS_MAX", 1)
    assert await admin.error("usergroups.create", name="another") == "subteam_limit_reached"


async def test_what_else_is_refused(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not, which group, and whom."""
    admin, ada = crew.admin, crew.ada
    group_id = (await admin.ok("usergroups.create", name="Ops"))["usergroup"]["id"]
    for method, arguments in (
        ("create", {"name": "x"}),
        ("update", {"name": "x"}),
        ("enable", {}),
        ("disable", {}),
        ("users.update", {"users": ada.id}),
    ):
        assert await ada.error(f"usergroups.{method}", usergroup=group_id, **arguments) == "permission_denied"
    for method in ("update", "enable", "disable", "users.list", "users.update"):
        for wrong in ("S0000000000", "x", None):
            answer = await admin.error(f"usergroups.{method}", usergroup=wrong, users=ada.id, name="x")
            assert answer == "no_such_subteam", (method, wrong)
    assert await admin.error("usergroups.users.update", usergroup=group_id) == "no_users_provided"
    assert await admin.error("usergroups.users.update", usergroup=group_id, users="U0000000000") == "invalid_users"
    monkeypatch.setattr(usergroups, "USERS_MAX", 1)
    both = [ada.id, crew.bob.id]
    assert await admin.error("usergroups.users.update", usergroup=group_id, users=both) == "subteam_max_users_reached"
    other = crew.office["ada"]
    listed = (await other.ok("usergroups.list", include_disabled=1))["usergroups"]
    assert group_id not in [each["id"] for each in listed]
    assert await other.error("usergroups.users.list", usergroup=group_id) == "no_such_subteam"


async def test_two_changes_at_once_are_both_kept(crew: Crew) -> None:
    """Neither undoes the other."""
    admin = crew.admin
    group_id = (await admin.ok("usergroups.create", name="Ops"))["usergroup"]["id"]
    await asyncio.gather(
        admin.ok("usergroups.update", usergroup=group_id, description="new"),
        admin.ok("usergroups.users.update", usergroup=group_id, users=crew.ada.id),
        admin.ok("usergroups.update", usergroup=group_id, handle="crew"),
    )
    [group] = (await admin.ok("usergroups.list", include_users=1))["usergroups"]
    assert (group["description"], group["users"], group["handle"]) == ("new", [crew.ada.id], "crew")


async def test_what_is_no_id_is_in_no_group(crew: Crew) -> None:
    """Neither as a user nor as a conversation, nor is it invited, nor a file."""
    admin = crew.admin
    group = (await admin.ok("usergroups.create", name="Odd"))["usergroup"]["id"]
    for odd in "\x86*#\x96,é", "U0000000000,é", "nobody":
        assert await admin.error("usergroups.update", usergroup=group, channels=odd) == "channel_not_found"
        assert await admin.error("usergroups.users.update", usergroup=group, users=odd) == "invalid_users"
        assert await admin.error("conversations.invite", channel=crew.channel_id, users=odd) == "user_not_found"
        files = [{"id": each} for each in odd.split(",")]
        assert await admin.error("files.completeUploadExternal", files=files) == "file_not_found"
