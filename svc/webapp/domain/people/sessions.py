"""Who a token speaks for."""

from __future__ import annotations

from svc.kit.clock import Clock
from svc.kit.tokens import WEB_TOKEN, token_hash, token_ids
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Token, TokenKind


class Sessions:
    """Turns tokens into callers."""

    def __init__(self, lookups: Lookups, clock: Clock) -> None:
        self._lookups = lookups
        self._clock = clock

    async def authenticate(self, token: str, *, by_cookie: bool = False) -> Caller:
        """Return whom `token` speaks for. The tokens of cookies are good `by_cookie`, and nothing else is.

        Refused `not_authed` (none given), `invalid_auth` (not one of ours), `token_revoked`, `token_expired`,
        `account_inactive` (of a user who is a member no longer). Raises UnavailableError when MySQL does not answer:
        clients give up for good on invalid_auth, so an outage must never look like one.
        """
        if not token:
            raise Refused("not_authed")
        ids = token_ids(token) if token.startswith(f"{WEB_TOKEN}-") == by_cookie else None
        if ids is None:
            raise Refused("invalid_auth")
        team_id, user_id = ids
        hashed = token_hash(token)
        record = await self._lookups.token(user_id, hashed)
        if record is None or record.team_id != team_id or record.user_id != user_id:
            raise Refused("invalid_auth")
        await self._check(record)
        kind = TokenKind.USER if record.kind is TokenKind.WEB else record.kind
        return Caller(
            team_id,
            user_id,
            kind,
            record.bot_id,
            record.app_id,
            record.scopes,
            token_hash=hashed,
            token_ends_s=record.expires_s,
        )

    async def check_again(self, caller: Caller) -> None:
        """Refused as `authenticate` says, if the caller's token was revoked since it was shown.

        For whoever vouches for a session that begins at an offset: what was revoked below it would not be told.
        """
        record = await self._lookups.token(caller.user_id, caller.token_hash) if caller.token_hash else None
        if record is not None:
            await self._check(record)

    async def _check(self, record: Token) -> None:
        if record.revoked_s:
            # Deactivating a user revokes its tokens, so nobody else has to be looked at.
            user = await self._lookups.user(record.team_id, record.user_id)
            raise Refused("account_inactive" if user is not None and user.deleted else "token_revoked")
        if 0 < record.expires_s <= self._clock.wall_us() // 1_000_000:
            raise Refused("token_expired")
