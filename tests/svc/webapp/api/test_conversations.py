"""conversations.* over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
_NUMBERS = itertools.count(1)


async def made(by: Someone, **arguments: object) -> str:
    """Make a channel with a name of its own; return its id."""
    answer = await by.ok("conversations.create", name=f"room-{next(_NUMBERS)}", **arguments)
    return str(answer["channel"]["id"])


async def test_a_new_channel_has_its_maker_in_it_and_everybody_hears_of_it(acme: Office) -> None:
    """channel_created goes to the workspace, channel_joined to the maker's sockets, the join to the channel."""
    ada = acme["ada"]
    channel = (await ada.ok("conversations.create", name="#plans"))["channel"]
    assert (channel["name"], channel["creator"], channel["is_member"]) == ("plans", ada.id, True)
    assert [event["type"] for event in acme.payloads(channel["id"])] == ["member_joined_channel", "message"]
    assert acme.payloads(channel["id"])[1]["subtype"] == "channel_join"
    created = [e for e in acme.payloads(ada.user.team_id) if e.get("type") == "channel_created"]
    assert created[-1]["channel"]["id"] == channel["id"]
    joined = [e for e in acme.payloads(ada.id) if e and e.get("type") == "channel_joined"]
    assert joined[-1]["channel"]["id"] == channel["id"]
    assert await ada.error("conversations.create", name="plans") == "name_taken"
    assert await ada.error("conversations.create", name="No Way") == "invalid_name_specials"
    assert await ada.error("conversations.create") == "invalid_name_required"


async def test_joining_and_leaving_are_told_once(acme: Office) -> None:
    """A second join is only a warning, a second leave only a note."""
    channel = await made(acme["ada"])
    grace = acme["grace"]
    first = await grace.ok("conversations.join", channel=channel)
    assert (first["channel"]["is_member"], "warning" in first) == (True, False)
    assert (await grace.ok("conversations.join", channel=channel))["warning"] == "already_in_channel"
    await grace.ok("conversations.leave", channel=channel)
    assert (await grace.ok("conversations.leave", channel=channel))["not_in_channel"] is True
    kinds = [event["type"] for event in acme.payloads(channel) if event.get("user") == grace.id]
    assert kinds == ["member_joined_channel", "message", "member_left_channel", "message"]
    assert await grace.error("conversations.leave", channel=acme.general) == "cant_leave_general"


async def test_inviting_brings_in_all_or_nobody(acme: Office) -> None:
    """Each reason has its code; with several people, each has its own."""
    channel = await made(acme["ada"])
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    assert await ada.error("conversations.invite", channel=channel) == "no_user"
    assert await ada.error("conversations.invite", channel=channel, users=ada.id) == "cant_invite_self"
    assert await ada.error("conversations.invite", channel=channel, users="U0000000000") == "user_not_found"
    assert await grace.error("conversations.invite", channel=channel, users=linus.id) == "not_in_channel"
    mixed = await ada.call("conversations.invite", channel=channel, users=f"{grace.id},{ada.id}")
    assert (mixed["error"], mixed["errors"][0]["user"]) == ("cant_invite_self", ada.id)
    await ada.ok("conversations.invite", channel=channel, users=f"{grace.id},{linus.id}")
    assert await ada.error("conversations.invite", channel=channel, users=grace.id) == "already_in_channel"
    members = (await ada.ok("conversations.members", channel=channel))["members"]
    assert sorted(members) == sorted([ada.id, grace.id, linus.id])
    joins = [e for e in acme.payloads(channel) if e["type"] == "member_joined_channel" and e["user"] != ada.id]
    assert {join["inviter"] for join in joins} == {ada.id}


async def test_a_private_channel_is_known_to_its_members_alone(acme: Office) -> None:
    """To others it does not exist, by id or name, in lists or calls."""
    ada, grace = acme["ada"], acme["grace"]
    made_now = await ada.ok("conversations.create", name="secret-plans", is_private="true")
    channel = made_now["channel"]["id"]
    assert made_now["channel"]["is_private"] is True
    for method in ("conversations.info", "conversations.join", "conversations.members", "conversations.history"):
        assert await grace.error(method, channel=channel) == "channel_not_found"
    assert await grace.error("chat.postMessage", channel="#secret-plans", text="x") == "channel_not_found"
    assert await grace.error("conversations.create", name="secret-plans") == "name_taken"
    listed = await grace.ok("conversations.list", types="public_channel,private_channel", limit=1000)
    assert channel not in {found["id"] for found in listed["channels"]}
    own = await ada.ok("conversations.list", types="private_channel")
    assert channel in {found["id"] for found in own["channels"]}
    assert await ada.error("conversations.leave", channel=channel) == "last_member"
    await ada.ok("conversations.invite", channel=channel, users=grace.id)
    assert (await grace.ok("conversations.info", channel=channel))["channel"]["is_member"] is True
    await ada.ok("conversations.leave", channel=channel)


