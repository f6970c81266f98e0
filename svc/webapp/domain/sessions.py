"""Who a token speaks for."""

from __future__ import annotations

from svc.kit.tokens import token_hash, token_ids
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.caller import Caller
from svc.webapp.domain.refusal import Refused


class Sessions:
    """Turns tokens into callers."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    async def authenticate(self, token: str) -> Caller:
        """Return whom `token` speaks for.

        Refused `not_authed` (none given), `invalid_auth` (not one of ours), `token_revoked`. Raises UnavailableError
        when MySQL does not answer: clients give up for good on invalid_auth, so an outage must never look like one.
        """
        if not token:
            raise Refused("not_authed")
        ids = token_ids(token)
        if ids is None:
            raise Refused("invalid_auth")
        team_id, user_id = ids
        record = await self._lookups.token(user_id, token_hash(token))
        if record is None or record.team_id != team_id or record.user_id != user_id:
            raise Refused("invalid_auth")
        if record.revoked_s:
            raise Refused("token_revoked")
        return Caller(team_id, user_id, record.kind, record.bot_id, record.app_id, record.scopes)
