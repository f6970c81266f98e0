"""What a client holds: boots, deltas, events, lazy objects; one rule a test."""

from __future__ import annotations

from typing import Any

import pytest

from parley_client import Conversation, Event, ResumeFailed, TokenMalformed, Workspace, tokens
from parley_client.conversations import SEEN_MAX, Counted
from parley_client.holding import Holding

ME, ANN = "U0000000001", "U0000000002"
TEAM = "T0000000001"
OPEN, SECRET, DIRECT = "C0000000001", "G0000000001", "D0000000001"


def ts(number: int) -> str:
    """Return the time of the n-th thing that happened."""
    return f"17000000{number:02d}.000000" if number else ""


def test_a_delta_leaves_what_it_does_not_name() -> None:
    """Preferences, the team and conversations stay as they were; ids that changed are old."""
    workspace = Workspace()
    entry = {"id": OPEN, "name": "general", "kind": "public", "general": True}
    whole: dict[str, Any] = {
        "token": tokens.encode({ME: 1, TEAM: 1, OPEN: 4}),
        "self": {"id": ME},
        "team": {"id": TEAM, "name": "Acme"},
        "prefs": {"theme": "dark"},
        "away": True,
        "model": {"version": 1, "users": 2, "channels": 1},
        "emoji_version": 3,
        "channels": [entry],
        "users": [{"id": ANN, "v": 2}],
    }
    workspace.boot(whole)
    workspace.take_emoji({"emoji": {"party": "https://example.org/party.gif"}, "version": 3})
    assert not workspace.ask([ANN]).ids
    workspace.boot({"token": tokens.encode({ME: 1, TEAM: 2, OPEN: 4}), "is_delta": True, "changed": [ANN]})
    assert workspace.team == {"id": TEAM, "name": "Acme"}
    assert (workspace.prefs, workspace.is_away, workspace.is_emoji_old) == ({"theme": "dark"}, True, False)
    assert workspace.conversation(OPEN) == Conversation(OPEN, "public", "general", is_general=True)
    assert workspace.ask([ANN, ME]).ids == {ANN: 2, ME: None}
    assert workspace.user(ANN) == {"id": ANN, "v": 2}
    workspace.boot({"token": tokens.encode({ME: 1}), "is_delta": True, "emoji_version": 4, "away": False, "prefs": {}})
    assert (workspace.prefs, workspace.is_away, workspace.is_emoji_old) == ({}, False, True)


def test_a_whole_boot_replaces_all_and_doubts_every_object() -> None:
    """Nobody said which of them changed; confirming costs nothing where they did not."""
    workspace = Workspace()
    workspace.boot({"token": "", "channels": [{"id": OPEN, "kind": "public"}], "users": [{"id": ANN, "v": 2}]})
    workspace.boot({"token": "", "channels": [{"id": SECRET, "kind": "private"}]})
    assert list(workspace.conversations) == [SECRET]
    assert workspace.ask([ANN]).ids == {ANN: 2}
    workspace.answered(workspace.ask([ANN]), {"users": []})
    assert not workspace.ask([ANN]).ids


def test_a_token_that_is_none_leaves_everything_as_it_was() -> None:
    """The boot before is worth more than half of another."""
    workspace = Workspace()
    workspace.boot({"token": "", "channels": [{"id": OPEN, "kind": "public"}]})
    with pytest.raises(TokenMalformed):
        workspace.boot({"token": "???", "channels": []})
    assert list(workspace.conversations) == [OPEN]


