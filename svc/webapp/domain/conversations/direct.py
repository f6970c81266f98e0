"""Direct messages: conversations that are opened by naming people, and found again by naming them again.

Whoever wants one out of its sight closes it; it comes back when it is opened again, or something is said in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import InternalError
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Follow, Item, Write
from svc.webapp.domain.conversations import announcements, names
from svc.webapp.domain.conversations.directory import DIRECT, Directory, Sight
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind, ItemKind, User

OTHERS_MAX = 8
"""People in a group message beside the one who opens it; Slack's limit."""

PURPOSE_CHARS_MAX = 250
"""Slack's limit, and the width of the column."""

_ATTEMPTS_MAX = 4
"""Two groups share a derived id once in 10^15; four candidates make it impossible in practice."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A direct message, and whether this call made it or, for the caller, opened it again."""

    sight: Sight
    is_new: bool


class DirectMessages:
    """Opens IMs and group messages. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self, directory: Directory, lookups: Lookups, channels: ChannelStore, writes: Writes, clock: Clock
    ) -> None:
        self._directory = directory
        self._lookups = lookups
        self._channels = channels
        self._writes = writes
        self._clock = clock

    async def open(self, caller: Caller, user_ids: Sequence[str], *, create: bool = True) -> Opened | None:
        """Return the direct message between the caller and `user_ids`, made if need be; None without `create`.

        Refused `users_list_not_supplied`, `too_many_users`, `user_not_found`, `user_disabled`.
        """
        opened = await self._find(caller, user_ids, create=create)
        if opened is None:
            return None
        if opened.is_new:
            # Behind im_created, which the other one is told as well; a crash in between loses no more than this hint.
            conversation = opened.sight.conversation
            draft = _open_draft(conversation, caller.user_id, is_open=True)
            await self._writes.commit(Write(caller.user_id, (draft,), request_id=f"open:{conversation.id}"))
            return opened
        return Opened(opened.sight, await self._drop_closed(caller, opened.sight.conversation))

    async def open_known(self, caller: Caller, channel_id: str) -> Opened:
        """Open a direct message again by its id.

        Refused `channel_not_found`, `method_not_supported_for_channel_type`.
        """
        sight = await self._direct(caller, channel_id)
        was_closed = await self._drop_closed(caller, sight.conversation)
        return Opened(await self._directory.with_peer(caller, sight), was_closed)

    async def close(self, caller: Caller, channel_id: str) -> bool:
        """Put a direct message out of the caller's sight; False when it was already.

        Refused `channel_not_found`, `method_not_supported_for_channel_type`.
        """
        conversation = (await self._direct(caller, channel_id)).conversation
        closed_us = await self._closed_us(caller, channel_id)
        if closed_us and not await self._is_news(channel_id, closed_us):
            return False
        # By the conversation's own count of time, not by ours: what is said after this is above it.
        activity = await self._channels.activity([channel_id])
        body = orjson.dumps({"closed_us": max(1, *(each.last_message_us for each in activity.values()), 0)})
        committed = await self._writes.commit(
            Write(
                caller.user_id,
                drafts=(_open_draft(conversation, caller.user_id, is_open=False),),
                items=(Item(ItemKind.CLOSED, channel_id, body, is_new=not closed_us),),
            )
        )
        return not committed.refused

    async def is_open(self, caller: Caller, channel_id: str) -> bool:
        """Tell whether the caller has not closed a direct message, or something was said in it since."""
        closed_us = await self._closed_us(caller, channel_id)
        return not closed_us or await self._is_news(channel_id, closed_us)

    async def with_user(self, caller: Caller, user_id: str) -> Sight:
        """Return the IM with one user, made if need be. Refused `channel_not_found` when there is no such user."""
        try:
            opened = await self._find(caller, [user_id], create=True)
        except Refused:
            raise Refused("channel_not_found") from None
        if opened is None:
            raise Refused("channel_not_found")
        return opened.sight

    async def _find(self, caller: Caller, user_ids: Sequence[str], *, create: bool) -> Opened | None:
        others = sorted(set(user_ids) - {caller.user_id})
        if not user_ids:
            raise Refused("users_list_not_supplied")
        if len(others) > OTHERS_MAX:
            raise Refused("too_many_users")
        people = await self._people(caller, others)
        ids = sorted(people)
        for attempt in range(_ATTEMPTS_MAX):
            channel_id = names.direct_id(caller.team_id, ids, attempt)
            found = await self._lookups.conversation(channel_id)
            if found is None:
                return await self._make(caller, channel_id, people) if create else None
            members = await self._lookups.first_members(channel_id)
            if found.team_id == caller.team_id and members.user_ids == tuple(ids):
                return Opened(_sight(found, caller, ids), is_new=False)
        raise InternalError(f"no free id for a direct message after {_ATTEMPTS_MAX} attempts")

    async def _direct(self, caller: Caller, channel_id: str) -> Sight:
        sight = await self._directory.see(caller, channel_id)
        if sight.conversation.kind not in DIRECT:
            raise Refused("method_not_supported_for_channel_type")
        return sight

    async def _closed_us(self, caller: Caller, channel_id: str) -> int:
        """Return the ts up to which the caller had seen it when closing it; 0 when it is not closed."""
        item = await self._channels.item(caller.user_id, ItemKind.CLOSED, channel_id)
        return int(orjson.loads(item.body)["closed_us"]) if item is not None else 0

    async def _is_news(self, channel_id: str, closed_us: int) -> bool:
        activity = await self._channels.activity([channel_id])
        return any(each.last_message_us > closed_us for each in activity.values())

    async def _drop_closed(self, caller: Caller, conversation: Conversation) -> bool:
        """Open it for the caller if it is closed, and tell the caller's sockets; False when it is not."""
        if not await self._closed_us(caller, conversation.id):
            return False
        committed = await self._writes.commit(
            Write(
                caller.user_id,
                drafts=(_open_draft(conversation, caller.user_id, is_open=True),),
                items_dropped=((ItemKind.CLOSED, conversation.id),),
            )
        )
        return not committed.refused

    async def _people(self, caller: Caller, others: Sequence[str]) -> dict[str, User]:
        wanted = [caller.user_id, *others]
        found = await self._lookups.users(caller.team_id, wanted)
        if any(user_id not in found for user_id in wanted):
            raise Refused("user_not_found")
        if any(found[user_id].deleted for user_id in others):
            raise Refused("user_disabled")
        return found

    async def _make(self, caller: Caller, channel_id: str, people: dict[str, User]) -> Opened:
        ids = sorted(people)
        is_im = len(ids) <= 2
        now_us = self._clock.wall_us()
        conversation = Conversation(
            id=channel_id,
            team_id=caller.team_id,
            kind=ConversationKind.IM if is_im else ConversationKind.MPIM,
            name="" if is_im else names.mpim_name(person.name for person in people.values()),
            creator_id=caller.user_id,
            created_s=now_us // 1_000_000,
            purpose="" if is_im else _purpose(people),
            updated_ms=now_us // 1_000,
        )
        committed = await self._writes.commit(
            Write(
                channel_id,
                # Whoever opens it second, at the same instant, gets the first one's.
                request_id="open",
                members_added=tuple(ids),
                create=conversation,
                effects=tuple(_follow(conversation, user_id, ids) for user_id in ids),
            )
        )
        return Opened(_sight(conversation, caller, ids), is_new=not committed.duplicate)


