"""What changes conversations, over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
_NUMBERS = itertools.count(1)
DIRECT_CODE = "method_not_supported_for_channel_type"


def new_name() -> str:
    """Return a name that nothing has."""
    return f"place-{next(_NUMBERS)}"


async def made(by: Someone, *others: Someone, **arguments: object) -> str:
    """Make a channel, with others in it; return its id."""
    channel = (await by.ok("conversations.create", name=new_name(), **arguments))["channel"]["id"]
    if others:
        await by.ok("conversations.invite", channel=channel, users=",".join(other.id for other in others))
    return str(channel)


def told(office: Office, channel_id: str, *kinds: str) -> list[dict[str, Any]]:
    """Return the events of a channel that are of these types or subtypes."""
    return [e for e in office.payloads(channel_id) if e and {e.get("type"), e.get("subtype")} & set(kinds)]


async def test_a_new_name_frees_the_old_one_and_everybody_hears_of_it(acme: Office) -> None:
    """The workspace gets channel_rename, the channel a message; both names are looked up rightly at once."""
    ada, grace = acme["ada"], acme["grace"]
    before, after = new_name(), new_name()
    channel = (await ada.ok("conversations.create", name=before))["channel"]["id"]
    answer = (await ada.ok("conversations.rename", channel=channel, name=after))["channel"]
    assert (answer["name"], answer["name_normalized"], answer["previous_names"]) == (after, after, [before])
    event = told(acme, ada.user.team_id, "channel_rename")[-1]
    assert (event["channel"]["id"], event["channel"]["name"]) == (channel, after)
    assert isinstance(event["channel"]["created"], int)
    notice = told(acme, channel, "channel_name")[-1]
    assert (notice["old_name"], notice["name"], notice["user"], notice["type"]) == (before, after, ada.id, "message")
    history = (await ada.ok("conversations.history", channel=channel))["messages"]
    assert (history[0]["subtype"], history[0]["old_name"]) == ("channel_name", before)
    assert (await grace.ok("conversations.join", channel=f"#{after}"))["channel"]["id"] == channel
    assert await grace.error("conversations.create", name=after) == "name_taken"
    taken = (await grace.ok("conversations.create", name=before))["channel"]["id"]
    assert await ada.error("conversations.rename", channel=channel, name=before) == "name_taken"
    assert await grace.error("conversations.rename", channel=taken, name=after) == "name_taken"
    count = len(told(acme, channel, "channel_name"))
    assert (await ada.ok("conversations.rename", channel=channel, name=after))["channel"]["name"] == after
    assert len(told(acme, channel, "channel_name")) == count, "a name that it has is no news"
    listed = await ada.ok("conversations.info", channel=channel)
    assert listed["channel"]["previous_names"] == [before]


async def test_names_follow_their_rules_when_they_change(acme: Office) -> None:
    """The codes of conversations.create, and who may not."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await made(ada)
    for name, code in (
        ("", "invalid_name_required"),
        ("No", "invalid_name_specials"),
        ("a b", "invalid_name_specials"),
        ("a.b", "invalid_name_specials"),
        ("-_-", "invalid_name_punctuation"),
        ("x" * 81, "invalid_name_maxlength"),
        (["a"], "invalid_name_specials"),
    ):
        assert await ada.error("conversations.rename", channel=channel, name=name) == code
        assert await ada.error("conversations.create", name=name) == code
    assert await grace.error("conversations.rename", channel=channel, name=new_name()) == "not_in_channel"
    assert await grace.error("conversations.rename", channel="C0000000000", name="x") == "channel_not_found"
    assert await ada.error("conversations.rename", channel=acme.general, name=new_name()) == "not_authorized"
    direct = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
    assert await ada.error("conversations.rename", channel=direct, name=new_name()) == DIRECT_CODE


async def test_only_members_hear_of_what_becomes_of_a_private_channel(acme: Office) -> None:
    """Its own log carries group_rename and group_archive; the workspace's has nothing."""
    ada = acme["ada"]
    channel = await made(ada, is_private="1")
    before = len(acme.payloads(ada.user.team_id))
    await ada.ok("conversations.rename", channel=channel, name=new_name())
    await ada.ok("conversations.archive", channel=channel)
    await ada.ok("conversations.unarchive", channel=channel)
    kinds = [e.get("subtype") or e["type"] for e in acme.payloads(channel)][2:]
    assert kinds == [
        "group_rename",
        "group_name",
        "group_archive",
        "group_archive",
        "group_unarchive",
        "group_unarchive",
    ]
    assert channel not in str(acme.payloads(ada.user.team_id)[before:])


