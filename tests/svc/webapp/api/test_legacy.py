"""Old names of conversations.*: they mean what they are mapped to, and answer as they did."""

from __future__ import annotations

import itertools

import pytest

from svc.webapp.api import legacy
from svc.webapp.api.arguments import parse
from svc.webapp.api.registry import METHODS
from tests.svc.webapp.api.office import Office

_NUMBERS = itertools.count(1)


def new_name() -> str:
    """Return a name that nothing has."""
    return f"old-{next(_NUMBERS)}"


@pytest.mark.parametrize("alias", legacy.ALIASES, ids=lambda alias: alias.name)
def test_an_alias_is_the_method_that_it_stands_for(alias: legacy.Alias) -> None:
    """Its limits, scopes and class are the same, and whatever it renames or implies is an argument of today."""
    target, method = METHODS[alias.now], METHODS[alias.name]
    assert (method.writes, method.tier, method.scopes) == (target.writes, target.tier, target.scopes)
    names = {arg.name for arg in target.args}
    assert set(alias.renamed.values()) | set(alias.given) <= names
    assert not set(alias.given) & {arg.name for arg in method.args}


def test_arguments_are_read_by_their_old_names() -> None:
    """Given, renamed and implied ones come together; what was not given is not made up."""
    invite, history = METHODS["channels.invite"], METHODS["im.history"]
    aliases = {alias.name: alias for alias in legacy.ALIASES}
    args = aliases["channels.invite"].translated(parse(invite.args, {"channel": "C1", "user": "U1"}))
    assert (args.text("channel"), args.names("users")) == ("C1", ("U1",))
    args = aliases["im.history"].translated(parse(history.args, {"channel": "D1", "count": "7"}))
    assert (args.number("limit"), args.has("latest")) == (7, False)
    listed = aliases["groups.list"].translated(parse(METHODS["groups.list"].args, {"types": "im"}))
    assert listed.names("types") == ("private_channel", "mpim")


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="session")
async def test_channels_by_their_old_names(acme: Office) -> None:
    """Made by joining, described, left, archived, listed: as clients of years ago do."""
    ada, grace = acme["ada"], acme["grace"]
    name, other = new_name(), new_name()
    channel = (await ada.ok("channels.join", name=f"#{name}"))["channel"]
    assert (channel["name"], channel["is_member"]) == (name, True)
    assert (await ada.ok("channels.join", name=name))["already_in_channel"] is True
    assert (await grace.ok("channels.join", name=name))["channel"]["id"] == channel["id"]
    info = (await ada.ok("channels.info", channel=channel["id"]))["channel"]
    assert sorted(info["members"]) == sorted([ada.id, grace.id])
    assert (await ada.ok("channels.setTopic", channel=channel["id"], topic="t"))["topic"] == "t"
    assert (await ada.ok("channels.rename", channel=channel["id"], name=other))["channel"]["name"] == other
    posted = await ada.ok("chat.postMessage", channel=channel["id"], text="one")
    page = await ada.ok("channels.history", channel=channel["id"], count=1)
    assert ([each["ts"] for each in page["messages"]], page["has_more"]) == ([posted["ts"]], True)
    await ada.ok("chat.postMessage", channel=channel["id"], text="two", thread_ts=posted["ts"])
    thread = await ada.ok("channels.replies", channel=channel["id"], thread_ts=posted["ts"])
    assert [each["text"] for each in thread["messages"]] == ["one", "two"]
    await ada.ok("channels.mark", channel=channel["id"], ts=posted["ts"])
    await ada.ok("channels.kick", channel=channel["id"], user=grace.id)
    assert (await ada.ok("channels.invite", channel=channel["id"], user=grace.id))["channel"]["id"] == channel["id"]
    await grace.ok("channels.leave", channel=channel["id"])
    await ada.ok("channels.archive", channel=channel["id"])
    await ada.ok("channels.unarchive", channel=channel["id"])
    listed = (await ada.ok("channels.list", limit=1000))["channels"]
    assert channel["id"] in {each["id"] for each in listed}
    assert await ada.error("channels.join") == "invalid_name_required"


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="session")
async def test_private_and_direct_conversations_by_their_old_names(acme: Office) -> None:
    """groups.* answer with `group` and `groups`, im.* with `ims`, mpim.* with `group`."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    group = (await ada.ok("groups.create", name=new_name()))["group"]
    assert group["is_private"] is True
    assert (await ada.ok("groups.invite", channel=group["id"], user=grace.id))["group"]["id"] == group["id"]
    assert sorted((await grace.ok("groups.info", channel=group["id"]))["group"]["members"]) == sorted(
        [ada.id, grace.id]
    )
    assert group["id"] in {each["id"] for each in (await ada.ok("groups.list"))["groups"]}
    direct = (await ada.ok("im.open", user=grace.id))["channel"]["id"]
    assert direct in {each["id"] for each in (await ada.ok("im.list"))["ims"]}
    assert await ada.ok("im.history", channel=direct)
    await ada.ok("im.close", channel=direct)
    many = (await ada.ok("mpim.open", users=f"{grace.id},{linus.id}"))["group"]
    assert many["is_mpim"] is True
    assert many["id"] in {each["id"] for each in (await ada.ok("mpim.list"))["groups"]}
    await ada.ok("mpim.close", channel=many["id"])
