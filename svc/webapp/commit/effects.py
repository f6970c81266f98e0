"""What a write brings about in other keyspaces: steps that are remembered with the write and carried out after it.

No transaction spans keyspaces. A step is written as a row in the transaction of its cause, carried out right after the
commit by the caller (who so reads his own write), then deleted; what a crash leaves, the sweeper carries out again.
Steps are therefore idempotent, and right in any order: rows keep the highest revision (the cause's ts), and whoever
told the news looks afterwards whether they were overtaken, and if so tells the newer ones again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from svc.kit.errors import FailedPreconditionError, ParleyError, UnavailableError
from svc.webapp.cache.keys import behind_effect
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.app_step import put_app
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.emoji_step import put_emoji
from svc.webapp.commit.everybody_step import for_everybody
from svc.webapp.commit.file_step import Filing
from svc.webapp.commit.group_step import put_user_group
from svc.webapp.commit.icon_step import put_icon
from svc.webapp.commit.log import (
    Committed,
    Draft,
    Effect,
    Follow,
    Json,
    Mention,
    MentionEverybody,
    PutApp,
    PutDirectory,
    PutEmoji,
    PutFile,
    PutPassword,
    PutTeamIcon,
    PutUser,
    PutUserGroup,
    Revoke,
    Unfollow,
    Unmention,
    UnmentionEverybody,
    Unshare,
    Write,
)
from svc.webapp.commit.mention_step import note_mentions
from svc.webapp.commit.mentions import Mentions
from svc.webapp.commit.revoke_step import revoke
from svc.webapp.models import channel_model, user_model
from svc.webapp.priority import note_stored
from svc.webapp.store.apps import AppStore
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.files import FileStore
from svc.webapp.store.outbox import DueEffect, OutboxStore
from svc.webapp.store.rows import Conversation, ConversationKind, Membership, User
from svc.webapp.store.sign_ins import Password
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["Cause", "Effects", "Stores", "Writes"]

log = logging.getLogger(__name__)

AT_ONCE_MAX = 32
"""Steps of one write that run together: inviting a hundred people takes a few group commits, not a hundred."""
ROUNDS_MAX = 8
"""Times that news may be overtaken while they are told; beyond it the sweeper goes on."""

Commit = Callable[[Write], Awaitable[Committed]]


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that steps touch."""

    workspaces: WorkspaceStore
    channels: ChannelStore
    users: UserStore
    outbox: OutboxStore
    apps: AppStore
    files: FileStore


@dataclass(frozen=True, slots=True)
class Cause:
    """The write that a step follows from."""

    channel_id: str
    ts_us: int
    number: int
    """Which of the write's effects."""
    first_offset: int
    """Offset of the write's first event (the next one, if it had none)."""

    @property
    def key(self) -> str:
        """Unique: a channel's ts never repeats."""
        return f"{self.channel_id}:{self.ts_us}:{self.number}"


