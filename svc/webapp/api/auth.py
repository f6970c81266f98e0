"""auth.*: who a token speaks for."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind


async def test(call: Call) -> Answer:
    """Say whom the token speaks for.

    `bot_id` is there for people too, empty: slack_sdk's rtm_v2 drops every event whose bot_id is its own, and takes a
    missing one for None, which is what all messages of people have.
    """
    caller = call.caller
    team = await call.services.lookups.team(caller.team_id)
    user = await call.services.lookups.user(caller.team_id, caller.user_id)
    if team is None or user is None:
        raise Refused("invalid_auth")
    if user.deleted:
        raise Refused("account_inactive")
    return {
        "url": call.origin.base_url,
        "team": team.name,
        "user": user.name,
        "team_id": team.id,
        "user_id": user.id,
        "bot_id": caller.bot_id,
        "is_enterprise_install": False,
    }


async def revoke(call: Call) -> Answer:
    """Revoke the token that is shown, and end what it opened; with `test` nothing happens."""
    if call.args.flag("test"):
        return {"revoked": False}
    return {"revoked": await call.services.accounts.revoke(call.caller.user_id, call.caller.token_hash)}


async def teams(call: Call) -> Answer:
    """List the workspaces that the token is good for: its own."""
    team = await call.services.lookups.team(call.caller.team_id)
    shown = [{"id": team.id, "name": team.name}] if team is not None else []
    return {"teams": shown, "response_metadata": {"next_cursor": ""}}


METHODS = (
    Method("auth.test", test, tier=Tier.SPECIAL),
    Method("auth.revoke", revoke, (Arg("test", Kind.FLAG),), writes=True, tokens=frozenset(TokenKind)),
    Method("auth.teams.list", teams, tier=Tier.T2),
)