async def test_another_workspace_does_not_exist(acme: Office) -> None:
    """Its channels, users and team are not found, and its people cannot be invited or written to."""
    other, _ = await acme.services.accounts.team("Rival", "rival")
    eve = (await acme.hire(other.id, ["eve"]))["eve"]
    theirs = await made(eve)
    ada = acme["ada"]
    for method in ("conversations.info", "conversations.join", "conversations.history", "conversations.members"):
        assert await ada.error(method, channel=theirs) == "channel_not_found"
    assert await ada.error("chat.postMessage", channel=theirs, text="x") == "channel_not_found"
    assert await ada.error("chat.postMessage", channel=eve.id, text="x") == "channel_not_found"
    assert await ada.error("users.info", user=eve.id) == "user_not_found"
    assert await ada.error("users.getPresence", user=eve.id) == "user_not_found"
    assert await ada.error("users.conversations", user=eve.id) == "user_not_found"
    assert await ada.error("conversations.invite", channel=acme.general, users=eve.id) == "user_not_found"
    assert await ada.error("conversations.open", users=eve.id) == "user_not_found"
    assert await ada.error("team.info", team=other.id) == "team_not_found"
    assert eve.id not in {user["id"] for user in (await ada.ok("users.list", limit=1000))["members"]}


def _id(event: dict[str, Any]) -> str:
    """Return the id of the conversation that an event brings whole."""
    channel = event.get("channel")
    return str(channel["id"]) if isinstance(channel, dict) else ""


async def test_the_last_two_do_not_leave_together_and_who_is_invited_twice_comes_once(acme: Office) -> None:
    """At the same moment, over HTTP: a private conversation keeps one, and each join is told once."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await made(ada, is_private=True)
    await ada.ok("conversations.invite", channel=channel, users=grace.id)
    left = await asyncio.gather(*(each.call("conversations.leave", channel=channel) for each in (ada, grace)))
    assert sorted(str(each.get("error", "")) for each in left) == ["", "last_member"]
    (stays,) = [who for who, answer in zip((ada, grace), left, strict=True) if not answer["ok"]]
    assert (await stays.ok("conversations.members", channel=channel))["members"] == [stays.id]
    open_to = await made(ada)
    await ada.ok("conversations.invite", channel=open_to, users=grace.id)
    both = f"{linus.id},{acme['helper'].id}"
    invited = await asyncio.gather(*(w.call("conversations.invite", channel=open_to, users=both) for w in (ada, grace)))
    assert {str(each.get("error", "")) for each in invited} <= {"", "already_in_channel"}
    joined = [e["user"] for e in acme.payloads(open_to) if e["type"] == "member_joined_channel"]
    assert sorted(joined) == sorted([ada.id, grace.id, linus.id, acme["helper"].id])


async def test_opening_a_direct_message_twice_gives_the_same_one(acme: Office) -> None:
    """By either of the two; it has no name, and its own flags."""
    ada, linus = acme["ada"], acme["linus"]
    assert await ada.error("conversations.open") == "users_list_not_supplied"
    assert await ada.error("conversations.open", users=linus.id, prevent_creation=True) == "channel_not_found"
    first = await ada.ok("conversations.open", users=linus.id)
    assert (first["already_open"], first["no_op"], list(first["channel"])) == (False, False, ["id"])
    again = await linus.ok("conversations.open", users=ada.id, return_im="1")
    assert again["channel"]["id"] == first["channel"]["id"]
    assert (again["already_open"], again["channel"]["is_im"], again["channel"]["user"]) == (True, True, ada.id)
    assert again["channel"]["id"].startswith("D")
    info = await ada.ok("conversations.info", channel=first["channel"]["id"])
    assert (info["channel"]["is_im"], info["channel"]["user"]) == (True, linus.id)
    by_id = await ada.ok("conversations.open", channel=first["channel"]["id"], return_im="true")
    assert (by_id["channel"]["user"], by_id["already_open"]) == (linus.id, True)
    created = [e for e in acme.payloads(linus.id) if e and e.get("type") == "im_created"]
    assert created[-1]["channel"]["user"] == ada.id
    # Who opens it is told that it is open, behind what it is; the other one finds it when something is said.
    mine = [e["type"] for e in acme.payloads(ada.id) if first["channel"]["id"] in (e.get("channel"), _id(e))]
    assert mine == ["im_created", "im_open"]
    listed = (await ada.ok("conversations.list", types="im"))["channels"]
    assert (first["channel"]["id"], linus.id) in {(found["id"], found["user"]) for found in listed}
    assert await acme["grace"].error("conversations.info", channel=first["channel"]["id"]) == "channel_not_found"
    assert await ada.error("conversations.leave", channel=first["channel"]["id"]) == (
        "method_not_supported_for_channel_type"
    )


async def test_a_group_message_has_its_peoples_names(acme: Office) -> None:
    """G for three and more, whoever opens it and in whatever order."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    group = (await ada.ok("conversations.open", users=f"{grace.id},{linus.id}"))["channel"]
    assert (group["name"], group["is_mpim"], group["id"][0]) == ("mpdm-ada--grace--linus-1", True, "G")
    same = (await linus.ok("conversations.open", users=f"{grace.id},{ada.id}"))["channel"]
    assert same["id"] == group["id"]
    many = ",".join(f"U{n:010d}" for n in range(9))
    assert await ada.error("conversations.open", users=many) == "too_many_users"


