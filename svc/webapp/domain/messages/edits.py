"""Changing and removing messages, and what apps add to them: what becomes true, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import UnavailableError
from svc.kit.ids import ts_from_us
from svc.kit.telemetry import inject_traceparent
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import (
    NOTHING_TO_READ,
    Annotation,
    Draft,
    Effect,
    Guard,
    Json,
    MessageChange,
    MessageRemoval,
    Place,
    Unshare,
    Write,
)
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.messages import text as text_rules
from svc.webapp.domain.messages.editing import (
    Edit,
    broadcast,
    links_of,
    may_delete,
    may_update,
    previewed,
    unfurled,
)
from svc.webapp.domain.messages.mentions import Audience, named
from svc.webapp.domain.messages.naming import Naming
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, Message
from svc.webapp.store.workspace import WorkspaceStore
from svc.webapp.unfurl.offers import Offer, Offered, to_nobody, wish_of

__all__ = ["Edited", "Edits"]

TRIES_MAX = 5
"""Times that others may change a message while it is being changed; beyond it the client may try again."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A message that was changed."""

    channel_id: str
    ts_us: int
    message: Json
    """As history shows it."""

    @property
    def ts(self) -> str:
        """The message's ts in Slack's form."""
        return ts_from_us(self.ts_us)


class Edits:
    """The rules of changes to messages. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: Directory,
        channels: ChannelStore,
        workspaces: WorkspaceStore,
        naming: Naming,
        audience: Audience,
        reading: Reading,
        writes: Writes,
        clock: Clock,
        previews: Offer = to_nobody,
    ) -> None:
        """`previews`: takes messages to which links were added."""
        self._directory = directory
        self._channels = channels
        self._workspaces = workspaces
        self._naming = naming
        self._audience = audience
        self._reading = reading
        self._writes = writes
        self._clock = clock
        self._previews = previews

    async def update(self, caller: Caller, channel_id: str, ts_us: int, edit: Edit) -> Edited:
        """Say one's own message otherwise; the last of several at once counts, and each is told.

        Refused `channel_not_found`, `message_not_found`, `cant_update_message`, `is_inactive`, `file_not_found`, and as
        a Post's checks do.
        """
        if edit.is_empty:
            raise Refused("no_text")
        if edit.text and (edit.link_names or edit.is_parsed):
            text = await self._naming.linked(caller, edit.text, with_urls=edit.is_parsed)
            edit = replace(edit, text=text)
        sight = await self._open(caller, channel_id, "is_inactive")
        edited = {"user": caller.user_id, "ts": f"{self._clock.wall_us() // 1_000_000}.000000"}
        known: set[str] = set()

        def change(row: Message) -> Message:
            if not may_update(caller, row):
                raise Refused("cant_update_message")
            known.update(links_of(row))
            text, extra = edit.applied(row.text, shapes.decode_extra(row.extra))
            after = replace(row, text=text, extra=shapes.encode_extra({**extra, "edited": edited}))
            return broadcast(after) if edit.reply_broadcast else after

        done = await self._rewrite(caller, sight, ts_us, change, partial(edit.effects, caller.team_id))
        if edit.may_link and not caller.is_bot:
            wish = wish_of(is_bot=False, links=None, media=None)
            self._previews(Offered(channel_id, ts_us, wish, frozenset(known)))
        return done

    async def preview(self, channel_id: str, ts_us: int, previews: Mapping[str, Json]) -> bool:
        """Add what some addresses lead to, in nobody's name. False when the message is gone, or cannot have them."""
        conversation = await self._channels.conversation(channel_id)
        if conversation is None:
            return False

        def change(row: Message) -> Message:
            after = previewed(row, previews)
            if after is None:
                raise Refused("cannot_unfurl_message")
            return after

        try:
            await self._rewritten(conversation, ts_us, change)
        except Refused:
            return False
        return True

    async def unfurl(self, caller: Caller, channel_id: str, ts_us: int, unfurls: Mapping[str, object]) -> Edited:
        """Add what addresses in a message lead to, as attachments; those of the same address are replaced.

        Refused `cannot_find_channel`, `cannot_find_message`, `cannot_unfurl_message`, `cannot_unfurl_url` (not in the
        message), `missing_unfurls`, `invalid_unfurls_format`.
        """
        if not unfurls:
            raise Refused("missing_unfurls")
        try:
            sight = await self._open(caller, channel_id, "cannot_unfurl_message")
            return await self._rewrite(caller, sight, ts_us, lambda row: unfurled(caller, row, unfurls))
        except Refused as refusal:
            known = {"channel_not_found": "cannot_find_channel", "message_not_found": "cannot_find_message"}
            raise Refused(known.get(refusal.code, refusal.code), refusal.extra) from None

    async def delete(self, caller: Caller, channel_id: str, ts_us: int) -> None:
        """Remove a message. One that has replies leaves a tombstone; the last reply takes that with it.

        Refused `channel_not_found`, `message_not_found`, `cant_delete_message`.
        """
        sight = await self._open(caller, channel_id, "cant_delete_message")
        is_admin = await self._is_admin(caller)
        for _ in range(TRIES_MAX):
            row = await self._message(channel_id, ts_us)
            if not may_delete(caller, row, is_admin=is_admin):
                raise Refused("cant_delete_message")
            write = await self._removal(caller, sight, row)
            if await self._is_done(write, "cant_delete_message"):
                return
        raise UnavailableError(f"message {channel_id}:{ts_us} was changed {TRIES_MAX} times while it was removed")

    async def _open(self, caller: Caller, channel_id: str, closed: str) -> Sight:
        """Return a conversation in which something may be changed. Refused `channel_not_found`, and `closed` when it is
        archived. Bots may be no members of a public one: see `messages.PUBLIC`.
        """
        sight = await self._directory.see(caller, channel_id)
        if not sight.is_member and not caller.is_bot:
            raise Refused("channel_not_found")
        if sight.conversation.is_archived:
            raise Refused(closed)
        return sight

    async def _message(self, channel_id: str, ts_us: int) -> Message:
        row = await self._channels.message(channel_id, ts_us)
        if row is None or row.subtype == shapes.TOMBSTONE:
            raise Refused("message_not_found")
        return row

    async def _rewrite(
        self,
        caller: Caller,
        sight: Sight,
        ts_us: int,
        change: Callable[[Message], Message],
        effects: Callable[[Message, Message], tuple[Effect, ...]] = lambda before, after: (),
    ) -> Edited:
        """Make of a message what `change` makes of it, on behalf of who may still see it when it is done."""
        if_member = caller.user_id if sight.is_member else ""
        return await self._rewritten(sight.conversation, ts_us, change, effects, caller.user_id, if_member)

    async def _rewritten(
        self,
        conversation: Conversation,
        ts_us: int,
        change: Callable[[Message], Message],
        effects: Callable[[Message, Message], tuple[Effect, ...]] = lambda before, after: (),
        sender_id: str = "",
        if_member: str = "",
    ) -> Edited:
        """Make of a message what `change` makes of it; again, should somebody else have changed it meanwhile."""
        for _ in range(TRIES_MAX):
            row = await self._message(conversation.id, ts_us)
            after = change(row)
            before_shape, shape = await self._reading.both(conversation, row, after)
            write = Write(
                conversation.id,
                drafts=(_changed(sender_id, conversation.id, before_shape, shape, after),),
                changed=(_difference(row, after),),
                effects=effects(row, after),
                if_member=if_member,
                unless_archived=True,
            )
            if await self._is_done(write, "is_inactive"):
                return Edited(conversation.id, ts_us, shape)
        raise UnavailableError(f"message {conversation.id}:{ts_us} was changed {TRIES_MAX} times meanwhile")

    async def _is_done(self, write: Write, closed: str) -> bool:
        """Commit; False when what it is about has changed since it was read. Refused when the caller may no longer."""
        committed = await self._writes.commit(write)
        match committed.refused_by:
            case Guard.MEMBER:
                raise Refused("channel_not_found")
            case Guard.ARCHIVED:
                raise Refused(closed)
        return not committed.refused

    async def _removal(self, caller: Caller, sight: Sight, row: Message) -> Write:
        conversation = sight.conversation
        shape = await self._reading.one(conversation, row)
        write = Write(
            conversation.id,
            if_member=caller.user_id if sight.is_member else "",
            unless_archived=True,
            effects=(*await self._unmentioned(sight, row), *_unshared(caller, row)),
        )
        if shape.get("reply_count"):
            annotations = (await self._channels.annotations(conversation.id, [row.ts_us])).get(row.ts_us, ())
            after = replace(row, text="", extra=b"", subtype=shapes.TOMBSTONE)
            _, tombstone = await self._reading.both(conversation, row, after, is_bare=True)
            return replace(
                write,
                drafts=(_changed(caller.user_id, conversation.id, shape, tombstone, after),),
                changed=(MessageChange(row.ts_us, row.revision, "", b"", shapes.TOMBSTONE),),
                unannotated=tuple(Annotation(row.ts_us, each.kind, each.name, each.user_id) for each in annotations),
            )
        gone = [(row, shape)]
        parent = await self._channels.message(conversation.id, row.thread_ts_us) if row.thread_ts_us else None
        if parent is not None and parent.subtype == shapes.TOMBSTONE:
            parent_shape = await self._reading.one(conversation, parent)
            if parent_shape.get("reply_count") == 1:
                gone.append((parent, parent_shape))
        return replace(
            write,
            drafts=tuple(_deleted(caller.user_id, conversation.id, shown) for _, shown in gone),
            removed=tuple(MessageRemoval(each.ts_us, each.revision) for each, _ in gone),
        )

    async def _unmentioned(self, sight: Sight, row: Message) -> tuple[Effect, ...]:
        """Return the effects of nobody having to read it any more; a reply that only its thread shows had none."""
        if row.subtype in NOTHING_TO_READ or (row.thread_ts_us and not row.reply_broadcast):
            return ()
        who = named(row.text, shapes.decode_extra(row.extra))
        return await self._audience.unmentioned(sight.conversation, row.ts_us, who)

    async def _is_admin(self, caller: Caller) -> bool:
        if caller.is_bot:
            return False
        # From the database: who was an admin a moment ago is none.
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        return user is not None and not user.deleted and (user.is_admin or user.is_owner)


