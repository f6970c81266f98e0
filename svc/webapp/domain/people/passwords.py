"""Signing in with a password, and other passwords.

Whoever does not get in is told nothing else: an unknown name, a wrong password, a user without one and one who left are
refused alike, after the same work. Whoever changes a password ends the sessions of all other browsers.
"""

from __future__ import annotations

import unicodedata

from svc.kit.clock import Clock
from svc.kit.errors import UnavailableError
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import PutPassword, Revoke, Write
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.hashing import CHARS_MAX, CHARS_MIN, Hasher
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind, User
from svc.webapp.store.sign_ins import Password
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["Passwords"]


class Passwords:
    """Methods raise Refused; UnavailableError when MySQL does not answer, ResourceExhaustedError when too many try."""

    def __init__(
        self, workspaces: WorkspaceStore, users: UserStore, writes: Writes, hasher: Hasher, clock: Clock
    ) -> None:
        self._workspaces = workspaces
        self._users = users
        self._writes = writes
        self._hasher = hasher
        self._clock = clock

    def check(self, password: str) -> None:
        """Refused `password_too_short`, `password_too_long` for what cannot be a new password."""
        if len(password) < CHARS_MIN:
            raise Refused("password_too_short", {"characters": CHARS_MIN})
        if len(password) > CHARS_MAX:
            raise Refused("password_too_long", {"characters": CHARS_MAX})

    async def hashed(self, password: str) -> str:
        """Return the hash of a new password. Refused as `check` says."""
        self.check(password)
        return await self._hasher.hash(_normal(password))

    async def signing_in(self, team_id: str, login: str, password: str) -> User:
        """Return who signs in to a workspace ("": to one that is not there). Refused `invalid_login`.

        `login`: a handle or an address.
        """
        user = await self._named(team_id, login)
        known = await self._workspaces.sign_ins.password(team_id, user.id if user is not None else "")
        is_right = await self._is_right(known, password)
        if user is None or user.deleted or user.is_bot or not is_right:
            raise Refused("invalid_login")
        return user

    async def change(self, caller: Caller, old: str, new: str) -> None:
        """Let the caller sign in with another password from now on. Refused `invalid_password`, and as `hashed` says.

        Other browsers are signed out.
        """
        known = await self._workspaces.sign_ins.password(caller.team_id, caller.user_id)
        if not await self._is_right(known, old):
            raise Refused("invalid_password")
        await self._put(caller.team_id, caller.user_id, await self.hashed(new), keep=caller.token_hash)

    async def set(self, user: User, password: str) -> None:
        """Let a user sign in with this password, whoever asks; browsers are signed out. Refused as `hashed` says."""
        await self._put(user.team_id, user.id, await self.hashed(password))

    async def _named(self, team_id: str, login: str) -> User | None:
        if "@" not in login.removeprefix("@"):
            return await self._workspaces.user_by_name(team_id, login.removeprefix("@").lower())
        # Most addresses are stored in lower case, and it is how people mean them.
        found = await self._workspaces.user_by_email(team_id, login.lower())
        return found or await self._workspaces.user_by_email(team_id, login)

    async def _is_right(self, known: Password | None, password: str) -> bool:
        """Tell whether a password is that of the row, which is brought up to date."""
        # Nobody has one that is longer, and nobody is kept waiting for it.
        password = _normal(password) if len(password) <= CHARS_MAX else ""
        is_right = await self._hasher.matches(known.hash if known is not None else "", password)
        if is_right and known is not None and self._hasher.is_outdated(known.hash):
            await self._workspaces.sign_ins.rehash(known, await self._hasher.hash(password))
        return is_right

    async def _put(self, team_id: str, user_id: str, hashed: str, keep: bytes = b"") -> None:
        now_s = self._clock.wall_us() // 1_000_000
        webs = [token for token in await self._users.tokens(user_id) if token.kind is TokenKind.WEB]
        others = tuple(token.token_hash.hex() for token in webs if token.token_hash != keep and not token.revoked_s)
        password = PutPassword(team_id, user_id, hashed, now_s)
        effects = (password, Revoke(user_id, others)) if others else (password,)
        await self._writes.commit(Write(user_id, effects=effects))
        now = await self._workspaces.sign_ins.password(team_id, user_id)
        if now is None or now.hash != hashed:
            raise UnavailableError("the password could not be changed just now")


def _normal(password: str) -> str:
    """Return a password as it is hashed: the same, whichever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password)
