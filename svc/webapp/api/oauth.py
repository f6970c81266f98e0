"""oauth.*: codes become tokens. Codes come from a person's consent, from `apps.install` and `parley app install`."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.apps.installing import Grant
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
    """Change a code for a bot's token, for one of the person who consented, or for both."""
    grant, team = await _granted(call)
    person: Answer = {"id": grant.installer_id}
    if grant.user_token:
        person |= {"scope": grant.user_scopes, "access_token": grant.user_token, "token_type": "user"}
    answer: Answer = {
        "app_id": grant.app.id,
        "authed_user": person,
        "team": {"id": team.id, "name": team.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if grant.token:
        answer |= {
            "access_token": grant.token,
            "token_type": "bot",
            "scope": grant.scopes,
            "bot_user_id": grant.app.user_id,
        }
    return answer


async def access_v1(call: Call) -> Answer:
    """Do the same, and answer as the first version does: the person's token first, and the bot's beside it."""
    grant, team = await _granted(call)
    answer: Answer = {
        "access_token": grant.user_token or grant.token,
        "scope": grant.user_scopes or grant.scopes,
        "user_id": grant.installer_id,
        "team_id": team.id,
        "team_name": team.name,
        "enterprise_id": None,
    }
    if grant.token:
        answer["bot"] = {"bot_user_id": grant.app.user_id, "bot_access_token": grant.token}
    return answer


async def _granted(call: Call) -> tuple[Grant, Team]:
    args = call.args
    if args.text("grant_type") not in ("", "authorization_code"):
        raise Refused("invalid_grant_type")
    grant = await call.services.apps.installing.exchange(
        args.text("client_id"), args.text("client_secret"), args.text("code"), args.text("redirect_uri")
    )
    team = await call.services.lookups.team(grant.app.team_id)
    if team is None:
        raise Refused("invalid_code")
    return grant, team


_ENDLESS = "tokens do not end, so none is rotated; incoming-webhook lets nobody choose a channel"

METHODS = (
    Method("oauth.v2.access", access, ARGS, writes=True, is_public=True, tier=Tier.T4, partly=_ENDLESS),
    Method("oauth.access", access_v1, ARGS, writes=True, is_public=True, tier=Tier.T4, partly=_ENDLESS),
)
