"""The workspace keyspace: what people sign in with, and who was asked to join."""

from __future__ import annotations

from dataclasses import dataclass

from svc.webapp.store.decode import columns, decode, decode_all, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.sql import insert_rows, upsert_newer

__all__ = ["CLAIM_S", "Invitation", "Password", "SignInStore"]

CLAIM_S = 60
"""How long a claim keeps others from an invitation: several times what a request may take."""
KEPT_S = 30 * 86_400
"""How long an invitation that is over is remembered."""
_OLD_MAX = 50
"""Of those that are forgotten with each new one: more than come, and little work."""


@dataclass(frozen=True, slots=True)
class Password:
    """What one user signs in with."""

    team_id: str
    user_id: str
    hash: str
    """Argon2's own form, which has its parameters and salt."""
    changed_s: int = 0
    revision_us: int = 0
    """Which write made this version; a lower one never replaces a higher one."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody was asked to join. Whoever knows its code may, once; only the code's hash is known here."""

    team_id: str
    code_hash: bytes
    email: str
    """Lower case."""
    real_name: str
    inviter_id: str
    """"" when the operator asked."""
    channel_ids: str
    """Comma-separated; which to be put into beside the general one. At most 100."""
    created_s: int
    until_s: int
    revoked_s: int = 0
    user_id: str = ""
    """Who is being made of it, since `claimed_s`; "" for nobody."""
    claimed_s: int = 0
    used_s: int = 0
    """When `user_id` had been made; 0 until then."""


class SignInStore:
    """Reads and writes of both. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the workspace keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("workspace")
    async def password(self, team_id: str, user_id: str) -> Password | None:
        """Return what a user signs in with."""
        rows = await self._db.rows(
            f"SELECT {columns(Password)} FROM passwords WHERE team_id = %s AND user_id = %s", (team_id, user_id)
        )
        return decode(Password, rows[0]) if rows else None

    @query("workspace")
    async def put_password(self, password: Password) -> None:
        """Insert a password or replace it, unless one of a higher `revision_us` is there. Idempotent."""
        await self._db.execute(*upsert_newer("passwords", Password, [encode(password)]))

    @query("workspace")
    async def rehash(self, password: Password, fresh: str) -> None:
        """Replace the hash of a password by another of the same one, unless it was changed meanwhile."""
        await self._db.execute(
            "UPDATE passwords SET hash = %s WHERE team_id = %s AND user_id = %s AND hash = %s",
            (fresh, password.team_id, password.user_id, password.hash),
        )

    @query("workspace")
    async def add_invitation(self, invitation: Invitation) -> None:
        """Insert an invitation, and forget some that have been over for long."""
        await self._db.execute(
            f"DELETE FROM invitations WHERE team_id = %s AND until_s < %s ORDER BY until_s LIMIT {_OLD_MAX}",
            (invitation.team_id, invitation.created_s - KEPT_S),
        )
        await self._db.execute(*insert_rows("invitations", columns(Invitation), [encode(invitation)]))

    @query("workspace")
    async def invitation(self, team_id: str, code_hash: bytes) -> Invitation | None:
        """Return an invitation, whatever became of it."""
        rows = await self._db.rows(
            f"SELECT {columns(Invitation)} FROM invitations WHERE team_id = %s AND code_hash = %s", (team_id, code_hash)
        )
        return decode(Invitation, rows[0]) if rows else None

    @query("workspace")
    async def open_invitations(self, team_id: str, now_s: int, email: str = "", limit: int = 100) -> list[Invitation]:
        """Return invitations that may still be used, of all or of one address, those that end first before others."""
        only, args = (" AND email = %s", (email,)) if email else ("", ())
        rows = await self._db.rows(
            f"SELECT {columns(Invitation)} FROM invitations WHERE team_id = %s AND until_s > %s AND revoked_s = 0"
            f" AND used_s = 0{only} ORDER BY until_s LIMIT %s",
            (team_id, now_s, *args, limit),
        )
        return decode_all(Invitation, rows)

    @query("workspace")
    async def revoke_invitation(self, team_id: str, code_hash: bytes, now_s: int) -> bool:
        """Let an invitation be used no longer; False when it could not be used any more."""
        changed = await self._db.execute(
            "UPDATE invitations SET revoked_s = %s WHERE team_id = %s AND code_hash = %s AND revoked_s = 0"
            " AND used_s = 0",
            (now_s, team_id, code_hash),
        )
        return changed == 1

    @query("workspace")
    async def claim(self, found: Invitation, user_id: str, now_s: int) -> bool:
        """Take an invitation, as it was found, for a user who is about to be made; False when somebody else has it.

        Whoever has it leaves it with `complete` or `release`, or has it for CLAIM_S.
        """
        changed = await self._db.execute(
            "UPDATE invitations SET user_id = %s, claimed_s = %s WHERE team_id = %s AND code_hash = %s"
            " AND revoked_s = 0 AND used_s = 0 AND until_s > %s AND user_id = %s AND (user_id = '' OR claimed_s < %s)",
            (user_id, now_s, found.team_id, found.code_hash, now_s, found.user_id, now_s - CLAIM_S),
        )
        return changed == 1

    @query("workspace")
    async def complete(self, found: Invitation, user_id: str, now_s: int) -> None:
        """Note that the user who was made of an invitation is there. Idempotent."""
        await self._db.execute(
            "UPDATE invitations SET used_s = %s WHERE team_id = %s AND code_hash = %s AND user_id = %s AND used_s = 0",
            (now_s, found.team_id, found.code_hash, user_id),
        )

    @query("workspace")
    async def release(self, found: Invitation, user_id: str) -> None:
        """Give a claim back: the user could not be made."""
        await self._db.execute(
            "UPDATE invitations SET user_id = '', claimed_s = 0 WHERE team_id = %s AND code_hash = %s AND user_id = %s"
            " AND used_s = 0",
            (found.team_id, found.code_hash, user_id),
        )