def test_conversations_come_and_go_with_the_users_own_events() -> None:
    """Joined, opened, renamed, archived, left; a second word that one is in changes nothing."""
    workspace = Workspace()
    workspace.boot({"token": "", "self": {"id": ME}})
    told: list[tuple[str, dict[str, Any]]] = [
        ("channel_joined", {"channel": {"id": OPEN, "name": "one", "is_member": True}}),
        ("im_created", {"user": ANN, "channel": {"id": DIRECT, "is_im": True}}),
        ("group_joined", {"channel": {"id": "G0000000009", "is_mpim": True, "members": [ME, ANN]}}),
        ("message", {"channel": DIRECT, "user": ANN, "text": "hi", "ts": ts(3)}),
        ("im_open", {"user": ANN, "channel": DIRECT}),
        ("channel_rename", {"channel": {"id": OPEN, "name": "two"}}),
        ("channel_archive", {"channel": OPEN, "user": ANN}),
    ]
    for offset, (kind, json) in enumerate(told, 1):
        workspace.apply(Event(kind, {"type": kind, **json}, ME, offset))
    assert workspace.conversations == {
        OPEN: Conversation(OPEN, "public", "two", is_archived=True),
        DIRECT: Conversation(DIRECT, "im", user_id=ANN, latest=ts(3), mentions=1),
        "G0000000009": Conversation("G0000000009", "mpim", member_ids=(ME, ANN)),
    }
    assert workspace.near() == [ANN, OPEN]
    workspace.apply(Event("channel_unarchive", {"channel": OPEN}, ME, 8))
    workspace.apply(Event("channel_left", {"channel": OPEN}, ME, 9))
    assert workspace.conversation(OPEN) is None


def test_what_is_nothing_to_read_makes_nothing_unread() -> None:
    """Edits, notices of who came, replies that only their thread shows, whomever they name."""
    counted = Counted.booted({"id": OPEN, "kind": "public", "last_read": ts(1), "latest": ts(1)})
    for event in (
        {"subtype": "message_changed", "hidden": True, "ts": ts(2), "text": f"<@{ME}>"},
        {"subtype": "channel_join", "user": ANN, "text": f"<@{ME}> has joined", "ts": ts(3)},
        {"user": ANN, "text": f"<@{ME}|me>", "thread_ts": ts(1), "ts": ts(4)},
    ):
        counted.message(event, ME)
    assert (counted.now.is_unread, counted.now.mentions) == (False, 0)
    counted.message({"user": ANN, "text": f"<@{ME}|me>", "thread_ts": ts(1), "reply_broadcast": True, "ts": ts(6)}, ME)
    assert (counted.now.latest, counted.now.mentions) == (ts(6), 1)


def test_times_of_mentions_are_bounded() -> None:
    """A client that nobody reads in keeps so many, and still shows how many there are."""
    counted = Counted.booted({"id": DIRECT, "kind": "im"})
    for number in range(SEEN_MAX + 5):
        counted.message({"user": ANN, "text": "", "ts": f"1700000000.{number + 1:06d}"}, ME)
    assert (len(counted.seen), counted.now.mentions) == (SEEN_MAX, SEEN_MAX + 5)


def test_what_can_never_be_had_is_made_up_for_by_confirming_or_by_a_whole_boot() -> None:
    """Missed changes of the workspace age all objects; missed events of a conversation need its state told anew."""
    workspace = Workspace()
    workspace.boot({"token": tokens.encode({TEAM: 5, ME: 5, OPEN: 5}), "channels": [{"id": OPEN, "kind": "public"}]})
    workspace.answered(workspace.ask([ANN]), {"users": [{"id": ANN, "v": 2}]})
    workspace.apply(ResumeFailed({OPEN: 5, ME: 4, TEAM: 5}))
    assert not workspace.ask([ANN]).ids
    workspace.apply(ResumeFailed({TEAM: 9, SECRET: 12}))
    assert workspace.ask([ANN]).ids == {ANN: 2}
    broken = [workspace.is_broken]
    workspace.apply(ResumeFailed({OPEN: 6}))
    broken.append(workspace.is_broken)
    workspace.boot({"token": ""})
    assert [*broken, workspace.is_broken] == [False, True, False]


