"""Pure: what an app hears of an event: which of its subscriptions it meets, and the event as Slack tells it to apps.

An app is only ever asked about channels that its bot's user follows, so what is private and not the bot's never comes
here. What the bot itself did is told like everything else: Slack does so, and frameworks filter it out by its bot_id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from svc.webapp.store.rows import ConversationKind
from svc.webapp.unfurl.links import links_in, may_link

__all__ = ["Heard", "Listener", "hears"]

Json: TypeAlias = dict[str, Any]

_MESSAGES = {
    ConversationKind.PUBLIC: ("message.channels", "channel"),
    ConversationKind.PRIVATE: ("message.groups", "group"),
    ConversationKind.IM: ("message.im", "im"),
    ConversationKind.MPIM: ("message.mpim", "mpim"),
}
"""The subscription that a message meets, and what its channel_type says, by the kind of its conversation."""

_NEW = frozenset({"", "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that somebody wrote: an edit, a join or a topic mentions nobody anew."""

_UNTOLD = frozenset({"message_replied", "ephemeral"})
"""Subtypes that are for the sockets of people alone."""

_OURS = ("position",)
"""Fields that our own clients read and an app has no use for."""

LINKS_MAX = 50
"""Of one message; Slack tells of no more either."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens: what of an app decides what it hears."""

    user_id: str
    """Its bot's user."""
    event_types: frozenset[str]
    """Its subscriptions."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that an app hears. An event of ours may be several: a message, and a mention."""

    name: str
    """Its type as apps subscribe to it: message, app_mention, reaction_added…"""
    event: Json
    channel_id: str = ""
    """The conversation that it is about, if there is one."""


def hears(listener: Listener, event: Json, kind: ConversationKind | None) -> Iterator[Heard]:
    """Yield what the app hears of an event; `kind` of the conversation it is routed by, None for other channels.

    `event` is the client-facing object with `event_ts`; it is not changed.
    """
    name = event.get("type")
    if not isinstance(name, str):
        return
    told = {key: value for key, value in event.items() if key not in _OURS}
    if name == "message":
        yield from _message(listener, told, kind)
    elif name in listener.event_types:
        yield Heard(name, told, _channel_of(told))


def _message(listener: Listener, event: Json, kind: ConversationKind | None) -> Iterator[Heard]:
    subtype = event.get("subtype") or ""
    # A message outside of a conversation is for one user's own sockets, such as an ephemeral one.
    if kind is None or subtype in _UNTOLD or event.get("is_ephemeral"):
        return
    channel_id = _channel_of(event)
    subscription, channel_type = _MESSAGES[kind]
    types = listener.event_types
    if subscription in types or "message" in types:
        yield Heard("message", {**event, "channel_type": channel_type}, channel_id)
    if subtype not in _NEW or event.get("user") == listener.user_id:
        return
    text = event.get("text")
    if not isinstance(text, str):
        return
    if "app_mention" in types and kind is not ConversationKind.IM and _mentions(text, listener.user_id):
        yield Heard("app_mention", {**event, "type": "app_mention"}, channel_id)
    links = _links(text) if "link_shared" in types else []
    if links:
        yield Heard("link_shared", _link_shared(event, links), channel_id)


def _mentions(text: str, user_id: str) -> bool:
    return f"<@{user_id}>" in text or f"<@{user_id}|" in text


def _links(text: str) -> list[Json]:
    found = links_in(text) if may_link(text) else ()
    return [{"url": link.url, "domain": link.domain} for link in islice(found, LINKS_MAX)]


def _link_shared(event: Json, links: list[Json]) -> Json:
    told = {
        "type": "link_shared",
        "user": event.get("user", ""),
        "channel": event.get("channel", ""),
        "message_ts": event.get("ts", ""),
        "unfurl_id": f"{event.get('channel', '')}.{event.get('ts', '')}",
        "source": "conversations_history",
        "is_bot_user_member": True,
        "links": links,
        "event_ts": event.get("event_ts", ""),
    }
    if event.get("thread_ts"):
        told["thread_ts"] = event["thread_ts"]
    return told


def _channel_of(event: Json) -> str:
    """Return the conversation that an event is about; "" when it is about none."""
    item = event.get("item")
    for found in (
        event.get("channel"),
        event.get("channel_id"),
        item.get("channel") if isinstance(item, dict) else None,
    ):
        if isinstance(found, dict):
            found = found.get("id")
        if isinstance(found, str):
            return found
    return ""
