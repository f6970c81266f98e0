"""Reactions: emoji that people and bots put on messages, each once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parley.event.v1 import event_pb2
from svc.kit.ids import ts_from_us
from svc.kit.telemetry import inject_traceparent
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Annotation, AnnotationKind, Draft, Guard, Json, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.emoji import CustomEmoji
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.kept import Annotated
from svc.webapp.store.rows import AnnotationRow, Conversation, Message

__all__ = ["Reacted", "Reactions", "Shown", "reaction_name"]

EMOJI_A_MESSAGE_MAX = 50
"""Different ones on one message; Slack's limit, and what fits under a message."""
REACTIONS_A_PERSON_MAX = 23
"""On one message; Slack's limit."""
NAME_CHARS_MAX = 100
_TONE = re.compile(r"::skin-tone-[2-6]\Z")
_PUNCTUATION = "_-+'"


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as a list shows it."""

    channel_id: str
    message: Json
    row: Message


@dataclass(frozen=True, slots=True)
class Reacted:
    """Messages that somebody reacted to, by the newest reaction first."""

    items: Sequence[Shown]
    total: int
    """Of all pages."""
    last: tuple[int, str] | None
    """Time and channel from which the next page goes on; None on the last one."""


class Reactions:
    """The rules of reactions. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self, directory: Directory, channels: ChannelStore, reading: Reading, emoji: CustomEmoji, writes: Writes
    ) -> None:
        self._emoji = emoji
        self._directory = directory
        self._channels = channels
        self._reading = reading
        self._writes = writes

    async def add(self, caller: Caller, channel_id: str, ts_us: int, wanted: str) -> None:
        """Put an emoji on a message.

        Refused `invalid_name`, `channel_not_found`, `not_in_channel`, `is_archived`, `message_not_found`,
        `already_reacted`, `too_many_emoji` and `too_many_reactions` (limits that several at once may pass by a few).
        """
        name = reaction_name(wanted)
        if not await self._emoji.is_known(caller.team_id, _TONE.sub("", name)):
            raise Refused("invalid_name")
        sight, row = await self._open(caller, channel_id, ts_us)
        there = (await self._channels.annotations(channel_id, [ts_us])).get(ts_us, ())
        _check_room(there, caller.user_id, name)
        write = self._write(caller, sight, row, name, "reaction_added")
        annotation = Annotation(ts_us, AnnotationKind.REACTION, name, caller.user_id, caller.user_id)
        await self._commit(replace(write, annotated=(annotation,)), "already_reacted")

    async def remove(self, caller: Caller, channel_id: str, ts_us: int, wanted: str) -> None:
        """Take one's own emoji off a message. Refused as `add`, and `no_reaction`."""
        name = reaction_name(wanted)
        sight, row = await self._open(caller, channel_id, ts_us)
        write = self._write(caller, sight, row, name, "reaction_removed")
        annotation = Annotation(ts_us, AnnotationKind.REACTION, name, caller.user_id)
        await self._commit(replace(write, unannotated=(annotation,)), "no_reaction")

    async def get(self, caller: Caller, channel_id: str, ts_us: int) -> Shown:
        """Return a message with all that is on it. Refused as what reads history, and `message_not_found`."""
        sight = await self._directory.see(caller, channel_id)
        sight.check_readable(caller)
        row = await self._channels.message(channel_id, ts_us)
        if row is None:
            raise Refused("message_not_found")
        there = (await self._channels.annotations(channel_id, [ts_us])).get(ts_us, ())
        shape = await self._reading.one(sight.conversation, row) | shapes.annotated(there, users_max=None)
        return Shown(channel_id, shape, row)

    async def listed(
        self,
        caller: Caller,
        user_id: str,
        limit: int,
        *,
        skip: int = 0,
        before: tuple[int, str] | None = None,
        is_full: bool = False,
    ) -> Reacted:
        """Return messages that a user reacted to and the caller may read, a page of `limit` after the first `skip`, or
        from `before` on.

        `is_full`: of every reaction all users are named.
        """
        counts = await self._channels.count_annotated_of(user_id, AnnotationKind.REACTION)
        readable = await self._directory.readable(caller, counts)
        rows = await self._channels.annotated_of(
            user_id, AnnotationKind.REACTION, limit + 1, before=before, but=counts.keys() - readable.keys(), skip=skip
        )
        # Where somebody has reacted for the first time since they were counted, nobody was asked whether that is seen.
        page = [row for row in rows[:limit] if row.channel_id in readable]
        last = (rows[limit - 1].newest_us, rows[limit - 1].channel_id) if len(rows) > limit else None
        total = sum(counts[channel_id] for channel_id in readable)
        return Reacted(await self._shown(readable, page, is_full=is_full), total, last)

    async def _shown(
        self, places: Mapping[str, Conversation], page: Sequence[Annotated], *, is_full: bool
    ) -> list[Shown]:
        by_channel: dict[str, list[int]] = {}
        for each in page:
            by_channel.setdefault(each.channel_id, []).append(each.ts_us)
        shown: dict[tuple[str, int], Shown] = {}
        for channel_id, stamps in by_channel.items():
            rows = await self._channels.messages_at(channel_id, stamps)
            messages = await self._reading.shown(places[channel_id], rows)
            there = await self._channels.annotations(channel_id, stamps) if is_full else {}
            for row, shape in zip(rows, messages, strict=True):
                shape |= shapes.annotated(there.get(row.ts_us, ()), users_max=None)
                shown[channel_id, row.ts_us] = Shown(channel_id, shape, row)
        return [shown[key] for key in ((each.channel_id, each.ts_us) for each in page) if key in shown]

    async def _open(self, caller: Caller, channel_id: str, ts_us: int) -> tuple[Sight, Message]:
        sight = await self._directory.see(caller, channel_id)
        sight.check_writable()
        row = await self._channels.message(channel_id, ts_us)
        if row is None or row.subtype == shapes.TOMBSTONE:
            raise Refused("message_not_found")
        return sight, row

    def _write(self, caller: Caller, sight: Sight, row: Message, name: str, kind: str) -> Write:
        item = {"type": "message", "channel": row.channel_id, "ts": ts_from_us(row.ts_us)}
        payload: Json = {"type": kind, "user": caller.user_id, "reaction": name, "item_user": row.user_id, "item": item}
        draft = Draft(
            event_pb2.EVENT_KIND_MESSAGE,
            lambda _: dict(payload),
            sender_id=caller.user_id,
            traceparent=inject_traceparent(),
        )
        return Write(sight.conversation.id, (draft,), if_member=caller.user_id, unless_archived=True)

    async def _commit(self, write: Write, code: str) -> None:
        committed = await self._writes.commit(write)
        if committed.refused:
            raise Refused(_CODES.get(committed.refused_by or Guard.ANNOTATION, code))


