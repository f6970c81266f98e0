"""How conversations with a name are made, joined and left, and who may bring others in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError
from svc.kit.ids import IdMint
from svc.kit.telemetry import inject_traceparent
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Follow, PutDirectory, Unfollow, Write
from svc.webapp.domain import announcements, names
from svc.webapp.domain.caller import Caller
from svc.webapp.domain.directory import DIRECT, Directory, Sight
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

INVITED_A_WRITE = 40
"""People who join in one write: two events each, and a write takes 100."""

INVITED_MAX = 1_000
"""People invited by one call; Slack's limit."""


class Conversations:
    """The rules of conversations. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: Directory,
        lookups: Lookups,
        channels: ChannelStore,
        workspaces: WorkspaceStore,
        writes: Writes,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._directory = directory
        self._lookups = lookups
        self._channels = channels
        self._workspaces = workspaces
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def create(self, caller: Caller, wanted_name: str, *, is_private: bool, is_general: bool = False) -> Sight:
        """Make a conversation with the caller in it. Refused `invalid_name_…`, `name_taken`."""
        name = names.conversation_name(wanted_name)
        now_s = self._clock.wall_us() // 1_000_000
        conversation = Conversation(
            id=self._mint.mint("C"),
            team_id=caller.team_id,
            kind=ConversationKind.PRIVATE if is_private else ConversationKind.PUBLIC,
            name=name,
            creator_id=caller.user_id,
            created_s=now_s,
            is_general=is_general,
            updated_ms=self._clock.wall_us() // 1_000,
        )
        try:
            await self._workspaces.reserve_name(caller.team_id, name, conversation.id, now_s)
        except AlreadyExistsError:
            raise Refused("name_taken") from None
        told = None if is_private else announcements.channel_created(conversation)
        await self._writes.commit(
            Write(
                conversation.id,
                drafts=announcements.joined(conversation, caller.user_id, traceparent=inject_traceparent()),
                request_id="create",
                members_added=(caller.user_id,),
                create=conversation,
                effects=(PutDirectory(caller.team_id, told), self._follow(conversation, caller.user_id)),
            )
        )
        return Sight(conversation, is_member=True)

    async def join(self, caller: Caller, reference: str) -> tuple[Sight, bool]:
        """Put the caller into a public conversation; the second value says that it was in it already.

        Refused `is_archived`, `method_not_supported_for_channel_type`.
        """
        sight = await self._directory.find(caller, reference)
        conversation = sight.conversation
        if conversation.kind is not ConversationKind.PUBLIC:
            raise Refused("method_not_supported_for_channel_type")
        if conversation.is_archived:
            raise Refused("is_archived")
        if sight.is_member:
            return sight, True
        return replace(sight, is_member=True), not await self.admit(conversation, caller.user_id)

    async def admit(self, conversation: Conversation, user_id: str) -> bool:
        """Put a user into a conversation, whoever asks; False when it was in it already.

        For rules that decide elsewhere.
        """
        committed = await self._writes.commit(
            Write(
                conversation.id,
                drafts=announcements.joined(conversation, user_id, traceparent=inject_traceparent()),
                members_added=(user_id,),
                unless_member=user_id,
                effects=(self._follow(conversation, user_id),),
            )
        )
        return not committed.refused

    async def leave(self, caller: Caller, channel_id: str) -> bool:
        """Take the caller out; False when it was not in it.

        Refused `cant_leave_general`, `is_archived`, `last_member` (of a private one),
        `method_not_supported_for_channel_type`.
        """
        sight = await self._directory.see(caller, channel_id)
        conversation = sight.conversation
        if conversation.kind in DIRECT:
            raise Refused("method_not_supported_for_channel_type")
        if conversation.is_general:
            raise Refused("cant_leave_general")
        if conversation.is_archived:
            raise Refused("is_archived")
        if not sight.is_member:
            return False
        if conversation.kind is ConversationKind.PRIVATE:
            counts = await self._channels.count_members([conversation.id])
            if counts[conversation.id] <= 1:
                raise Refused("last_member")
        committed = await self._writes.commit(
            Write(
                conversation.id,
                drafts=announcements.left(conversation, caller.user_id, traceparent=inject_traceparent()),
                members_removed=(caller.user_id,),
                if_member=caller.user_id,
                effects=(Unfollow(caller.user_id, announcements.channel_left(conversation)),),
            )
        )
        return not committed.refused

    async def invite(self, caller: Caller, channel_id: str, user_ids: Sequence[str]) -> Sight:
        """Put others into a conversation that the caller is in: all of them, or nobody.

        Refused `not_in_channel`, `is_archived`, `method_not_supported_for_channel_type`, `too_many_users`, or, with
        `errors` for each of them: `cant_invite_self`, `user_not_found`, `already_in_channel`.
        """
        sight = await self._directory.see(caller, channel_id)
        conversation = sight.conversation
        if conversation.kind in DIRECT:
            raise Refused("method_not_supported_for_channel_type")
        if conversation.is_archived:
            raise Refused("is_archived")
        if not sight.is_member:
            raise Refused("not_in_channel")
        if len(user_ids) > INVITED_MAX:
            raise Refused("too_many_users")
        await self._check_invited(caller, conversation, user_ids)
        for start in range(0, len(user_ids), INVITED_A_WRITE):
            await self._admit_many(conversation, user_ids[start : start + INVITED_A_WRITE], caller.user_id)
        return sight

    async def _check_invited(self, caller: Caller, conversation: Conversation, user_ids: Sequence[str]) -> None:
        people = await self._lookups.users(caller.team_id, user_ids)
        known = {user.id for user in people.values() if not user.deleted}
        members = await self._channels.members_among(conversation.id, user_ids)
        errors: list[dict[str, object]] = []
        for user_id in user_ids:
            code = ""
            if user_id == caller.user_id:
                code = "cant_invite_self"
            elif user_id not in known:
                code = "user_not_found"
            elif user_id in members:
                code = "already_in_channel"
            if code:
                errors.append({"user": user_id, "error": code, "ok": False})
        if errors:
            raise Refused(str(errors[0]["error"]), {"errors": errors} if len(user_ids) > 1 else None)

    async def _admit_many(self, conversation: Conversation, user_ids: Sequence[str], inviter_id: str) -> None:
        trace = inject_traceparent()
        drafts = [
            draft
            for user_id in user_ids
            for draft in announcements.joined(conversation, user_id, inviter_id=inviter_id, traceparent=trace)
        ]
        await self._writes.commit(
            Write(
                conversation.id,
                drafts=tuple(drafts),
                members_added=tuple(user_ids),
                # Two people may invite the same person at once: the second write must not tell it again.
                unless_member=user_ids[0] if len(user_ids) == 1 else "",
                effects=tuple(self._follow(conversation, user_id) for user_id in user_ids),
            )
        )

    def _follow(self, conversation: Conversation, user_id: str) -> Follow:
        return Follow(
            user_id, conversation.team_id, conversation.kind, payload=announcements.channel_joined(conversation)
        )
