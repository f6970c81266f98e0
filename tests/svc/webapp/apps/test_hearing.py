"""What an app hears, by tables."""

from __future__ import annotations

from typing import Any

import pytest

from svc.webapp.apps.hearing import LINKS_MAX, Listener, hears
from svc.webapp.store.rows import ConversationKind

Json = dict[str, Any]
BOT = "U0000000B07"
TS = "1700000000.000100"
PUBLIC, PRIVATE, IM, MPIM = ConversationKind
MESSAGES = ("message.channels", "message.groups", "message.im", "message.mpim")


def message(text: str = "hi", **more: Any) -> Json:
    """Return a message event by somebody else."""
    told = {"type": "message", "channel": "C0000000001", "user": "U0000000001", "text": text, "ts": TS, "event_ts": TS}
    return told | more


def names(event: Json, kind: ConversationKind | None, *types: str) -> list[str]:
    """Return the types of what is heard."""
    return [heard.name for heard in hears(Listener(BOT, frozenset(types)), event, kind)]


@pytest.mark.parametrize(
    ("kind", "subscription", "channel_type"),
    [
        (PUBLIC, "message.channels", "channel"),
        (PRIVATE, "message.groups", "group"),
        (IM, "message.im", "im"),
        (MPIM, "message.mpim", "mpim"),
    ],
)
def test_a_message_meets_the_subscription_of_its_conversation(
    kind: ConversationKind, subscription: str, channel_type: str
) -> None:
    """And no other one; the event says which kind it was."""
    (heard,) = hears(Listener(BOT, frozenset({subscription})), message(), kind)
    assert (heard.name, heard.channel_id) == ("message", "C0000000001")
    assert heard.event == message() | {"channel_type": channel_type}
    assert names(message(), kind, *(each for each in MESSAGES if each != subscription)) == []
    assert names(message(), kind, "message") == ["message"]


@pytest.mark.parametrize(
    ("event", "kind", "heard"),
    [
        (message(f"<@{BOT}> hi"), PUBLIC, ["message", "app_mention"]),
        (message(f"hi <@{BOT}|helper>"), PRIVATE, ["message", "app_mention"]),
        (message(f"hi <@{BOT}>"), MPIM, ["message", "app_mention"]),
        (message(f"<@{BOT}> hi"), IM, ["message"]),
        (message(f"<@{BOT}> hi", user=BOT), PUBLIC, ["message"]),
        (message(f"<@{BOT}1> hi"), PUBLIC, ["message"]),
        (message(f"<@{BOT}> hi", subtype="file_share"), PUBLIC, ["message", "app_mention"]),
        (message(f"<@{BOT}> has joined", subtype="channel_join"), PUBLIC, ["message"]),
        (message(f"<@{BOT}>", subtype="message_changed", message={"text": f"<@{BOT}>"}), PUBLIC, ["message"]),
        (message(subtype="message_deleted"), PUBLIC, ["message"]),
        (message(subtype="message_replied"), PUBLIC, []),
        (message(is_ephemeral=True), PUBLIC, []),
        (message(), None, []),
        (message() | {"text": None}, PUBLIC, ["message"]),
        ({"type": "message"}, PUBLIC, ["message"]),
        ({"type": 7}, PUBLIC, []),
        ({}, PUBLIC, []),
    ],
)
def test_mentions_are_told_beside_messages(event: Json, kind: ConversationKind | None, heard: list[str]) -> None:
    """Of what somebody else wrote anew; in a direct message everything is meant for the bot anyhow."""
    assert names(event, kind, *MESSAGES, "app_mention") == heard


@pytest.mark.parametrize(
    ("event", "channel_id"),
    [
        ({"type": "reaction_added", "item": {"type": "message", "channel": "C1", "ts": TS}}, "C1"),
        ({"type": "member_joined_channel", "channel": "C1", "channel_type": "C"}, "C1"),
        ({"type": "channel_rename", "channel": {"id": "C1", "name": "y"}}, "C1"),
        ({"type": "pin_added", "channel_id": "C1", "item": {}}, "C1"),
        ({"type": "file_shared", "file_id": "F1", "channel_id": "C1"}, "C1"),
        ({"type": "team_join", "user": {"id": "U1"}}, ""),
        ({"type": "emoji_changed", "subtype": "add", "name": "party"}, ""),
        ({"type": "subteam_created", "subteam": {"id": "S1"}}, ""),
        ({"type": "app_home_opened", "channel": "D1", "user": "U1", "tab": "home"}, "D1"),
    ],
)
def test_other_events_are_heard_by_their_type(event: Json, channel_id: str) -> None:
    """Those that were subscribed to, wherever they came from, without what only our own clients read."""
    told = event | {"position": "C1:7"}
    (heard,) = hears(Listener(BOT, frozenset({event["type"]})), told, None)
    assert (heard.name, heard.event, heard.channel_id) == (event["type"], event, channel_id)
    assert names(told, None, *MESSAGES, "app_mention") == []
    assert told["position"] == "C1:7"


def test_links_are_told_with_their_domains() -> None:
    """Addresses as they were written; what is none is passed over."""
    text = "see <https://docs.example.org/a?b=1&amp;c=2|docs>, <http://[> and <mailto:x@example.org|x>"
    (heard,) = hears(Listener(BOT, frozenset({"link_shared"})), message(text, thread_ts="1.000001"), PUBLIC)
    assert heard.event["links"] == [{"url": "https://docs.example.org/a?b=1&c=2", "domain": "docs.example.org"}]
    assert (heard.event["message_ts"], heard.event["thread_ts"]) == (TS, "1.000001")
    many = " ".join(f"<https://example.org/{number}>" for number in range(LINKS_MAX + 9))
    (heard,) = hears(Listener(BOT, frozenset({"link_shared"})), message(many), PUBLIC)
    assert len(heard.event["links"]) == LINKS_MAX
    assert names(message("nothing"), PUBLIC, "link_shared") == []
