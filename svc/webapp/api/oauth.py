"""oauth.*: codes become tokens. Codes come from `apps.install` and `parley app install`, not from a page."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.apps.making import Grant
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Team

ARGS = (
    Arg("client_id", required=True, missing="invalid_client_id"),
    Arg("client_secret", required=True, missing="bad_client_secret"),
    Arg("code", required=True, missing="invalid_code"),
    Arg("redirect_uri"),
    Arg("grant_type"),
)


async def access(call: Call) -> Answer:
    """Change a code for a bot's token."""
    grant, team = await _granted(call)
    return {
        "access_token": grant.token,
        "token_type": "bot",
        "scope": grant.scopes,
        "bot_user_id": grant.app.user_id,
        "app_id": grant.app.id,
        "team": {"id": team.id, "name": team.name},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": grant.installer_id},
    }


async def access_v1(call: Call) -> Answer:
    """Do the same, and answer as the first version does."""
    grant, team = await _granted(call)
    return {
        "access_token": grant.token,
        "scope": grant.scopes,
        "user_id": grant.installer_id,
        "team_id": team.id,
        "team_name": team.name,
        "enterprise_id": None,
        "bot": {"bot_user_id": grant.app.user_id, "bot_access_token": grant.token},
    }


async def _granted(call: Call) -> tuple[Grant, Team]:
    args = call.args
    if args.text("grant_type") not in ("", "authorization_code"):
        raise Refused("invalid_grant_type")
    grant = await call.services.apps.making.exchange(
        args.text("client_id"), args.text("client_secret"), args.text("code"), args.text("redirect_uri")
    )
    team = await call.services.lookups.team(grant.app.team_id)
    if team is None:
        raise Refused("invalid_code")
    return grant, team


_NO_USERS = "tokens of people are not given out, nor are tokens rotated"

METHODS = (
    Method("oauth.v2.access", access, ARGS, writes=True, is_public=True, tier=Tier.T4, partly=_NO_USERS),
    Method("oauth.access", access_v1, ARGS, writes=True, is_public=True, tier=Tier.T4, partly=_NO_USERS),
)