def test_the_newer_version_of_an_object_stays_whichever_way_it_came() -> None:
    """In an event, brought along with a message, or asked for."""
    workspace = Workspace()
    workspace.boot({"token": ""})
    ask = workspace.ask([ANN])
    workspace.apply(Event("user_change", {"user": {"id": ANN, "real_name": "new"}}, TEAM, 7))
    workspace.answered(ask, {"users": [{"id": ANN, "real_name": "old", "v": 6}]})
    assert workspace.user(ANN) == {"id": ANN, "real_name": "new"}
    workspace.apply(Event("user_objects", {"users": [{"id": ANN, "real_name": "newest", "v": 8}]}))
    assert workspace.user(ANN) == {"id": ANN, "real_name": "newest", "v": 8}


def test_an_answer_from_before_a_change_was_told_confirms_nothing() -> None:
    """The object that it leaves out as unchanged may be the one that changed."""
    holding = Holding()
    holding.put({"id": ANN}, 3)
    holding.age()
    ask = holding.ask([ANN])
    holding.age([ANN])
    holding.answered(ask, [])
    assert not holding.is_fresh(ANN)
    holding.put({"id": ANN}, 3)
    assert not holding.is_fresh(ANN)
    holding.answered(holding.ask([ANN]), [])
    assert holding.is_fresh(ANN)


def test_the_least_used_objects_are_forgotten_first() -> None:
    """What is shown is used."""
    holding = Holding(objects_max=2)
    for user in ("U1", "U2"):
        holding.put({"id": user}, 0)
    assert holding.get("U1") is not None
    holding.put({"id": "U3"}, 0)
    assert (len(holding), holding.get("U1"), holding.get("U2")) == (2, {"id": "U1"}, None)


def test_a_topic_told_in_a_message_makes_the_channel_old_and_membership_is_our_own_to_know() -> None:
    """The object is shown with what is known better until it is asked for."""
    workspace = Workspace()
    workspace.boot({"token": "", "self": {"id": ME}})
    workspace.answered(workspace.ask([OPEN]), {"channels": [{"id": OPEN, "name": "one", "is_member": False, "v": 4}]})
    workspace.apply(Event("channel_joined", {"channel": {"id": OPEN, "name": "one"}}, ME, 1))
    assert workspace.channel(OPEN) == {"id": OPEN, "name": "one", "is_member": True, "v": 4}
    workspace.apply(Event("message", {"channel": OPEN, "subtype": "channel_topic", "ts": ts(1)}, OPEN, 1))
    assert workspace.ask([OPEN]).ids == {OPEN: 4}
    workspace.answered(workspace.ask([OPEN]), {})
    workspace.apply(Event("channel_rename", {"channel": {"id": OPEN, "name": "two"}}, TEAM, 5))
    assert (workspace.channel(OPEN) or {})["name"] == "two"
    assert workspace.ask([OPEN]).ids == {OPEN: 4}


def test_preferences_away_and_emoji_follow_their_events() -> None:
    """Each of the user's own sockets hears of them."""
    workspace = Workspace()
    workspace.boot({"token": "", "team": {"id": TEAM, "name": "a"}})
    workspace.take_emoji({"emoji": {}, "version": 2})
    for kind, json in (
        ("pref_change", {"name": "theme", "value": "dark"}),
        ("manual_presence_change", {"presence": "away"}),
        ("emoji_changed", {"subtype": "add", "name": "party"}),
        ("team_rename", {"name": "b"}),
        ("something_new", {"channel": OPEN}),
    ):
        workspace.apply(Event(kind, json))
    assert (workspace.prefs, workspace.is_away, workspace.is_emoji_old) == ({"theme": "dark"}, True, True)
    assert workspace.team["name"] == "b"
    workspace.take_emoji({"unchanged": True, "version": 2})
    assert (workspace.emoji, workspace.is_emoji_old) == ({}, False)
    workspace.apply(Event("emoji_changed", {"subtype": "add", "name": "party"}, TEAM, 9))
    workspace.take_emoji({"unchanged": True, "version": 2})
    assert workspace.is_emoji_old
    workspace.take_emoji({"emoji": {"party": "https://example.org/party.gif"}, "version": 9})
    assert [workspace.is_emoji_old] == [False]
