"""What people do to what is said, in a simulated webapp: edits, removals, reactions, pins, things saved.

An edit adds its key to the text that it read, so that who undoes another's work is seen by what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ops.sim.lookups import TEAM
from parley.event.v1 import event_pb2
from svc.kit.ids import ts_from_us
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import (
    Annotation,
    AnnotationKind,
    Committed,
    Draft,
    Guard,
    Item,
    ItemKind,
    Json,
    MessageChange,
    MessageRemoval,
    Unshare,
    Write,
)
from svc.webapp.domain import shapes
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Message

TRIES = 5
"""Times that others may change a message first."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Each returns the offset of its event; a repeated key that of the first. Raises Refused, and the kit's errors."""

    writes: Writes
    channels: ChannelStore
    on_refusal: Callable[[Guard, bool], None]
    """Told which guard refused, and whether a repeated request was recognised."""

    async def edit(self, user_id: str, channel_id: str, ts_us: int, key: str) -> int:
        """Add a key to what a message says."""

        def change(row: Message) -> Write:
            text = f"{row.text}+{key}"
            message = {"ts": ts_from_us(row.ts_us), "text": text, "user": row.user_id}
            event = {"type": "message", "subtype": "message_changed", "message": message, "key": key}
            return replace(_write(user_id, channel_id, event), changed=(MessageChange(ts_us, row.revision, text=text),))

        return await self._alter(user_id, channel_id, ts_us, key, change)

    async def remove(self, user_id: str, channel_id: str, ts_us: int, key: str) -> int:
        """Remove a message; `message_not_found` as well when it has replies."""

        def change(row: Message) -> Write:
            event = {"type": "message", "subtype": "message_deleted", "deleted_ts": ts_from_us(ts_us), "key": key}
            files = tuple(str(each["id"]) for each in shapes.decode_extra(row.extra).get("files", ()))
            effects = (Unshare(TEAM, ts_us, files),) if files else ()
            removed = (MessageRemoval(ts_us, row.revision),)
            return replace(_write(user_id, channel_id, event), removed=removed, effects=effects)

        return await self._alter(user_id, channel_id, ts_us, key, change)

    async def react(self, user_id: str, channel_id: str, ts_us: int, name: str, key: str) -> int:
        """Put a reaction on a message. `already_reacted`, `message_not_found`."""
        write = self._reaction("reaction_added", user_id, channel_id, ts_us, name, key)
        annotation = Annotation(ts_us, AnnotationKind.REACTION, name, user_id, user_id)
        return await self._once(replace(write, annotated=(annotation,)))

    async def unreact(self, user_id: str, channel_id: str, ts_us: int, name: str, key: str) -> int:
        """Take it back. `no_reaction`."""
        write = self._reaction("reaction_removed", user_id, channel_id, ts_us, name, key)
        annotation = Annotation(ts_us, AnnotationKind.REACTION, name, user_id)
        return await self._once(replace(write, unannotated=(annotation,)))

    async def pin(self, user_id: str, channel_id: str, ts_us: int, key: str) -> int:
        """Pin a message."""
        item = {"type": "message", "channel": channel_id, "message": {"ts": ts_from_us(ts_us)}}
        write = _write(user_id, channel_id, {"type": "pin_added", "user": user_id, "item": item, "key": key})
        annotation = Annotation(ts_us, AnnotationKind.PIN, by_id=user_id)
        return await self._once(replace(write, request_id=f"{user_id}:{key}", annotated=(annotation,)))

    async def save(self, user_id: str, channel_id: str, key: str, *, is_kept: bool) -> int:
        """Save a conversation for oneself, or no longer."""
        kind = "star_added" if is_kept else "star_removed"
        event = {"type": kind, "user": user_id, "item": {"type": "channel", "channel": channel_id}, "key": key}
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(event), sender_id=user_id)
        write = Write(user_id, (draft,), request_id=f"{user_id}:{key}")
        if is_kept:
            return await self._once(replace(write, items=(Item(ItemKind.SAVED, channel_id, b"{}", is_new=True),)))
        return await self._once(replace(write, items_dropped=((ItemKind.SAVED, channel_id),)))

    def _reaction(self, kind: str, user_id: str, channel_id: str, ts_us: int, name: str, key: str) -> Write:
        item = {"type": "message", "channel": channel_id, "ts": ts_from_us(ts_us)}
        event = {"type": kind, "user": user_id, "reaction": name, "item": item, "key": key}
        return replace(_write(user_id, channel_id, event), request_id=f"{user_id}:{key}")

    async def _once(self, write: Write) -> int:
        committed = await self.writes.commit(write)
        self._note(committed)
        if committed.refused:
            raise Refused(str(committed.refused_by))
        return committed.places[0].offset

    async def _alter(
        self, user_id: str, channel_id: str, ts_us: int, key: str, change: Callable[[Message], Write]
    ) -> int:
        for _ in range(TRIES):
            row = await self.channels.message(channel_id, ts_us)
            # One that is gone may have been removed by this very request.
            write = change(row or _gone(channel_id, ts_us))
            committed = await self.writes.commit(replace(write, request_id=f"{user_id}:{key}"))
            self._note(committed)
            if not committed.refused:
                return committed.places[0].offset
            if row is None or committed.refused_by is not Guard.MESSAGE:
                break
        raise Refused("message_not_found")

    def _note(self, committed: Committed) -> None:
        if committed.refused_by is not None:
            self.on_refusal(committed.refused_by, False)
        elif committed.duplicate:
            self.on_refusal(Guard.MESSAGE, True)


def _gone(channel_id: str, ts_us: int) -> Message:
    return Message(channel_id, ts_us, 0, "", "", "", "", 0, False, "", b"")


def _write(user_id: str, channel_id: str, event: Json) -> Write:
    draft = Draft(event_pb2.EVENT_KIND_MESSAGE, lambda _: {**event, "channel": channel_id}, sender_id=user_id)
    return Write(channel_id, (draft,), if_member=user_id)