class Effects:
    """Carries out steps."""

    def __init__(self, commit: Commit, stores: Stores, lookups: Lookups) -> None:
        """`commit`: the committer's, for the events that steps cause on U… and T… channels."""
        self._commit = commit
        self._stores = stores
        self._lookups = lookups
        self._filing = Filing(commit, stores.files, stores.channels)

    async def carry_out(self, cause: Cause, effect: Effect, *, is_again: bool = False) -> None:
        """Do a step. Idempotent. Raises the kit's errors; then nothing is lost, and it may be done again.

        `is_again`: somebody may have begun it, and told some of its news.
        """
        match effect:
            case Follow():
                await self._follow(cause, effect, is_again)
            case Unfollow():
                await self._unfollow(cause, effect, is_again)
            case PutDirectory():
                await self._put_directory(cause, effect)
            case PutUser():
                await self._put_user(cause, effect)
            case Mention():
                # Of the message itself: a write's ts is that of its first draft.
                rows = [(user_id, cause.channel_id, cause.ts_us) for user_id in effect.user_ids]
                await note_mentions(self._stores.users, self._stores.channels, rows)
            case Unmention():
                await self._stores.users.unmention(
                    [(user_id, cause.channel_id, effect.ts_us) for user_id in effect.user_ids]
                )
            case MentionEverybody():
                note = partial(note_mentions, self._stores.users, self._stores.channels)
                await for_everybody(self._stores.channels, note, cause.channel_id, cause.ts_us, effect.but)
            case UnmentionEverybody():
                await for_everybody(self._stores.channels, self._stores.users.unmention, cause.channel_id, effect.ts_us)
            case _:
                await self._put(cause, effect)

    async def _put(self, cause: Cause, effect: Effect) -> None:
        """Do a step that sets something beside users and conversations."""
        workspaces = self._stores.workspaces
        match effect:
            case PutUserGroup():
                await put_user_group(self._commit, workspaces.groups, self._lookups, effect, cause.ts_us, cause.key)
            case Revoke():
                await revoke(self._commit, self._stores.users, self._lookups, effect, cause.ts_us, cause.key)
            case PutEmoji():
                await put_emoji(self._commit, workspaces, cause.channel_id, effect.emoji, cause.ts_us, cause.key)
            case PutTeamIcon(url):
                await put_icon(self._commit, workspaces, self._lookups, cause.channel_id, url, cause.ts_us, cause.key)
            case PutFile():
                await self._filing.put_file(cause.channel_id, cause.ts_us, cause.key, effect)
            case Unshare():
                await self._filing.unshare(cause.channel_id, effect)
            case PutPassword(team_id, user_id, hashed, at_s):
                await workspaces.sign_ins.put_password(Password(team_id, user_id, hashed, at_s, cause.ts_us))
            case PutApp():
                await put_app(self._commit, self._stores.apps, self._lookups.forget, effect.app, cause.ts_us, cause.key)

    async def redo(self, due: DueEffect) -> bool:
        """Do a step that its committer left behind, and forget it. False when it has to wait (logged)."""
        cause = Cause(due.channel_id, due.ts_us, due.number, due.first_offset)
        try:
            effect = decode_effect(due.effect)
            # Whoever committed the cause may have died before the caches forgot what that changed.
            await self._lookups.forget(behind_effect(due.channel_id, effect))
            await self.carry_out(cause, effect, is_again=True)
        except ParleyError as error:
            log.warning("effect %s failed again: %s", cause.key, error)
            if error.retryable:
                return False
        except (KeyError, TypeError, ValueError) as error:
            # Written by a newer version, which will come by.
            log.warning("effect %s is not understood here: %r", cause.key, error)
            return False
        await self._stores.outbox.delete_effects(due.channel_id, due.ts_us, [due.number])
        return True

    async def _follow(self, cause: Cause, effect: Follow, is_again: bool) -> None:
        membership = Membership(
            user_id=effect.user_id,
            channel_id=cause.channel_id,
            team_id=effect.team_id,
            kind=effect.kind,
            peer_user_id=effect.peer_user_id,
            joined_us=cause.ts_us,
            # What was said before is not news to who comes. The store keeps the mark of who comes back.
            last_read_us=cause.ts_us,
            from_offset=cause.first_offset - 1,
            revision_us=cause.ts_us,
        )
        await self._move(cause, membership, effect.payload, is_again)

    async def _unfollow(self, cause: Cause, effect: Unfollow, is_again: bool) -> None:
        now = await self._stores.users.side(effect.user_id, cause.channel_id)
        blank = Membership(effect.user_id, cause.channel_id, "", ConversationKind.PUBLIC)
        left = replace(now or blank, active=False, from_offset=cause.first_offset - 1, revision_us=cause.ts_us)
        await self._move(cause, left, effect.payload, is_again)

    async def _move(self, cause: Cause, side: Membership, payload: Json | None, is_again: bool) -> None:
        """Set the user's side of a conversation and tell its sessions, until what was told last is what is true."""
        users = self._stores.users
        await users.put_membership(side)
        await self._lookups.forget_side(side.user_id, side.channel_id)
        told = 0
        for _ in range(ROUNDS_MAX):
            now = await users.side(side.user_id, side.channel_id)
            if now is None or now.revision_us == told:
                return
            if now.revision_us == cause.ts_us:
                await self._tell_user(cause.key, now, payload)
            elif told or is_again:
                # Overtaken while telling (by us, or by who began this and died): the newer news may have been told
                # before ours, so they are told again.
                await self._tell_user(f"{cause.key}:{now.revision_us}", now, None)
            else:
                return  # overtaken before: the newer join or leave tells its own
            told = now.revision_us
        raise UnavailableError(f"effect {cause.key} was overtaken {ROUNDS_MAX} times")

    async def _tell_user(self, request_id: str, side: Membership, payload: Json | None) -> None:
        change = event_pb2.SubscriptionChange()
        if side.active:
            change.added.add(channel_id=side.channel_id, offset=side.from_offset)
        else:
            change.removed_channel_ids.append(side.channel_id)
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: payload, subscription_change=change)
        await self._commit(Write(side.user_id, (draft,), request_id=request_id))

    async def _put_directory(self, cause: Cause, effect: PutDirectory) -> None:
        told, payload = 0, effect.payload
        for _ in range(ROUNDS_MAX):
            # Always the truth as it is now, never a copy from the time of the write: that may be overtaken.
            now = await self._stores.channels.conversation(cause.channel_id)
            if now is None or now.revision_us == told:
                return
            await self._stores.workspaces.put_conversation(now)
            if now.kind is not ConversationKind.PUBLIC:
                return
            change = boot_pb2.ModelChange(channels=[channel_model(now)])
            version = await self._tell_team(cause, now, event_pb2.EVENT_KIND_CHANNEL, change, payload)
            await self._stores.workspaces.set_versions(now.team_id, version, channel_id=now.id)
            told, payload = now.revision_us, None
        raise UnavailableError(f"effect {cause.key} was overtaken {ROUNDS_MAX} times")

    async def _put_user(self, cause: Cause, effect: PutUser) -> None:
        user = replace(User(**effect.user), revision_us=cause.ts_us)
        workspaces = self._stores.workspaces
        if effect.over_us is None:
            await workspaces.put_user(user)
        elif not await workspaces.profiles.replace_user(user, effect.over_us):
            raise FailedPreconditionError(f"user {user.id} was changed meanwhile", subject="over_us")
        await self._lookups.forget_user(user.team_id, user.id)
        told, payload = 0, effect.payload
        for _ in range(ROUNDS_MAX):
            now = await self._stores.workspaces.user(user.team_id, user.id)
            if now is None or now.revision_us == told:
                return
            change = boot_pb2.ModelChange(users=[user_model(now)])
            version = await self._tell_team(cause, now, event_pb2.EVENT_KIND_WORKSPACE, change, payload)
            await self._stores.workspaces.set_versions(now.team_id, version, user_id=now.id)
            await self._lookups.forget_user(now.team_id, now.id)
            told, payload = now.revision_us, None
        raise UnavailableError(f"effect {cause.key} was overtaken {ROUNDS_MAX} times")

    async def _tell_team(
        self,
        cause: Cause,
        now: Conversation | User,
        kind: event_pb2.EventKind.ValueType,
        change: boot_pb2.ModelChange,
        payload: Json | None,
    ) -> int:
        """Commit an event on the workspace's channel and return its offset. The row is written before: who loads the
        model in between gets the new row and then the event, which changes nothing; the other way round it got neither.
        """
        draft = Draft(kind, lambda _: payload, model_change=change)
        write = Write(now.team_id, (draft,), request_id=f"{cause.key}:{now.revision_us}")
        return (await self._commit(write)).places[0].offset


