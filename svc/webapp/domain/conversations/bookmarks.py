"""Bookmarks: links that the members of a conversation keep at its top."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.ids import IdMint
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Guard, Item, Json, Write
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ItemKind

__all__ = ["BOOKMARKS_MAX", "Bookmarks", "checked"]

BOOKMARKS_MAX = 100
"""Of one conversation; Slack's limit."""
TITLE_CHARS_MAX = 255
LINK_CHARS_MAX = 2_000

_LINK = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_EMOJI = re.compile(r":?([a-z0-9_+'-]{1,100})(::skin-tone-[2-6])?:?", re.IGNORECASE)
_FIELDS = ("title", "link", "emoji")


class Bookmarks:
    """The rules of bookmarks. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self, directory: Directory, channels: ChannelStore, writes: Writes, clock: Clock, mint: IdMint
    ) -> None:
        self._directory = directory
        self._channels = channels
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def listed(self, caller: Caller, channel_id: str) -> list[Json]:
        """Return a conversation's bookmarks, the oldest first. Refused as `see` does, and `not_in_channel`."""
        sight = await self._directory.see(caller, channel_id)
        sight.check_readable(caller)
        rows = await self._channels.items(channel_id, ItemKind.BOOKMARK, limit=BOOKMARKS_MAX)
        return [orjson.loads(row.body) for row in rows]

    async def add(self, caller: Caller, channel_id: str, fields: Mapping[str, str]) -> Json:
        """Keep a link. Refused `not_in_channel`, `is_archived`, `too_many_bookmarks`, and as `checked` does."""
        sight = await self._writable(caller, channel_id)
        given = checked(fields)
        if not given.get("title"):
            raise Refused("invalid_arguments")
        if not given.get("link"):
            raise Refused("invalid_link")
        if len(await self._channels.items(channel_id, ItemKind.BOOKMARK, limit=BOOKMARKS_MAX)) >= BOOKMARKS_MAX:
            raise Refused("too_many_bookmarks")
        now_s = self._clock.wall_us() // 1_000_000
        bookmark: Json = {
            "id": self._mint.mint("Bk"),
            "channel_id": channel_id,
            "title": "",
            "link": "",
            "emoji": "",
            "icon_url": None,
            "type": "link",
            "entity_id": None,
            "date_created": now_s,
            "date_updated": 0,
            "rank": "",
            "last_updated_by_user_id": caller.user_id,
            "last_updated_by_team_id": caller.team_id,
            "shortcut_id": None,
            "app_id": caller.app_id or None,
            "app_action_id": None,
        }
        bookmark |= given
        # Ids are of time, so they order bookmarks as they came.
        bookmark["rank"] = bookmark["id"]
        await self._put(caller, sight, bookmark, is_new=True)
        return bookmark

    async def edit(self, caller: Caller, channel_id: str, bookmark_id: str, fields: Mapping[str, str]) -> Json:
        """Change a bookmark's `fields`. Refused `not_found`, and as `add` does. Of two at once the later one stays."""
        sight = await self._writable(caller, channel_id)
        given = checked(fields)
        item = await self._channels.item(channel_id, ItemKind.BOOKMARK, bookmark_id)
        if item is None:
            raise Refused("not_found")
        bookmark: Json = orjson.loads(item.body) | given
        bookmark["date_updated"] = self._clock.wall_us() // 1_000_000
        bookmark |= {"last_updated_by_user_id": caller.user_id, "last_updated_by_team_id": caller.team_id}
        await self._put(caller, sight, bookmark, is_new=False)
        return bookmark

    async def remove(self, caller: Caller, channel_id: str, bookmark_id: str) -> None:
        """Remove a bookmark. Refused `not_in_channel`, `is_archived`, `not_found`."""
        sight = await self._writable(caller, channel_id)
        event = {"type": "bookmark_removed", "channel_id": channel_id, "bookmark_id": bookmark_id}
        dropped = ((ItemKind.BOOKMARK, bookmark_id),)
        await self._commit(caller, Write(sight.conversation.id, (_draft(caller, event),), items_dropped=dropped))

    async def _writable(self, caller: Caller, channel_id: str) -> Sight:
        sight = await self._directory.see(caller, channel_id)
        sight.check_writable()
        return sight

    async def _put(self, caller: Caller, sight: Sight, bookmark: Json, *, is_new: bool) -> None:
        kind = "bookmark_added" if is_new else "bookmark_updated"
        event = {"type": kind, "channel_id": sight.conversation.id, "bookmark": bookmark}
        item = Item(ItemKind.BOOKMARK, bookmark["id"], orjson.dumps(bookmark), is_new=is_new)
        await self._commit(caller, Write(sight.conversation.id, (_draft(caller, event),), items=(item,)))

    async def _commit(self, caller: Caller, write: Write) -> None:
        committed = await self._writes.commit(replace(write, if_member=caller.user_id, unless_archived=True))
        if committed.refused:
            codes = {Guard.MEMBER: "not_in_channel", Guard.ARCHIVED: "is_archived"}
            raise Refused(codes.get(committed.refused_by or Guard.ITEM, "not_found"))


def checked(fields: Mapping[str, str]) -> dict[str, str]:
    """Return those of the fields that were given, as they are stored.

    Refused `invalid_arguments` (a title that is too long), `invalid_link`, `invalid_emoji`.
    """
    given = {name: fields[name].strip() for name in _FIELDS if name in fields}
    if len(given.get("title", "")) > TITLE_CHARS_MAX:
        raise Refused("invalid_arguments")
    link = given.get("link", "")
    if len(link) > LINK_CHARS_MAX or (link and not _LINK.fullmatch(link)):
        raise Refused("invalid_link")
    emoji = given.get("emoji", "")
    if emoji:
        found = _EMOJI.fullmatch(emoji)
        if found is None:
            raise Refused("invalid_emoji")
        given["emoji"] = f":{found[1]}{found[2] or ''}:"
    return given


def _draft(caller: Caller, event: Json) -> Draft:
    return Draft(event_pb2.EVENT_KIND_CHANNEL, lambda _: dict(event), sender_id=caller.user_id)
