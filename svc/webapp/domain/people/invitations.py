"""Asking people to join, and their joining: a code that is good once, for some days, for whoever has it.

Of two who use a code at once, one has it. It is claimed for a user before that user is made, so a crash in between
keeps it from others for a minute, and gives it to nobody twice.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from svc.kit.clock import Clock
from svc.kit.ids import IdMint, id_from_number, id_number
from svc.webapp.domain.conversations.conversations import Conversations
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.people import profile
from svc.webapp.domain.people.accounts import Accounts
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.passwords import Passwords
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ConversationKind, User
from svc.webapp.store.sign_ins import Invitation
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["CHANNELS_MAX", "INVITATION_S", "Invitations", "Joining"]

INVITATION_S = 7 * 86_400
CHANNELS_MAX = 100
"""Conversations that one invitation is for."""
_CODE = re.compile(r"(\d{1,17})-[0-9a-f]{32}", re.ASCII)
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}", re.ASCII)
_NOT_NAMES = frozenset({"channel", "everyone", "here", "slackbot"})


@dataclass(frozen=True, slots=True)
class Joining:
    """What somebody says who joins."""

    name: str
    """The handle."""
    real_name: str
    """"" for the handle."""
    password: str


class Invitations:
    """Methods raise Refused; UnavailableError when MySQL does not answer, ResourceExhaustedError when too many try."""

    def __init__(
        self,
        workspaces: WorkspaceStore,
        channels: ChannelStore,
        directory: Directory,
        conversations: Conversations,
        accounts: Accounts,
        passwords: Passwords,
        clock: Clock,
        mint: IdMint,
        lives_s: int = INVITATION_S,
    ) -> None:
        """`lives_s`: how long an invitation is good for."""
        self._workspaces = workspaces
        self._store = workspaces.sign_ins
        self._channels = channels
        self._directory = directory
        self._conversations = conversations
        self._accounts = accounts
        self._passwords = passwords
        self._clock = clock
        self._mint = mint
        self._lives_s = lives_s

    async def invite(
        self, caller: Caller, email: str, real_name: str, channel_ids: Sequence[str], *, is_again: bool
    ) -> str:
        """Ask somebody to join, for an admin; return the code, which is seen this once.

        `is_again`: an invitation that there is already is replaced. Refused `not_an_admin`,
        `already_in_team_invited_user`, `failed_to_validate_channels`, and as `ask` says.
        """
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        if user is None or user.deleted or not (user.is_admin or user.is_owner):
            raise Refused("not_an_admin")
        if len(channel_ids) > CHANNELS_MAX:
            raise Refused("failed_to_validate_channels")
        for channel_id in channel_ids:
            await self._check_channel(caller, channel_id)
        return await self.ask(caller.team_id, email, real_name, caller.user_id, channel_ids, is_again=is_again)

    async def ask(
        self,
        team_id: str,
        email: str,
        real_name: str = "",
        inviter_id: str = "",
        channel_ids: Sequence[str] = (),
        *,
        is_again: bool = True,
    ) -> str:
        """Ask somebody to join, whoever asks for it; as `invite` does.

        Refused `invalid_email`, `already_in_team`, `user_disabled`, `invalid_profile`, `too_long`.
        """
        email, real_name = _described(email, real_name)
        known = await self._workspaces.user_by_email(team_id, email)
        if known is not None:
            raise Refused("user_disabled" if known.deleted else "already_in_team")
        now_s = self._now_s()
        for former in await self._store.open_invitations(team_id, now_s, email):
            if not is_again:
                raise Refused("already_in_team_invited_user")
            await self._store.revoke_invitation(team_id, former.code_hash, now_s)
        code = f"{id_number(team_id)}-{secrets.token_hex(16)}"
        until_s = now_s + self._lives_s
        row = Invitation(team_id, _hash(code), email, real_name, inviter_id, ",".join(channel_ids), now_s, until_s)
        await self._store.add_invitation(row)
        return code

    async def withdraw(self, team_id: str, email: str) -> int:
        """Let nobody join by the invitations of an address; return how many there were."""
        now_s, found = self._now_s(), await self.open(team_id, email.strip().lower())
        revoked = [await self._store.revoke_invitation(team_id, each.code_hash, now_s) for each in found]
        return sum(revoked)

    async def open(self, team_id: str, email: str = "") -> list[Invitation]:
        """Return invitations that may still be used, of all or of one address."""
        return await self._store.open_invitations(team_id, self._now_s(), email)

    async def look(self, code: str) -> Invitation:
        """Return what a code is an invitation to.

        Refused `invitation_not_found`, `invitation_used`, `invitation_revoked`, `invitation_expired`.
        """
        named = _CODE.fullmatch(code)
        try:
            team_id = id_from_number("T", int(named[1])) if named else ""
        except ValueError:
            team_id = ""
        found = await self._store.invitation(team_id, _hash(code)) if team_id else None
        if found is None:
            raise Refused("invitation_not_found")
        if found.used_s:
            raise Refused("invitation_used")
        if found.revoked_s:
            raise Refused("invitation_revoked")
        if found.until_s <= self._now_s():
            raise Refused("invitation_expired")
        return found

    async def join(self, code: str, joining: Joining) -> User:
        """Make the user whom a code is for, and return it.

        Refused as `look` says, `invalid_name`, `name_taken`, `email_taken`, and as `Passwords.check` says.
        """
        found = await self.look(code)
        name, shown = joining.name.removeprefix("@").lower(), joining.real_name or joining.name
        if not _HANDLE.fullmatch(name) or name in _NOT_NAMES:
            raise Refused("invalid_name")
        wanted = User("", found.team_id, name, display_name=name, email=found.email)
        wanted = profile.changed(wanted, {"real_name": shown})
        if await self._workspaces.user_by_name(found.team_id, name) is not None:
            raise Refused("name_taken")
        self._passwords.check(joining.password)
        return await self._made(found, wanted, joining.password)

    async def _made(self, found: Invitation, wanted: User, password: str) -> User:
        if found.user_id and await self._workspaces.user(found.team_id, found.user_id) is not None:
            # Whoever made that user died before it could say so.
            await self._store.complete(found, found.user_id, self._now_s())
            raise Refused("invitation_used")
        user_id = self._mint.mint("U")
        if not await self._store.claim(found, user_id, self._now_s()):
            raise Refused("invitation_used")
        try:
            # Not before the claim: of a crowd with one code, one is worth this work.
            hashed = await self._passwords.hashed(password)
        except BaseException:
            await self._store.release(found, user_id)
            raise
        try:
            made = await self._accounts.newcomer(replace(wanted, id=user_id), hashed)
        except Refused:
            await self._store.release(found, user_id)
            raise
        await self._store.complete(found, user_id, self._now_s())
        await self._admit(made, found.channel_ids.split(",") if found.channel_ids else ())
        return made

    async def _admit(self, user: User, channel_ids: Sequence[str]) -> None:
        for conversation in (await self._channels.conversations(channel_ids)).values() if channel_ids else ():
            with suppress(Refused):  # it was archived meanwhile
                await self._conversations.admit(conversation, user.id)

    async def _check_channel(self, caller: Caller, channel_id: str) -> None:
        try:
            sight = await self._directory.see(caller, channel_id)
        except Refused:
            raise Refused("failed_to_validate_channels") from None
        kind = sight.conversation.kind
        if kind not in (ConversationKind.PUBLIC, ConversationKind.PRIVATE) or sight.conversation.is_archived:
            raise Refused("failed_to_validate_channels")

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


def _described(email: str, real_name: str) -> tuple[str, str]:
    """Return an address and a name as they are stored. Refused `invalid_email`, and as `profile.changed` says."""
    nobody = User("", "", "nobody")
    email = email.strip().lower()
    if not email:
        raise Refused("invalid_email")
    try:
        email = profile.changed(nobody, {"email": email}).email
    except Refused:
        raise Refused("invalid_email") from None
    return email, profile.changed(nobody, {"real_name": real_name}).real_name if real_name.strip() else ""


def _hash(code: str) -> bytes:
    """Return what a code is stored as: 128 random bits need no salt."""
    return hashlib.sha256(code.encode()).digest()
