"""Pure: the conversations of one user, as a sidebar shows them: read marks, unread state, mentions.

What a boot says of a conversation is true up to the boot's position in it; events after that change it. Mentions are
counted from there: those of the boot, whose times nobody told, and those seen since, each with its time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SEEN_MAX = 1_000
"""Mentions of one conversation whose times are kept; beyond, the oldest count as the boot's do."""

KINDS = {"channel": "public", "group": "private", "im": "im", "mpim": "mpim"}

_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,20})(?:\|[^<>]*)?>")
_NOT_TO_READ = frozenset(
    {
        *("message_changed", "message_deleted", "message_replied"),
        *("channel_join", "channel_leave", "group_join", "group_leave"),
    }
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that the user is in. Times are Slack's: "1700000000.000100", "" for never."""

    id: str
    kind: str
    """public, private, im or mpim."""
    name: str = ""
    """Empty for direct messages."""
    user_id: str = ""
    """The other person of an im."""
    member_ids: tuple[str, ...] = ()
    """The people of an mpim."""
    is_archived: bool = False
    is_general: bool = False
    last_read: str = ""
    """The user has read up to here."""
    latest: str = ""
    """Time of the newest message that is there to be read."""
    mentions: int = 0
    """Unread messages that name the user; in direct messages, all unread ones."""

    @property
    def is_unread(self) -> bool:
        """Whether there is something to read."""
        return self.latest > self.last_read

    @property
    def is_direct(self) -> bool:
        """Whether it is among a few people, and has no name."""
        return self.kind in ("im", "mpim")


def from_boot(entry: Mapping[str, Any]) -> Conversation:
    """Return the conversation of a boot's entry; what is zero or false is not in it."""
    members = entry.get("members")
    return Conversation(
        id=str(entry["id"]),
        kind=str(entry.get("kind", "public")),
        name=str(entry.get("name", "")),
        user_id=str(entry.get("user", "")),
        member_ids=tuple(map(str, members)) if isinstance(members, list) else (),
        is_archived=bool(entry.get("archived")),
        is_general=bool(entry.get("general")),
        last_read=_time(entry.get("last_read")),
        latest=_time(entry.get("latest")),
        mentions=int(entry.get("mentions", 0)),
    )


def from_event(shape: Mapping[str, Any], kind: str) -> Conversation:
    """Return the conversation of an event that says that the user is in it now (channel_joined, im_created…)."""
    members = shape.get("members")
    return Conversation(
        id=str(shape["id"]),
        kind="mpim" if shape.get("is_mpim") else kind,
        name=str(shape.get("name", "")),
        user_id=str(shape.get("user", "")),
        member_ids=tuple(map(str, members)) if isinstance(members, list) else (),
        is_archived=bool(shape.get("is_archived")),
        is_general=bool(shape.get("is_general")),
        last_read=_time(shape.get("last_read")),
    )


def _time(value: object) -> str:
    """Return a time as Slack writes it; "" for all ways to say never."""
    text = str(value or "")
    return text if text.strip("0.") else ""


@dataclass(slots=True)
class Counted:
    """A conversation, and what its mentions are made of."""

    now: Conversation
    told_until: str = ""
    """Mentions up to here are in what the server told, one way or the other; those after it are in `seen`."""
    seen: list[str] = field(default_factory=list)
    """Times of the mentions since."""

    @classmethod
    def booted(cls, entry: Mapping[str, Any]) -> Counted:
        """Begin with what a boot says."""
        conversation = from_boot(entry)
        return cls(conversation, conversation.latest)

    def message(self, event: Mapping[str, Any], my_id: str) -> None:
        """Take a message: what is there to be read may be the latest, and counts if it names the user."""
        time = _time(event.get("ts"))
        if not time or event.get("hidden") or event.get("subtype") in _NOT_TO_READ or _is_reply(event):
            return
        if time > self.now.latest:
            self.now = replace(self.now, latest=time)
        is_told = time <= max(self.now.last_read, self.told_until)
        if not is_told and event.get("user") != my_id and _names(event, my_id, self.now.is_direct):
            self.seen = [*self.seen[-SEEN_MAX + 1 :], time]
            self.now = replace(self.now, mentions=self.now.mentions + 1)

    def marked(self, time: str, told: int, told_at: str) -> None:
        """Take a read mark set at `told_at`; `told` mentions were unread after it, by what the server knew then.

        Where all of them were seen we count ourselves, because an event of the conversation may be on its way still.
        """
        if self.told_until > time or self.now.last_read > time:
            self.told_until = max(self.told_until, told_at)
            self.seen = [each for each in self.seen if each > self.told_until]
        else:
            told = 0
            self.seen = [each for each in self.seen if each > time]
        self.now = replace(self.now, last_read=_time(time), mentions=told + len(self.seen))


def _is_reply(event: Mapping[str, Any]) -> bool:
    """Tell whether only its thread shows a message."""
    thread = event.get("thread_ts")
    is_told_to_all = event.get("reply_broadcast") or event.get("subtype") == "thread_broadcast"
    return bool(thread) and thread != event.get("ts") and not is_told_to_all


def _names(event: Mapping[str, Any], my_id: str, is_direct: bool) -> bool:
    return is_direct or my_id in _MENTION.findall(str(event.get("text", "")))
