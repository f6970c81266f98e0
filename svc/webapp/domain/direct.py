"""Direct messages: conversations that are opened by naming people, and found again by naming them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.kit.errors import InternalError
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Follow, Write
from svc.webapp.domain import announcements, names
from svc.webapp.domain.caller import Caller
from svc.webapp.domain.directory import Sight
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Conversation, ConversationKind, User

OTHERS_MAX = 8
"""People in a group message beside the one who opens it; Slack's limit."""

PURPOSE_CHARS_MAX = 250
"""Slack's limit, and the width of the column."""

_ATTEMPTS_MAX = 4
"""Two groups share a derived id once in 10^15; four candidates make it impossible in practice."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A direct message, and whether this call made it."""

    sight: Sight
    is_new: bool


class DirectMessages:
    """Opens IMs and group messages. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, lookups: Lookups, writes: Writes, clock: Clock) -> None:
        self._lookups = lookups
        self._writes = writes
        self._clock = clock

    async def open(self, caller: Caller, user_ids: Sequence[str], *, create: bool = True) -> Opened | None:
        """Return the direct message between the caller and `user_ids`, made if need be; None without `create`.

        Refused `users_list_not_supplied`, `too_many_users`, `user_not_found`, `user_disabled`.
        """
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

    async def with_user(self, caller: Caller, user_id: str) -> Sight:
        """Return the IM with one user, made if need be. Refused `channel_not_found` when there is no such user."""
        try:
            opened = await self.open(caller, [user_id])
        except Refused:
            raise Refused("channel_not_found") from None
        if opened is None:
            raise Refused("channel_not_found")
        return opened.sight

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
