"""Which conversations a caller sees."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from svc.kit.ids import is_id
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import IDS_A_STATEMENT, ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

DIRECT = (ConversationKind.IM, ConversationKind.MPIM)
"""Conversations that are opened, not created: nobody joins or leaves one."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A conversation as the caller sees it."""

    conversation: Conversation
    is_member: bool
    peer_user_id: str = ""
    """The other person of an IM (the caller itself for notes to self), where it was asked for; else ""."""

    def check_readable(self, caller: Caller) -> None:
        """Raise Refused `not_in_channel` unless the caller may read here: people may read any public conversation."""
        if not self.is_member and caller.is_bot:
            raise Refused("not_in_channel")

    def check_writable(self) -> None:
        """Raise Refused `not_in_channel` or `is_archived` unless a member may change something here."""
        if not self.is_member:
            raise Refused("not_in_channel")
        if self.conversation.is_archived:
            raise Refused("is_archived")


class Directory:
    """Reads conversations on a caller's behalf.

    Methods raise Refused, and UnavailableError when MySQL does not answer.
    """

    def __init__(self, lookups: Lookups, channels: ChannelStore, workspaces: WorkspaceStore) -> None:
        self._lookups = lookups
        self._channels = channels
        self._workspaces = workspaces

    async def see(self, caller: Caller, channel_id: str) -> Sight:
        """Return the conversation. Refused `channel_not_found` when it is another workspace's, or private to others."""
        if not is_id(channel_id, "CDG"):
            raise Refused("channel_not_found")
        conversation = await self._lookups.conversation(channel_id)
        if conversation is None or conversation.team_id != caller.team_id:
            raise Refused("channel_not_found")
        return _seen(caller, conversation, await self._lookups.is_member(channel_id, caller.user_id))

    async def see_now(self, caller: Caller, channel_id: str) -> Sight:
        """Return what `see` does, past all caches: for who was told that what he saw is not so any more."""
        conversation = await self._channels.conversation(channel_id)
        if conversation is None or conversation.team_id != caller.team_id:
            raise Refused("channel_not_found")
        return _seen(caller, conversation, await self._channels.is_member(channel_id, caller.user_id))

    async def readable(self, caller: Caller, channel_ids: Collection[str]) -> Mapping[str, Conversation]:
        """Return those of many conversations that the caller may read, by id; see `see`, `check_readable`."""
        found = await self._lookups.conversations(tuple(channel_ids))
        own = {each.id: each for each in found.values() if each.team_id == caller.team_id}
        asked = [each.id for each in own.values() if caller.is_bot or each.kind is not ConversationKind.PUBLIC]
        readable = own.keys() - set(asked)
        for start in range(0, len(asked), IDS_A_STATEMENT):
            readable |= await self._channels.member_in(caller.user_id, asked[start : start + IDS_A_STATEMENT])
        if not caller.is_bot:
            readable |= own.keys() & {caller.guest_of}
        return {channel_id: own[channel_id] for channel_id in readable}

    async def find(self, caller: Caller, reference: str) -> Sight:
        """Return the conversation that `reference` names: an id, `#name` or `name`. Refused `channel_not_found`."""
        reference = reference.strip()
        if is_id(reference, "CDG"):
            return await self.see(caller, reference)
        found = await self._workspaces.conversation_by_name(caller.team_id, reference.removeprefix("#"))
        if found is None:
            raise Refused("channel_not_found")
        return await self.see(caller, found.id)

    async def members(self, sight: Sight, after_user_id: str, limit: int) -> Sequence[str]:
        """Return at most `limit` ids of members above `after_user_id`, in order of id."""
        if not after_user_id:
            first = await self._lookups.first_members(sight.conversation.id)
            if first.is_whole or limit <= len(first.user_ids):
                return first.user_ids[:limit]
        return await self._channels.members(sight.conversation.id, after_user_id, limit)

    async def with_peer(self, caller: Caller, sight: Sight) -> Sight:
        """Return the sight with the other person of an IM in it, which only its shape needs and posting does not."""
        if sight.conversation.kind is not ConversationKind.IM:
            return sight
        people = (await self._lookups.first_members(sight.conversation.id)).user_ids
        peer = next((person for person in people if person != caller.user_id), caller.user_id)
        return replace(sight, peer_user_id=peer)


def _seen(caller: Caller, conversation: Conversation, is_member: bool) -> Sight:
    may_see = is_member or caller.guest_of == conversation.id
    if not may_see and conversation.kind is not ConversationKind.PUBLIC:
        raise Refused("channel_not_found")
    return Sight(conversation, is_member)