_CODES = {Guard.MEMBER: "not_in_channel", Guard.ARCHIVED: "is_archived", Guard.MESSAGE: "message_not_found"}


def reaction_name(wanted: str) -> str:
    """Return an emoji's name as reactions have it: without colons around it, NFC, perhaps with a tone of skin behind.

    Refused `invalid_name` for what is no emoji's name in any workspace.
    """
    name = unicodedata.normalize("NFC", wanted.strip().strip(":").strip())
    bare = _TONE.sub("", name)
    if not 0 < len(bare) <= NAME_CHARS_MAX or bare != bare.lower() or not all(map(_is_allowed, bare)):
        raise Refused("invalid_name")
    return name


def _is_allowed(letter: str) -> bool:
    return letter in _PUNCTUATION or unicodedata.category(letter)[0] in "LMN"


def _check_room(there: Sequence[AnnotationRow], user_id: str, name: str) -> None:
    """Refused `already_reacted`, `too_many_reactions`, `too_many_emoji`."""
    mine = {row.name for row in there if _is_reaction_of(row, user_id)}
    if name in mine:
        raise Refused("already_reacted")
    if len(mine) >= REACTIONS_A_PERSON_MAX:
        raise Refused("too_many_reactions")
    names = {row.name for row in there if row.kind is AnnotationKind.REACTION}
    if name not in names and len(names) >= EMOJI_A_MESSAGE_MAX:
        raise Refused("too_many_emoji")


def _is_reaction_of(row: AnnotationRow, user_id: str) -> bool:
    return row.kind is AnnotationKind.REACTION and row.user_id == user_id