def _open_draft(conversation: Conversation, user_id: str, *, is_open: bool) -> Draft:
    event = announcements.direct_open(conversation, user_id, is_open=is_open)
    return Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(event), sender_id=user_id)


def _purpose(people: dict[str, User]) -> str:
    handles = sorted(f"@{person.name}" for person in people.values())
    return f"Group messaging with: {' '.join(handles)}"[:PURPOSE_CHARS_MAX]


def _sight(conversation: Conversation, caller: Caller, user_ids: Sequence[str]) -> Sight:
    peer = _peer(caller.user_id, user_ids) if conversation.kind is ConversationKind.IM else ""
    return Sight(conversation, is_member=True, peer_user_id=peer)


def _peer(user_id: str, user_ids: Sequence[str]) -> str:
    return next((other for other in user_ids if other != user_id), user_id)


def _follow(conversation: Conversation, user_id: str, user_ids: Sequence[str]) -> Follow:
    if conversation.kind is ConversationKind.IM:
        peer = _peer(user_id, user_ids)
        payload = announcements.im_created(conversation, peer)
        return Follow(user_id, conversation.team_id, conversation.kind, peer_user_id=peer, payload=payload)
    payload = announcements.channel_joined(conversation)
    return Follow(user_id, conversation.team_id, conversation.kind, payload=payload)
