"""How conversations change: their names, topics and purposes, whether they are archived, and who is removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError, UnavailableError
from svc.kit.telemetry import inject_traceparent
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Follow, Guard, PutDirectory, Unfollow, Write
from svc.webapp.domain.conversations import announcements, names, permissions
from svc.webapp.domain.conversations.directory import DIRECT, Directory, Sight
from svc.webapp.domain.conversations.permissions import Deed, Standing
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Conversation, ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["DESCRIPTION_CHARS_MAX", "ConversationChanges", "standing"]

DESCRIPTION_CHARS_MAX = 250
"""Of a topic or purpose; Slack's limit, and the width of the columns."""
PREVIOUS_NAMES_MAX = 20
"""Names that a conversation remembers: the column's width is for these, and nobody looks for older ones."""
TRIES_MAX = 8
"""Times that others may change the same conversation in between, until the caller is told to come back later."""

Decide = Callable[[Sight], Awaitable[Write | None]]
"""What to write, given the conversation as it is; None: nothing."""


class ConversationChanges:
    """The rules of changes. Methods raise Refused, and UnavailableError when MySQL does not answer.

    Each write requires that the conversation is as it was read; when it is not, it is read and decided upon again. So
    of two who change it at once the second sees the first one's change, and what events tell is what happened.
    """

    def __init__(
        self, directory: Directory, lookups: Lookups, workspaces: WorkspaceStore, writes: Writes, clock: Clock
    ) -> None:
        self._directory = directory
        self._lookups = lookups
        self._workspaces = workspaces
        self._writes = writes
        self._clock = clock

    async def rename(self, caller: Caller, channel_id: str, wanted_name: str) -> Sight:
        """Give a conversation another name; the one that it has is free from then on.

        Refused `method_not_supported_for_channel_type`, `not_in_channel`, `is_archived`, `not_authorized`,
        `invalid_name_…`, `name_taken`.
        """
        name = names.conversation_name(wanted_name)

        async def decide(sight: Sight) -> Write | None:
            await self._check(Deed.RENAME, caller, sight)
            if name == sight.conversation.name:
                return None
            try:
                # Kept when the write is refused: it ends by itself, and may by then be another rename's of this one.
                await self._workspaces.reserve_name(caller.team_id, name, channel_id, self._now_s())
            except AlreadyExistsError:
                raise Refused("name_taken") from None
            return _renaming(sight.conversation, caller, name)

        return await self._change(caller, channel_id, decide)

    async def describe(self, caller: Caller, channel_id: str, what: str, value: str) -> Sight:
        """Set the `topic` or the `purpose` (`what`). One that is the same already is not told again.

        Refused `too_long`, `method_not_supported_for_channel_type`, `not_in_channel`, `is_archived`.
        """
        if len(value) > DESCRIPTION_CHARS_MAX:
            raise Refused("too_long")

        async def decide(sight: Sight) -> Write | None:
            await self._check(Deed.DESCRIBE, caller, sight, but=(ConversationKind.IM,))
            conversation = sight.conversation
            if getattr(conversation, what) == value:
                return None
            change: dict[str, str | int] = {what: value, f"{what}_by": caller.user_id, f"{what}_set_s": self._now_s()}
            told = announcements.described(conversation, caller.user_id, what, value, inject_traceparent())
            return Write(channel_id, (told,), change=change, if_member=caller.user_id, effects=_listed(conversation))

        return await self._change(caller, channel_id, decide)

    async def archive(self, caller: Caller, channel_id: str) -> None:
        """Let nothing more be said in a conversation. Its members stay, and so does its name.

        Refused `method_not_supported_for_channel_type`, `already_archived`, `cant_archive_general`, `not_in_channel`,
        `restricted_action`.
        """

        async def decide(sight: Sight) -> Write | None:
            await self._check(Deed.ARCHIVE, caller, sight)
            if sight.conversation.is_archived:
                raise Refused("already_archived")
            return _archiving(sight.conversation, caller, is_archived=True)

        await self._change(caller, channel_id, decide)

    async def unarchive(self, caller: Caller, channel_id: str) -> None:
        """Undo `archive`, with the caller in the conversation afterwards.

        Refused `method_not_supported_for_channel_type`, `not_archived`, `restricted_action`.
        """

        async def decide(sight: Sight) -> Write | None:
            await self._check(Deed.UNARCHIVE, caller, sight)
            if not sight.conversation.is_archived:
                raise Refused("not_archived")
            write = _archiving(sight.conversation, caller, is_archived=False)
            return write if sight.is_member else _joining(write, sight.conversation, caller)

        await self._change(caller, channel_id, decide)

    async def kick(self, caller: Caller, channel_id: str, user_id: str) -> None:
        """Remove somebody else from a conversation.

        Refused `method_not_supported_for_channel_type`, `cant_kick_self`, `cant_kick_from_general`, `is_archived`,
        `not_in_channel` (either of the two), `restricted_action`, `user_not_found`.
        """
        sight = await self._directory.see(caller, channel_id)
        conversation = sight.conversation
        await self._check(Deed.KICK, caller, sight)
        if user_id == caller.user_id:
            raise Refused("cant_kick_self")
        if await self._lookups.user(caller.team_id, user_id) is None:
            raise Refused("user_not_found")
        if conversation.is_general:
            raise Refused("cant_kick_from_general")
        committed = await self._writes.commit(
            Write(
                channel_id,
                drafts=announcements.left(
                    conversation, user_id, remover_id=caller.user_id, traceparent=inject_traceparent()
                ),
                members_removed=(user_id,),
                if_member=user_id,
                unless_archived=True,
                effects=(Unfollow(user_id, announcements.channel_left(conversation, caller.user_id)),),
            )
        )
        if committed.refused:
            raise Refused("is_archived" if committed.refused_by is Guard.ARCHIVED else "not_in_channel")

    async def _check(
        self, deed: Deed, caller: Caller, sight: Sight, but: tuple[ConversationKind, ...] = DIRECT
    ) -> None:
        """Raise Refused unless the caller may do this now. `but`: kinds of conversations with which nobody may."""
        if sight.conversation.kind in but:
            raise Refused("method_not_supported_for_channel_type")
        permissions.check(deed, await standing(self._lookups, caller, sight))
        if sight.conversation.is_archived and deed not in (Deed.ARCHIVE, Deed.UNARCHIVE):
            raise Refused("is_archived")

    async def _change(self, caller: Caller, channel_id: str, decide: Decide) -> Sight:
        """Carry out what is decided, and return the conversation afterwards."""
        sight = await self._directory.see(caller, channel_id)
        for _ in range(TRIES_MAX):
            before = sight.conversation
            write = await decide(sight)
            if write is None:
                return sight
            committed = await self._writes.commit(replace(write, if_revision_us=before.revision_us))
            if not committed.refused:
                change: dict[str, Any] = {**write.change, "revision_us": committed.ts_us}
                after = replace(before, updated_ms=committed.ts_us // 1000, **change)
                return replace(sight, conversation=after)
            sight = await self._directory.see_now(caller, channel_id)
        raise UnavailableError(f"{channel_id} was changed by others {TRIES_MAX} times in a row")

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


async def standing(lookups: Lookups, caller: Caller, sight: Sight) -> Standing:
    """Return where the caller stands towards a conversation."""
    user = await lookups.user(caller.team_id, caller.user_id)
    conversation = sight.conversation
    return Standing(
        is_member=sight.is_member,
        is_creator=conversation.creator_id == caller.user_id,
        is_admin=user is not None and (user.is_admin or user.is_owner),
        is_private=conversation.kind is not ConversationKind.PUBLIC,
        is_general=conversation.is_general,
    )


def _renaming(conversation: Conversation, caller: Caller, name: str) -> Write:
    told = announcements.channel_rename(conversation, name)
    before = [each for each in (conversation.name, *conversation.previous_names.split(",")) if each not in ("", name)]
    return Write(
        conversation.id,
        drafts=announcements.renamed(conversation, caller.user_id, name, inject_traceparent()),
        change={"name": name, "previous_names": ",".join(dict.fromkeys(before[:PREVIOUS_NAMES_MAX]))},
        if_member=caller.user_id,
        effects=(PutDirectory(conversation.team_id, told),),
    )


def _archiving(conversation: Conversation, caller: Caller, *, is_archived: bool) -> Write:
    told = announcements.channel_archive(conversation, caller.user_id, is_archived=is_archived)
    drafts = announcements.archived(
        conversation, caller.user_id, is_archived=is_archived, traceparent=inject_traceparent()
    )
    return Write(
        conversation.id,
        drafts=drafts,
        change={"is_archived": is_archived},
        effects=(PutDirectory(conversation.team_id, told),),
    )


def _joining(write: Write, conversation: Conversation, caller: Caller) -> Write:
    """Return the write with the caller coming in by it."""
    drafts = announcements.joined(conversation, caller.user_id, traceparent=inject_traceparent())
    payload = announcements.channel_joined(replace(conversation, is_archived=False))
    follow = Follow(caller.user_id, conversation.team_id, conversation.kind, payload=payload)
    return replace(
        write,
        # Who comes is told by the first draft's event.
        drafts=(*drafts, *write.drafts),
        members_added=(caller.user_id,),
        effects=(*write.effects, follow),
    )


def _listed(conversation: Conversation) -> tuple[PutDirectory, ...]:
    """Return the effect by which the directory takes a change that it does not announce; it has no direct messages."""
    return () if conversation.kind in DIRECT else (PutDirectory(conversation.team_id),)