async def test_topic_and_purpose_are_set_and_told_once(acme: Office) -> None:
    """Both have a text, who set it and when; the same again is no news, and an empty one clears it."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await made(ada)
    for method, what in (("conversations.setTopic", "topic"), ("conversations.setPurpose", "purpose")):
        answer = await ada.ok(method, channel=channel, **{what: "ships & sails"})
        assert (answer[what], answer["channel"][what]["value"]) == ("ships & sails", "ships & sails")
        assert (answer["channel"][what]["creator"], answer["channel"][what]["last_set"] > 0) == (ada.id, True)
        await ada.ok(method, channel=channel, **{what: "ships & sails"})
        notices = told(acme, channel, f"channel_{what}")
        assert [(n[what], n["user"]) for n in notices] == [("ships & sails", ada.id)]
        await ada.ok(method, channel=channel, **{what: ""})
        assert (await grace.ok("conversations.info", channel=channel))["channel"][what]["value"] == ""
        assert await ada.error(method, channel=channel, **{what: "x" * 251}) == "too_long"
        assert await ada.error(method, channel=channel) == "invalid_arguments"
        assert await grace.error(method, channel=channel, **{what: "x"}) == "not_in_channel"
        group = (await ada.ok("conversations.open", users=f"{grace.id},{linus.id}"))["channel"]["id"]
        assert (await grace.ok(method, channel=group, **{what: "of us"}))[what] == "of us"
        direct = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
        assert await ada.error(method, channel=direct, **{what: "x"}) == DIRECT_CODE


async def test_nothing_happens_in_an_archived_channel_until_it_is_taken_up_again(acme: Office) -> None:
    """No posts, joins, invitations or changes; its name stays taken. Who takes it up is in it."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await made(ada, grace)
    name = (await ada.ok("conversations.info", channel=channel))["channel"]["name"]
    assert await linus.error("conversations.archive", channel=channel) == "not_in_channel"
    assert await ada.error("conversations.unarchive", channel=channel) == "not_archived"
    await ada.ok("conversations.archive", channel=channel)
    event = told(acme, ada.user.team_id, "channel_archive")[-1]
    assert (event["channel"], event["user"]) == (channel, ada.id)
    assert told(acme, channel, "channel_archive")[-1]["type"] == "message"
    assert await ada.error("conversations.archive", channel=channel) == "already_archived"
    refused: tuple[tuple[str, dict[str, str]], ...] = (
        ("chat.postMessage", {"text": "x"}),
        ("conversations.invite", {"users": linus.id}),
        ("conversations.kick", {"user": grace.id}),
        ("conversations.leave", {}),
        ("conversations.rename", {"name": new_name()}),
        ("conversations.setTopic", {"topic": "x"}),
        ("conversations.setPurpose", {"purpose": "x"}),
    )
    for method, arguments in refused:
        assert await ada.error(method, channel=channel, **arguments) == "is_archived", method
    assert await linus.error("conversations.join", channel=channel) == "is_archived"
    assert await linus.error("conversations.create", name=name) == "name_taken"
    listed = (await linus.ok("conversations.list", limit=1000, exclude_archived="true"))["channels"]
    assert channel not in {each["id"] for each in listed}
    everything = (await linus.ok("conversations.list", limit=1000))["channels"]
    assert [each["is_archived"] for each in everything if each["id"] == channel] == [True]
    assert (await ada.ok("conversations.history", channel=channel))["messages"][0]["subtype"] == "channel_archive"
    await linus.ok("conversations.unarchive", channel=channel)
    assert told(acme, ada.user.team_id, "channel_unarchive")[-1]["channel"] == channel
    assert [e["user"] for e in told(acme, channel, "member_joined_channel")][-1] == linus.id
    assert told(acme, linus.id, "channel_joined")[-1]["channel"]["is_archived"] is False
    members = (await ada.ok("conversations.members", channel=channel))["members"]
    assert sorted(members) == sorted([ada.id, grace.id, linus.id])
    await linus.ok("chat.postMessage", channel=channel, text="here again")
    assert await ada.error("conversations.archive", channel=acme.general) == "cant_archive_general"
    direct = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
    for method in ("conversations.archive", "conversations.unarchive"):
        assert await ada.error(method, channel=direct) == DIRECT_CODE