def _difference(row: Message, after: Message) -> MessageChange:
    return MessageChange(
        row.ts_us,
        row.revision,
        after.text,
        after.extra,
        after.subtype if after.subtype != row.subtype else None,
        after.reply_broadcast if after.reply_broadcast != row.reply_broadcast else None,
    )


def _unshared(caller: Caller, row: Message) -> tuple[Effect, ...]:
    """Return the effect of nobody seeing by a message any more what it brought; the files themselves stay."""
    ids = tuple(str(each["id"]) for each in shapes.decode_extra(row.extra).get("files", ()))
    return (Unshare(caller.team_id, row.ts_us, ids),) if ids else ()


def _changed(sender_id: str, channel_id: str, before: Json, after: Json, row: Message) -> Draft:
    event: Json = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": channel_id}
    event |= {"message": after, "previous_message": shapes.slim(before)}
    who = named(row.text, shapes.decode_extra(row.extra)) if row.subtype != shapes.TOMBSTONE else named("", {})
    return _told(sender_id, event, mentions=who.users[: text_rules.MENTIONS_MAX])


def _deleted(sender_id: str, channel_id: str, before: Json) -> Draft:
    event: Json = {"type": "message", "subtype": "message_deleted", "hidden": True, "channel": channel_id}
    event |= {"deleted_ts": before["ts"], "previous_message": before}
    return _told(sender_id, event)


def _told(sender_id: str, event: Json, mentions: tuple[str, ...] = ()) -> Draft:
    def payload(place: Place) -> Json:
        return {**event, "ts": place.ts, "event_ts": place.ts}

    return Draft(
        event_pb2.EVENT_KIND_MESSAGE,
        payload,
        sender_id=sender_id,
        mentions=mentions,
        traceparent=inject_traceparent(),
    )
