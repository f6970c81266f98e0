"""What a user has saved for itself (starred): messages, files and conversations. Items of the user's own channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.ids import ts_from_us
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Item, ItemKind, Json, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.files.seeing import SeenFiles
from svc.webapp.domain.files.shape import file_object, tombstone
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ConversationKind, Message

__all__ = ["SAVED_MAX", "Saved", "SavedItem", "Wanted"]

SAVED_MAX = 2_000
"""Things that one user may have saved: a list reads all of them, some 300 KB."""
_WORDS = {ConversationKind.PUBLIC: "channel", ConversationKind.PRIVATE: "group", ConversationKind.IM: "im"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants saved: a message, a conversation (`ts_us` 0), or a file."""

    channel_id: str = ""
    ts_us: int = 0
    file_id: str = ""

    @property
    def id(self) -> str:
        """Of the item."""
        if self.file_id:
            return self.file_id
        return f"{self.channel_id}:{ts_from_us(self.ts_us)}" if self.ts_us else self.channel_id


@dataclass(frozen=True, slots=True)
class SavedItem:
    """Something that is saved."""

    kind: str
    """message, file, channel, group or im."""
    channel_id: str
    """"" of a file."""
    created_s: int
    message: Json | None = None
    """As history shows it, of a message."""
    row: Message | None = None
    file: Json | None = None


class Saved:
    """The rules of saved items. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: Directory,
        channels: ChannelStore,
        reading: Reading,
        files: SeenFiles,
        writes: Writes,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._channels = channels
        self._reading = reading
        self._files = files
        self._writes = writes
        self._clock = clock

    async def add(self, caller: Caller, wanted: Wanted, base_url: str) -> None:
        """Save something. `base_url`: of this installation, for the addresses of a file.

        Refused `channel_not_found`, `not_in_channel` (bots), `message_not_found`, `file_not_found`, `file_deleted`,
        `already_starred`, `too_many_items`.
        """
        shown = await self._item(caller, wanted, base_url)
        if len(await self._channels.items(caller.user_id, ItemKind.SAVED, limit=SAVED_MAX)) >= SAVED_MAX:
            raise Refused("too_many_items")
        created_s = self._clock.wall_us() // 1_000_000
        body: Json = {"channel": wanted.channel_id, "ts_us": wanted.ts_us, "created": created_s}
        if wanted.file_id:
            body["file"] = wanted.file_id
        item = Item(ItemKind.SAVED, wanted.id, orjson.dumps(body), is_new=True)
        draft = _draft(caller, "star_added", shown | {"date_create": created_s})
        committed = await self._writes.commit(Write(caller.user_id, (draft,), items=(item,)))
        if committed.refused:
            raise Refused("already_starred")

    async def remove(self, caller: Caller, wanted: Wanted, base_url: str) -> None:
        """Save something no longer, also what the caller sees no more. Refused `not_starred`."""
        try:
            item = await self._item(caller, wanted, base_url)
        except Refused:
            item = {"type": "message" if wanted.ts_us else "channel", "channel": wanted.channel_id}
            if wanted.file_id:
                item = {"type": "file", "file": tombstone(wanted.file_id)}
        dropped = ((ItemKind.SAVED, wanted.id),)
        draft = _draft(caller, "star_removed", item)
        committed = await self._writes.commit(Write(caller.user_id, (draft,), items_dropped=dropped))
        if committed.refused:
            raise Refused("not_starred")

    async def listed(self, caller: Caller, skip: int, limit: int, base_url: str) -> tuple[list[SavedItem], int]:
        """Return a page of what the caller saved and may still see, the last saved first; and how many there are."""
        items = await self._channels.items(caller.user_id, ItemKind.SAVED, limit=SAVED_MAX)
        items.sort(key=lambda item: item.at_us, reverse=True)
        page = [orjson.loads(item.body) for item in items[skip : skip + limit]]
        files = await self._files.several(caller, [each["file"] for each in page if "file" in each])
        sights = await self._sights(caller, [each["channel"] for each in page if each["channel"]])
        rows = await self._rows([each for each in page if each["channel"] in sights])
        found = []
        for each in page:
            if each.get("file") in files:
                file, shares = files[each["file"]]
                found.append(SavedItem("file", "", each["created"], file=file_object(file, base_url, shares)))
            sight, row = sights.get(each["channel"]), rows.get((each["channel"], each["ts_us"]))
            if sight is None or (each["ts_us"] and row is None):
                continue
            shape = await self._reading.one(sight.conversation, row) if row is not None else None
            kind = "message" if row is not None else _WORDS.get(sight.conversation.kind, "group")
            found.append(SavedItem(kind, each["channel"], each["created"], shape, row))
        return found, len(items)

    async def _rows(self, page: Sequence[Mapping[str, object]]) -> dict[tuple[str, int], Message]:
        by_channel: dict[str, list[int]] = {}
        for each in page:
            ts_us = each["ts_us"]
            if isinstance(ts_us, int) and ts_us:
                by_channel.setdefault(str(each["channel"]), []).append(ts_us)
        return {
            (channel_id, row.ts_us): row
            for channel_id, stamps in by_channel.items()
            for row in await self._channels.messages_at(channel_id, stamps)
        }

    async def _sights(self, caller: Caller, channel_ids: Sequence[str]) -> dict[str, Sight]:
        found: dict[str, Sight] = {}
        for channel_id in dict.fromkeys(channel_ids):
            try:
                sight = await self._directory.see(caller, channel_id)
                sight.check_readable(caller)
            except Refused:
                continue
            found[channel_id] = sight
        return found

    async def _item(self, caller: Caller, wanted: Wanted, base_url: str) -> Json:
        """Return what is wanted as events tell it."""
        if wanted.file_id:
            file, shares = await self._files.file(caller, wanted.file_id)
            return {"type": "file", "file": file_object(file, base_url, shares)}
        sight = await self._directory.see(caller, wanted.channel_id)
        sight.check_readable(caller)
        if not wanted.ts_us:
            return {"type": _WORDS.get(sight.conversation.kind, "group"), "channel": wanted.channel_id}
        row = await self._channels.message(wanted.channel_id, wanted.ts_us)
        if row is None:
            raise Refused("message_not_found")
        shown = shapes.slim(await self._reading.one(sight.conversation, row))
        return {"type": "message", "channel": wanted.channel_id, "message": shown}


def _draft(caller: Caller, kind: str, item: Json) -> Draft:
    payload: Json = {"type": kind, "user": caller.user_id, "item": item}
    return Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(payload), sender_id=caller.user_id)
