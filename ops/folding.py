"""What a channel's events amount to: messages, reactions, pins and saved things that are left when all is said. Pure.

Whoever has every event of a channel, in order, knows what its rows must be: the simulation folds the log and compares
it with the tables, the chaos runs fold what clients were shown and compare it with what the Web API answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Contradiction", "Folded", "Said"]

NOTHING_TO_READ = frozenset({"channel_join", "channel_leave", "group_join", "group_leave", "tombstone"})


class Contradiction(Exception):
    """An event says what cannot be after those before it."""


@dataclass(slots=True)
class Said:
    """A message as it is by now."""

    text: str
    revision: int
    """Offset of the event that told its last change."""
    thread_ts: str = ""
    is_to_read: bool = False


@dataclass(slots=True)
class Folded:
    """A channel as its events leave it. Messages by ts; reactions and pins by message, name and user."""

    messages: dict[str, Said] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    """ts of the replies that are there, by parent."""
    reactions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(ts, name, user): event_ts of the event that told it."""
    pins: dict[str, str] = field(default_factory=dict)
    """ts of the message: who pinned it."""
    saved: set[str] = field(default_factory=set)
    """Of a user's own channel: ids of what it saved."""

    members: dict[str, bool] = field(default_factory=dict)
    """Who was told to come or go, and whether that was to come, the last time."""
    topic: str = ""
    name: str = ""
    """As told by a change; "" before the first."""

    @property
    def newest_to_read(self) -> str:
        """ts of the newest message that anybody has to read; "" when there is none."""
        return max((ts for ts, said in self.messages.items() if said.is_to_read), default="")

    def take(self, offset: int, event: Mapping[str, Any]) -> None:
        """Take the next event's JSON. Raises Contradiction."""
        match event.get("type"), event.get("subtype", ""):
            case "message", "message_changed":
                self._change(offset, event["message"])
            case "message", "message_deleted":
                self._remove(str(event["deleted_ts"]))
            case "message", "message_replied":
                pass
            case "message", subtype if "ts" in event:
                self._add(offset, event, subtype)
            case "reaction_added" | "reaction_removed" as kind, _:
                key = (str(event["item"]["ts"]), str(event["reaction"]), str(event["user"]))
                self._put(self.reactions, key, str(event["event_ts"]), is_added=kind == "reaction_added")
            case "pin_added" | "pin_removed" as kind, _:
                pinned = str(event["item"]["message"]["ts"])
                self._put(self.pins, pinned, str(event["user"]), is_added=kind == "pin_added")
            case "member_joined_channel" | "member_left_channel" as kind, _:
                self._move(str(event["user"]), is_in=kind == "member_joined_channel")
            case "star_added" | "star_removed" as kind, _:
                self._save(event["item"], is_added=kind == "star_added")

    def _add(self, offset: int, event: Mapping[str, Any], subtype: str) -> None:
        match subtype:
            case "channel_topic":
                self.topic = str(event["topic"])
            case "channel_name":
                self.name = str(event["name"])
        ts, thread_ts = str(event["ts"]), str(event.get("thread_ts", ""))
        if ts in self.messages:
            raise Contradiction(f"{ts} is said twice")
        if thread_ts and thread_ts not in self.messages:
            raise Contradiction(f"{ts} replies to {thread_ts}, which is not there")
        is_shown = not thread_ts or subtype == "thread_broadcast"
        self.messages[ts] = Said(
            str(event.get("text", "")), offset, thread_ts, is_shown and subtype not in NOTHING_TO_READ
        )
        if thread_ts:
            self.threads.setdefault(thread_ts, []).append(ts)

    def _move(self, user_id: str, *, is_in: bool) -> None:
        if self.members.get(user_id) is is_in:
            raise Contradiction(f"{user_id} {'comes twice' if is_in else 'goes twice'}")
        self.members[user_id] = is_in

    def _change(self, offset: int, message: Mapping[str, Any]) -> None:
        said = self.messages.get(str(message["ts"]))
        if said is None:
            raise Contradiction(f"{message['ts']} is changed and not there")
        said.text, said.revision = str(message.get("text", "")), offset
        said.is_to_read = said.is_to_read and message.get("subtype", "") not in NOTHING_TO_READ
        if message.get("subtype") == "tombstone":
            self._bare(str(message["ts"]))

    def _remove(self, ts: str) -> None:
        said = self.messages.pop(ts, None)
        if said is None:
            raise Contradiction(f"{ts} is removed and not there")
        if said.thread_ts:
            replies = self.threads[said.thread_ts]
            replies.remove(ts)
            if not replies:
                del self.threads[said.thread_ts]
        self._bare(ts)

    def _bare(self, ts: str) -> None:
        """Take everything off a message."""
        for key in [key for key in self.reactions if key[0] == ts]:
            del self.reactions[key]
        self.pins.pop(ts, None)

    def _put(self, things: dict[Any, str], key: Any, value: str, *, is_added: bool) -> None:
        ts = key if isinstance(key, str) else key[0]
        if ts not in self.messages:
            raise Contradiction(f"something is put on {ts}, or taken off, which is not there")
        if (key in things) is is_added:
            raise Contradiction(f"{key} is {'put where it is' if is_added else 'taken from where it is not'}")
        if is_added:
            things[key] = value
        else:
            del things[key]

    def _save(self, item: Mapping[str, Any], *, is_added: bool) -> None:
        message = item.get("message", {})
        item_id = f"{item['channel']}:{message['ts']}" if "ts" in message else str(item["channel"])
        if (item_id in self.saved) is is_added:
            raise Contradiction(f"{item_id} is {'saved twice' if is_added else 'given up and not saved'}")
        self.saved ^= {item_id}