class Writes:
    """What the domain commits through: the write, then its effects."""

    def __init__(self, commit: Commit, effects: Effects, outbox: OutboxStore, mentions: Mentions | None = None) -> None:
        """`commit`: the committer's, after which caches have forgotten what the write changed. `mentions`: notes those
        of posts together and later; without it each post waits for its own.
        """
        self._commit = commit
        self._effects = effects
        self._outbox = outbox
        self._mentions = mentions

    async def commit(self, write: Write) -> Committed:
        """Return once the write is durable and its effects are done, so that the caller reads its own write. Who was
        mentioned, which concerns others, may be noted a moment later.

        Errors as Committer.commit. An effect that fails for now is left to the sweepers and logged: the write is true.
        One that can never succeed raises (AlreadyExistsError: a user's name is taken) and is forgotten.
        """
        committed = await self._commit(write)
        if committed.refused:
            return committed
        note_stored()
        if not write.effects or committed.duplicate:
            return committed
        match write.effects:
            case (Mention(user_ids),) if self._mentions is not None:
                self._mentions.offer((write.channel_id, committed.ts_us, user_ids))
            case _:
                await self._carry_out(write, committed)
        return committed

    async def _carry_out(self, write: Write, committed: Committed) -> None:
        first_offset = committed.places[0].offset if committed.places else committed.next_offset
        slots = asyncio.Semaphore(AT_ONCE_MAX)
        done: list[int] = []
        refused: list[ParleyError] = []

        async def step(number: int, effect: Effect) -> None:
            if isinstance(effect, MentionEverybody | UnmentionEverybody):
                return  # takes seconds, and nobody waits for it: it is due when the sweepers look
            cause = Cause(write.channel_id, committed.ts_us, number, first_offset)
            async with slots:
                try:
                    await self._effects.carry_out(cause, effect)
                    done.append(number)
                except ParleyError as error:
                    log.warning("effect %s failed: %s", cause.key, error)
                    if not error.retryable:
                        done.append(number)
                        refused.append(error)

        async with asyncio.TaskGroup() as group:
            for number, effect in enumerate(write.effects):
                group.create_task(step(number, effect))
        try:
            await self._outbox.delete_effects(write.channel_id, committed.ts_us, done)
        except ParleyError as error:
            log.warning("effects of %s are done and will be done again: %s", write.channel_id, error)
        if refused:
            raise refused[0]
