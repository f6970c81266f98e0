"""How conversations with a name are made, joined and left, and who may bring others in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError, UnavailableError
from svc.kit.ids import IdMint
from svc.kit.telemetry import inject_traceparent
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Committed, Follow, Guard, Json, PutDirectory, Unfollow, Write
from svc.webapp.domain.conversations import announcements, names, permissions
from svc.webapp.domain.conversations.changes import standing
from svc.webapp.domain.conversations.directory import DIRECT, Directory, Sight
from svc.webapp.domain.conversations.permissions import Deed
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

INVITED_A_WRITE = 40
"""People who join in one write: two events each, and a write takes 100."""

INVITED_MAX = 1_000
"""People invited by one call; Slack's limit."""

TRIES_MAX = 8
"""Times that others may bring in some of the same people, until the caller is told to come back later."""


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
        """Make a conversation with the caller in it. Refused `invalid_name_…`, `name_taken`, `restricted_action`."""
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
        permissions.check(Deed.CREATE, await standing(self._lookups, caller, Sight(conversation, is_member=True)))
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
        """Put a user into a conversation, whoever asks; False when it was in it already. Refused `is_archived`.

        For rules that decide elsewhere.
        """
        committed = await self._writes.commit(
            Write(
                conversation.id,
                drafts=announcements.joined(conversation, user_id, traceparent=inject_traceparent()),
                members_added=(user_id,),
                unless_member=user_id,
                unless_archived=True,
                effects=(self._follow(conversation, user_id),),
            )
        )
        return not _is_refused(committed)

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
        committed = await self._writes.commit(
            Write(
                conversation.id,
                drafts=announcements.left(conversation, caller.user_id, traceparent=inject_traceparent()),
                members_removed=(caller.user_id,),
                if_member=caller.user_id,
                unless_last=conversation.kind is ConversationKind.PRIVATE,
                unless_archived=True,
                effects=(Unfollow(caller.user_id, announcements.channel_left(conversation)),),
            )
        )
        if committed.refused_by is Guard.LAST:
            raise Refused("last_member")
        return not _is_refused(committed)

    async def invite(
        self, caller: Caller, channel_id: str, user_ids: Sequence[str], *, force: bool = False
    ) -> tuple[Sight, list[Json]]:
        """Put others into a conversation that the caller is in: all of them, or nobody; with `force` those that can be.

        The second value has an error for each of the others. Refused `not_in_channel`, `is_archived`, `no_user`,
        `restricted_action`, `method_not_supported_for_channel_type`, `too_many_users`, or, with `errors` for each of
        them: `cant_invite_self`, `user_not_found`, `already_in_channel`.
        """
        sight = await self._directory.see(caller, channel_id)
        conversation = sight.conversation
        if conversation.kind in DIRECT:
            raise Refused("method_not_supported_for_channel_type")
        if not user_ids:
            raise Refused("no_user")
        permissions.check(Deed.INVITE, await standing(self._lookups, caller, sight))
        if conversation.is_archived:
            raise Refused("is_archived")
        if len(user_ids) > INVITED_MAX:
            raise Refused("too_many_users")
        errors = await self._uninvitable(caller, conversation, user_ids)
        if errors and not (force and len(errors) < len(user_ids)):
            raise Refused(str(errors[0]["error"]), {"errors": errors} if len(user_ids) > 1 else None)
        others = {error["user"] for error in errors}
        invited = [user_id for user_id in user_ids if user_id not in others]
        for start in range(0, len(invited), INVITED_A_WRITE):
            await self._admit_many(conversation, invited[start : start + INVITED_A_WRITE], caller.user_id)
        return sight, errors

    async def _uninvitable(self, caller: Caller, conversation: Conversation, user_ids: Sequence[str]) -> list[Json]:
        """Return why those who cannot be invited cannot."""
        people = await self._lookups.users(caller.team_id, user_ids)
        known = {user.id for user in people.values() if not user.deleted}
        members = await self._channels.members_among(conversation.id, list(people))
        errors: list[Json] = []
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
        return errors

    async def _admit_many(self, conversation: Conversation, user_ids: Sequence[str], inviter_id: str) -> None:
        """Put users into a conversation. Those whom somebody else brings in at the same time are told once."""
        for _ in range(TRIES_MAX):
            committed = await self._writes.commit(self._admission(conversation, user_ids, inviter_id))
            if not _is_refused(committed):
                return
            if not await self._channels.is_member(conversation.id, inviter_id):
                raise Refused("not_in_channel")
            here = await self._channels.members_among(conversation.id, user_ids)
            user_ids = [user_id for user_id in user_ids if user_id not in here]
            if not user_ids:
                return
        raise UnavailableError(f"others came to {conversation.id} {TRIES_MAX} times while they were invited")

    def _admission(self, conversation: Conversation, user_ids: Sequence[str], inviter_id: str) -> Write:
        trace = inject_traceparent()
        drafts = [
            draft
            for user_id in user_ids
            for draft in announcements.joined(conversation, user_id, inviter_id=inviter_id, traceparent=trace)
        ]
        return Write(
            conversation.id,
            drafts=tuple(drafts),
            members_added=tuple(user_ids),
            if_member=inviter_id,
            unless_members=tuple(user_ids),
            unless_archived=True,
            effects=tuple(self._follow(conversation, user_id) for user_id in user_ids),
        )

    def _follow(self, conversation: Conversation, user_id: str) -> Follow:
        return Follow(
            user_id, conversation.team_id, conversation.kind, payload=announcements.channel_joined(conversation)
        )


def _is_refused(committed: Committed) -> bool:
    """Tell whether members were not as the write required. Raises Refused `is_archived` when that was the reason."""
    if committed.refused_by is Guard.ARCHIVED:
        raise Refused("is_archived")
    return committed.refused
