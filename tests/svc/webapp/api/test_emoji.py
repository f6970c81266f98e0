"""emoji.list and admin.emoji.*, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from parley.event.v1 import event_pb2
from svc.webapp.domain import emoji as emoji_domain
from svc.webapp.domain.standard_emoji import standard_emoji
from svc.webapp.store.rows import Emoji, User
from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PARTY = "https://example.org/party.gif"


@dataclass(frozen=True)
class Studio:
    """A workspace of its own, with an admin and a member."""

    office: Office
    admin: Someone
    member: Someone

    async def emoji(self) -> dict[str, str]:
        """What everybody is told."""
        found: dict[str, str] = (await self.member.ok("emoji.list"))["emoji"]
        return found

    def told(self) -> list[dict[str, Any]]:
        """What the workspace heard of emoji: the clients' JSON, without places."""
        events = [each for each in self.office.payloads(self.admin.user.team_id) if each["type"] == "emoji_changed"]
        return [{k: v for k, v in each.items() if k not in ("event_ts", "position", "type")} for each in events]

    def changes(self) -> list[event_pb2.Event]:
        """The events that change the model's emoji."""
        mine = [each for each in self.office.events if each.channel_id == self.admin.user.team_id]
        return [each for each in mine if each.model_change.emoji or each.model_change.removed_emoji]


@pytest_asyncio.fixture(loop_scope="session")
async def studio(acme: Office, request: pytest.FixtureRequest) -> Studio:
    """A new one for each test."""
    accounts = acme.services.accounts
    team, _ = await accounts.team("Studio", request.node.name[:60].replace("_", "-"))
    user = await accounts.person(User("", team.id, "root", is_admin=True))
    admin = Someone(user, await accounts.token_for(user), acme.base, acme.http)
    return Studio(acme, admin, (await acme.hire(team.id, ["member"]))["member"])


async def test_emoji_are_added_aliased_renamed_and_removed(studio: Studio) -> None:
    """Everybody lists them, and hears of each change once, with what the edge has to change."""
    admin = studio.admin
    await admin.ok("admin.emoji.add", name=":party:", url=PARTY)
    await admin.ok("admin.emoji.add", name="fest", url="alias:party")
    await admin.ok("admin.emoji.addAlias", name="fiesta", alias_for="fest")
    assert await studio.emoji() == {"fest": "alias:party", "fiesta": "alias:party", "party": PARTY}
    await admin.ok("admin.emoji.rename", name="party", new_name="gala")
    assert await studio.emoji() == {"fest": "alias:gala", "fiesta": "alias:gala", "gala": PARTY}
    await admin.ok("admin.emoji.remove", name="fiesta")
    await admin.ok("admin.emoji.remove", name="gala")
    assert await studio.emoji() == {}
    assert studio.told() == [
        {"subtype": "add", "name": "party", "value": PARTY},
        {"subtype": "add", "name": "fest", "value": "alias:party"},
        {"subtype": "add", "name": "fiesta", "value": "alias:party"},
        {"subtype": "add", "name": "gala", "value": PARTY},
        {"subtype": "add", "name": "fest", "value": "alias:gala"},
        {"subtype": "add", "name": "fiesta", "value": "alias:gala"},
        {"subtype": "remove", "names": ["party"]},
        {"subtype": "remove", "names": ["fiesta"]},
        {"subtype": "remove", "names": ["gala", "fest"]},
    ]
    model: dict[str, str] = {}
    for event in studio.changes():
        assert event.kind == event_pb2.EVENT_KIND_WORKSPACE
        model |= {each.name: each.value for each in event.model_change.emoji}
        for name in event.model_change.removed_emoji:
            del model[name]
    assert model == {}
    # A name that was removed may come back.
    await admin.ok("admin.emoji.add", name="party", url=PARTY)
    assert await studio.emoji() == {"party": PARTY}


async def test_unicodes_emoji_are_listed_by_category(studio: Studio) -> None:
    """Where a client asks for it: by Slack's names, in Slack's categories, each name once."""
    assert "categories" not in await studio.member.ok("emoji.list")
    told = await studio.member.ok("emoji.list", include_categories=1)
    found = {each["name"]: each["emoji_names"] for each in told["categories"]}
    assert next(iter(found)) == "Smileys & People"
    assert {"Food & Drink", "Travel & Places", "Flags"} <= set(found)
    assert {"+1", "thumbsup", "tada", "slightly_smiling_face"} <= {name for names in found.values() for name in names}
    assert "taco" in found["Food & Drink"]
    assert len([name for names in found.values() for name in names]) == len(standard_emoji().names) > 1_900
    assert told["categories_version"]


async def test_only_admins_change_emoji(studio: Studio) -> None:
    """Members and bots are refused, and nothing happens."""
    for method, arguments in (
        ("add", {"name": "x", "url": PARTY}),
        ("addAlias", {"name": "x", "alias_for": "y"}),
        ("remove", {"name": "x"}),
        ("rename", {"name": "x", "new_name": "y"}),
    ):
        assert await studio.member.error(f"admin.emoji.{method}", **arguments) == "not_an_admin"
    assert studio.told() == []


async def test_refusals_have_the_codes_of_slack(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with a name, a picture or what it stands for."""
    admin = studio.admin
    await admin.ok("admin.emoji.add", name="party", url=PARTY)
    for method, arguments, code in (
        ("add", {"url": PARTY}, "error_missing_name"),
        ("add", {"name": "x"}, "error_no_image"),
        ("add", {"name": "Party", "url": PARTY}, "error_lower_case_names_only"),
        ("add", {"name": "a b", "url": PARTY}, "error_bad_name_i18n"),
        ("add", {"name": "party", "url": PARTY}, "error_name_taken"),
        ("add", {"name": "x", "url": "ftp://example.org/x"}, "error_bad_format"),
        ("add", {"name": "x", "url": "alias:nobody"}, "error_invalid_alias"),
        ("addAlias", {"name": "x"}, "no_alias_selected"),
        ("addAlias", {"name": "party", "alias_for": "party"}, "error_name_taken"),
        ("remove", {"name": "nobody"}, "emoji_not_found"),
        ("rename", {"name": "nobody", "new_name": "x"}, "error_invalid_emoji_to_rename"),
        ("rename", {"name": "party", "new_name": "party"}, "error_name_taken"),
        ("rename", {"name": "party"}, "error_missing_name"),
    ):
        assert await admin.error(f"admin.emoji.{method}", **arguments) == code, (method, arguments)
    monkeypatch.setattr(emoji_domain, "EMOJI_MAX", 1)
    assert await admin.error("admin.emoji.add", name="x", url=PARTY) == "emoji_limit_reached"
    await admin.ok("admin.emoji.rename", name="party", new_name="gala")
    assert len(studio.told()) == 3


async def test_an_emoji_of_many_names_is_removed_with_all_of_them(studio: Studio) -> None:
    """More than one event may tell."""
    admin, store = studio.admin, studio.office.services.workspaces
    await admin.ok("admin.emoji.add", name="party", url=PARTY)
    team_id = admin.user.team_id
    await store.put_emoji([Emoji(team_id, f"p{number}", "alias:party") for number in range(120)])
    await admin.ok("admin.emoji.remove", name="party")
    assert await studio.emoji() == {}
    removed = [name for each in studio.told() if each["subtype"] == "remove" for name in each["names"]]
    assert len(removed) == len(set(removed)) == 121