async def test_lists_page_by_the_last_id_and_skip_nothing(acme: Office) -> None:
    """Any page size walks over the same entries; the cursor is empty on the last page."""
    linus = acme["linus"]
    mine = {await made(linus) for _ in range(5)}
    expected = {c["id"] for c in (await linus.ok("conversations.list", limit=1000))["channels"]}
    assert mine < expected
    for method, key, arguments in (
        ("conversations.list", "channels", {}),
        ("users.conversations", "channels", {"types": "public_channel,private_channel,im,mpim"}),
        ("users.list", "members", {}),
        ("conversations.members", "members", {"channel": acme.general}),
    ):
        whole = (await linus.ok(method, limit=1000, **arguments))[key]
        seen: list[object] = []
        cursor = ""
        while True:
            page = await linus.ok(method, limit=2, cursor=cursor, **arguments)
            assert len(page[key]) <= 2
            seen += page[key]
            cursor = page["response_metadata"]["next_cursor"]
            if not cursor:
                break
        assert [s["id"] if isinstance(s, dict) else s for s in seen] == [
            w["id"] if isinstance(w, dict) else w for w in whole
        ]
        assert await linus.error(method, cursor="bogus", **arguments) == "invalid_cursor"
        assert await linus.error(method, limit="many", **arguments) == "invalid_limit"
    assert await linus.error("conversations.list", types="public_channel,secret") == "invalid_types"


async def test_lists_say_who_is_a_member_and_of_how_many(acme: Office) -> None:
    """is_member is the caller's own; num_members counts everybody."""
    channel = await made(acme["ada"])
    await acme["grace"].ok("conversations.join", channel=channel)
    for name, is_member in (("ada", True), ("linus", False)):
        listed = (await acme[name].ok("conversations.list", limit=1000))["channels"]
        found = next(entry for entry in listed if entry["id"] == channel)
        assert (found["is_member"], found["num_members"]) == (is_member, 2)
    info = await acme["ada"].ok("conversations.info", channel=channel, include_num_members="true")
    assert "locale" not in info["channel"]
    for method, kind in (("conversations.info", "channel"), ("channels.info", "channel"), ("groups.info", "group")):
        spoken = await acme["ada"].ok(method, channel=channel, include_locale="true")
        assert spoken[kind]["locale"] == "en-US"
    made_s, last_read = info["channel"]["created"], float(info["channel"]["last_read"])
    # Who comes has read what was said before.
    assert (info["channel"]["num_members"], 0 <= last_read - made_s < 60) == (2, True)
    others = await acme["ada"].ok("users.conversations", user=acme["grace"].id, limit=1000)
    assert channel in {found["id"] for found in others["channels"]}