async def test_who_is_removed_is_out_at_once(acme: Office) -> None:
    """The channel hears of it as of a leave, its sockets of channel_left, and the next post is refused."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await made(ada, grace)
    assert await ada.error("conversations.kick", channel=channel) == "user_not_found"
    assert await ada.error("conversations.kick", channel=channel, user="U0000000000") == "user_not_found"
    assert await ada.error("conversations.kick", channel=channel, user=ada.id) == "cant_kick_self"
    assert await ada.error("conversations.kick", channel=channel, user=linus.id) == "not_in_channel"
    assert await linus.error("conversations.kick", channel=channel, user=ada.id) == "not_in_channel"
    assert await grace.error("conversations.kick", channel=channel, user=ada.id) == "restricted_action"
    await ada.ok("conversations.kick", channel=channel, user=grace.id)
    assert [e["user"] for e in told(acme, channel, "member_left_channel", "channel_leave")] == [grace.id] * 2
    left = told(acme, grace.id, "channel_left")[-1]
    assert (left["channel"], left["actor_id"]) == (channel, ada.id)
    assert await grace.error("chat.postMessage", channel=channel, text="x") == "not_in_channel"
    assert channel not in {each["id"] for each in (await grace.ok("users.conversations", limit=1000))["channels"]}
    assert await ada.error("conversations.kick", channel=acme.general, user=grace.id) in (
        "cant_kick_from_general",
        "restricted_action",
    )
    secret = await made(ada, grace, linus, is_private="true")
    await grace.ok("conversations.kick", channel=secret, user=linus.id)
    assert await linus.error("conversations.info", channel=secret) == "channel_not_found"
    assert told(acme, linus.id, "group_left")[-1]["channel"] == secret


async def test_two_names_at_once_are_two_changes_one_after_the_other(acme: Office) -> None:
    """Each message tells the name that there was before it; the last one is the channel's, its first is free."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await made(ada, grace)
    first = (await ada.ok("conversations.info", channel=channel))["channel"]["name"]
    wanted = [new_name() for _ in range(6)]
    callers = itertools.cycle((ada, grace))
    await asyncio.gather(*(next(callers).ok("conversations.rename", channel=channel, name=name) for name in wanted))
    notices = told(acme, channel, "channel_name")
    assert sorted(n["name"] for n in notices) == sorted(wanted)
    assert [n["old_name"] for n in notices] == [first, *(n["name"] for n in notices[:-1])]
    found = (await ada.ok("conversations.info", channel=channel))["channel"]
    assert found["name"] == notices[-1]["name"]
    assert found["previous_names"] == [n["old_name"] for n in reversed(notices)]
    assert await grace.error("conversations.create", name=found["name"]) == "name_taken"
    assert (await grace.ok("conversations.create", name=first))["channel"]["id"] != channel


async def test_who_joins_while_it_is_archived_was_first_or_is_refused(acme: Office) -> None:
    """Nobody comes in after the archiving, whatever the caches of the one who asks say."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    for _ in range(5):
        channel = await made(ada)
        joins = [acme[name].call("conversations.join", channel=channel) for name in ("grace", "linus", "helper")]
        *answers, _ = await asyncio.gather(*joins, ada.ok("conversations.archive", channel=channel))
        codes = {answer.get("error", "") for answer in answers}
        assert codes <= {"", "is_archived"}
        kinds = [e.get("subtype") or e["type"] for e in acme.payloads(channel)]
        assert kinds.index("channel_archive") == len(kinds) - 1
        members = (await ada.ok("conversations.members", channel=channel))["members"]
        assert len(members) == 1 + sum(answer["ok"] for answer in answers)
    assert {grace.id, linus.id}


async def test_a_post_is_before_the_archiving_or_the_removal_or_it_is_refused(acme: Office) -> None:
    """What was answered with ok is there, and nothing comes after what ended it."""
    ada, grace = acme["ada"], acme["grace"]
    endings: tuple[tuple[str, dict[str, str], str, str], ...] = (
        ("conversations.archive", {}, "is_archived", "channel_archive"),
        ("conversations.kick", {"user": grace.id}, "not_in_channel", "member_left_channel"),
    )
    for method, arguments, code, kind in endings:
        channel = await made(ada, grace)
        posts = [grace.call("chat.postMessage", channel=channel, text=f"{number}") for number in range(20)]
        ending = ada.ok(method, channel=channel, **arguments)
        answers = await asyncio.gather(*posts[:10], ending, *posts[10:])
        said = [answer for answer in (*answers[:10], *answers[11:]) if answer["ok"]]
        refused = {answer["error"] for answer in (*answers[:10], *answers[11:]) if not answer["ok"]}
        assert refused <= {code}
        events = acme.payloads(channel)
        ended = max(place for place, event in enumerate(events) if kind in (event["type"], event.get("subtype")))
        texts = [place for place, event in enumerate(events) if "client_msg_id" in event or "text" in event]
        assert {answer["ts"] for answer in said} <= {events[place].get("ts") for place in texts if place < ended}
        assert await grace.error("chat.postMessage", channel=channel, text="late") == code


async def test_of_two_who_archive_at_once_one_is_told_that_it_was_done(acme: Office) -> None:
    """One event, one message."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await made(ada, grace)
    answers = await asyncio.gather(*(each.call("conversations.archive", channel=channel) for each in (ada, grace)))
    assert sorted(answer.get("error", "") for answer in answers) == ["", "already_archived"]
    assert len(told(acme, channel, "channel_archive")) == 1


