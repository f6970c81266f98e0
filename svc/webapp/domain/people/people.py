"""What people say of themselves, and who is a member no longer.

A user is changed over the version that was read: of two who change one at the same instant the second looks again, so
neither undoes what the other did. Deactivating somebody ends all that its tokens opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from parley.event.v1 import event_pb2
from svc import shapes as slack
from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError, FailedPreconditionError, UnavailableError
from svc.kit.ids import is_id
from svc.webapp.commit.effects import ROUNDS_MAX, Writes
from svc.webapp.commit.log import Draft, Json, PutUser, Revoke, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.people import profile
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.models import user_model
from svc.webapp.store.rows import User
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["People"]


class People:
    """Changes users. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, workspaces: WorkspaceStore, writes: Writes, clock: Clock) -> None:
        self._workspaces = workspaces
        self._writes = writes
        self._clock = clock

    async def set_profile(self, caller: Caller, user_id: str, change: Mapping[str, object]) -> User:
        """Change a profile, one's own or, for admins, another's; return the user as it is then.

        Refused `user_not_found`, `not_admin`, `cannot_update_admin_user`, `email_taken`, and as `profile.changed` says.
        An address is for admins to change.
        """
        if user_id != caller.user_id:
            await self._check_over(caller, user_id)
        elif "email" in change:
            await self._check_admin(caller)
        return await self._change(caller.team_id, user_id, lambda user: profile.changed(user, change))

    async def set_picture(self, team_id: str, user_id: str, url: str) -> tuple[User, str]:
        """Set where a user's picture is, "" for none; return the user as it is then, and where it was before.

        Of a bot's user it is the bot's, and the workspace is told so too. Refused `user_not_found`.
        """
        before = ""

        def change(user: User) -> User:
            nonlocal before
            before = user.picture_url
            return replace(user, picture_url=url, avatar_hash=user.avatar_hash if url else "")

        return await self._change(team_id, user_id, change), before

    async def end_status(self, user: User) -> None:
        """Take away a status that is over, unless it was changed meanwhile."""
        now_s = self._now_s()

        def over(now: User) -> User:
            return profile.status_over(now) if 0 < now.status_expiration_s <= now_s else now

        await self._change(user.team_id, user.id, over)

    async def deactivate(self, caller: Caller, user_id: str) -> None:
        """Let a user be a member no longer: its tokens are revoked, and its sessions end. Again is harmless.

        Refused `user_not_found`, `not_an_admin`, `cant_deactivate_self`, `restricted_action` (an owner's or, but for
        owners, an admin's).
        """
        await self.check_may_remove(caller, user_id)
        await self.remove(caller.team_id, user_id)

    async def check_may_remove(self, caller: Caller, user_id: str) -> None:
        """Refused as `deactivate` says."""
        user = await self._user(caller.team_id, caller.user_id)
        if not (user.is_admin or user.is_owner):
            raise Refused("not_an_admin")
        other = await self._user(caller.team_id, user_id)
        if other.id == user.id:
            raise Refused("cant_deactivate_self")
        if other.is_owner or (other.is_admin and not user.is_owner):
            raise Refused("restricted_action")

    async def remove(self, team_id: str, user_id: str) -> None:
        """Deactivate a user, whoever asks. Refused `user_not_found`."""
        user = await self._change(team_id, user_id, lambda now: replace(now, deleted=True))
        if user.bot_id:
            await self._set_bot(user, is_deleted=True)
        # After the row: whoever makes a token meanwhile looks at the row when that is done.
        await self._writes.commit(Write(user_id, effects=(Revoke(user_id),)))

    async def restore(self, team_id: str, user_id: str) -> None:
        """Let a deactivated user be a member again; it needs new tokens. Refused `user_not_found`."""
        user = await self._change(team_id, user_id, lambda now: replace(now, deleted=False))
        if user.bot_id:
            await self._set_bot(user, is_deleted=False)

    async def _set_bot(self, user: User, *, is_deleted: bool) -> None:
        bot = await self._workspaces.bot(user.team_id, user.bot_id)
        if bot is not None:
            await self._workspaces.put_bot(replace(bot, deleted=is_deleted, updated_s=self._now_s()))

    async def _check_over(self, caller: Caller, user_id: str) -> None:
        """Refused unless the caller may change what another user says of itself."""
        me = await self._check_admin(caller)
        other = await self._user(caller.team_id, user_id)
        if other.is_owner and not me.is_owner:
            raise Refused("cannot_update_admin_user")

    async def _check_admin(self, caller: Caller) -> User:
        # From the database: who was an admin a moment ago is none.
        user = await self._user(caller.team_id, caller.user_id)
        if user.deleted or not (user.is_admin or user.is_owner):
            raise Refused("not_admin")
        return user

    async def _user(self, team_id: str, user_id: str) -> User:
        user = await self._workspaces.user(team_id, user_id) if is_id(user_id, "UW") else None
        if user is None:
            raise Refused("user_not_found")
        return user

    async def _change(self, team_id: str, user_id: str, change: Callable[[User], User]) -> User:
        """Make of a user what `change` makes of it, tell the workspace (user_change), and return it."""
        for _ in range(ROUNDS_MAX):
            before = await self._user(team_id, user_id)
            after = change(before)
            if after == before:
                return before
            now_s = self._now_s()
            after = replace(after, updated_s=now_s)
            told = {"type": "user_change", "user": shapes.user(after, now_s=now_s), "cache_ts": now_s}
            step = PutUser(asdict(after), told, over_us=before.revision_us)
            try:
                drafts = (_bot_changed(after),) if after.bot_id and after.picture_url != before.picture_url else ()
                committed = await self._writes.commit(Write(team_id, drafts, effects=(step,)))
            except AlreadyExistsError:
                raise Refused("email_taken") from None  # names do not change here
            except FailedPreconditionError:
                continue
            now = await self._user(team_id, user_id)
            if now.revision_us < committed.ts_us:
                raise UnavailableError(f"user {user_id} could not be changed just now")
            return now
        raise UnavailableError(f"user {user_id} was changed {ROUNDS_MAX} times meanwhile")

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


def _bot_changed(user: User) -> Draft:
    payload: Json = {"type": "bot_changed", "bot": slack.bot(user_model(user))}
    return Draft(event_pb2.EVENT_KIND_WORKSPACE, lambda _: dict(payload))