async def test_a_direct_message_is_put_away_until_something_is_said_in_it(acme: Office) -> None:
    """im_close and im_open go to its own sockets alone; the other one sees nothing of it."""
    ada, linus = acme["ada"], (await acme.hire(acme["ada"].user.team_id, ["dora"]))["dora"]
    direct = (await ada.ok("conversations.open", users=linus.id))["channel"]["id"]
    await ada.ok("conversations.open", channel=direct)

    async def is_open(someone: Someone) -> bool:
        return bool((await someone.ok("conversations.info", channel=direct))["channel"]["is_open"])

    assert "no_op" not in await ada.ok("conversations.close", channel=direct)
    again = await ada.ok("conversations.close", channel=direct)
    assert (again["no_op"], again["already_closed"]) == (True, True)
    assert [e["channel"] for e in told(acme, ada.id, "im_close")][-1:] == [direct]
    assert (await is_open(ada), await is_open(linus)) == (False, True)
    listed = (await ada.ok("conversations.list", types="im", limit=1000))["channels"]
    assert [each["is_user_deleted"] for each in listed if each["id"] == direct] == [False]
    assert not told(acme, linus.id, "im_close")
    opened = await ada.ok("conversations.open", users=linus.id)
    assert (opened["already_open"], await is_open(ada)) == (False, True)
    assert told(acme, ada.id, "im_open")[-1]["channel"] == direct
    assert (await ada.ok("conversations.open", users=linus.id))["already_open"] is True
    await ada.ok("conversations.close", channel=direct)
    await linus.ok("chat.postMessage", channel=ada.id, text="still there?")
    assert await is_open(ada)
    await ada.ok("conversations.close", channel=direct)
    assert not await is_open(ada)
    group = (await ada.ok("conversations.open", users=f"{linus.id},{acme['grace'].id}"))["channel"]["id"]
    await linus.ok("conversations.close", channel=group)
    assert told(acme, linus.id, "mpim_close")[-1]["channel"] == group
    assert await ada.error("conversations.close", channel=acme.general) == DIRECT_CODE
    assert await acme["grace"].error("conversations.close", channel=direct) == "channel_not_found"


async def test_an_invitation_with_force_brings_in_those_that_can_be(acme: Office) -> None:
    """The others are listed with their reasons; when there is nobody left it fails as without."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await made(ada)
    mixed = f"{grace.id},{ada.id},U0000000000"
    assert await ada.error("conversations.invite", channel=channel, users=mixed) == "cant_invite_self"
    answer = await ada.ok("conversations.invite", channel=channel, users=mixed, force="true")
    assert [each["error"] for each in answer["errors"]] == ["cant_invite_self", "user_not_found"]
    assert grace.id in (await ada.ok("conversations.members", channel=channel))["members"]
    assert await ada.error("conversations.invite", channel=channel, users=mixed, force="1") == "already_in_channel"


async def test_a_team_that_is_not_the_tokens_is_refused(acme: Office) -> None:
    """team_id names a workspace for tokens of several; ours have one."""
    ada = acme["ada"]
    assert await ada.error("conversations.list", team_id="T0000000000") == "team_access_not_granted"
    assert await ada.error("conversations.create", name="x", team_id="T0000000000") == "team_access_not_granted"
    assert (await ada.ok("conversations.list", team_id=ada.user.team_id))["channels"]
