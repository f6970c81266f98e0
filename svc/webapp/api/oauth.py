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
    Arg("code"),
    Arg("redirect_uri"),
    Arg("grant_type"),
    Arg("refresh_token"),
)


async def access(call: Call) -> Answer:
    """Change a code for a bot's token, for one of the person who consented, or for both; and for a webhook."""
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
    return answer | _webhook(call, grant)


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
    return answer | _webhook(call, grant)


def _webhook(call: Call, grant: Grant) -> Answer:
    """Return the webhook that was made, if one was; where it posts is also where a person sees to it."""
    if grant.webhook is None:
        return {}
    base_url, channel_id = call.origin.base_url, grant.webhook.made.webhook.channel_id
    shown = {
        "channel": grant.webhook.label,
        "channel_id": channel_id,
        "configuration_url": f"{base_url}client/{channel_id}",
        "url": f"{base_url}{grant.webhook.made.path}",
    }
    return {"incoming_webhook": shown}


async def _granted(call: Call) -> tuple[Grant, Team]:
    args, installing = call.args, call.services.apps.installing
    client_id, client_secret = args.text("client_id"), args.text("client_secret")
    if args.text("grant_type") == "refresh_token":
        # Tokens do not end unless an app opts in at Slack; here none can.
        await installing.authenticated(client_id, client_secret)
        raise Refused("token_rotation_not_enabled")
    if args.text("grant_type") not in ("", "authorization_code"):
        raise Refused("invalid_grant_type")
    grant = await installing.exchange(client_id, client_secret, args.text("code"), args.text("redirect_uri"))
    team = await call.services.lookups.team(grant.app.team_id)
    if team is None:
        raise Refused("invalid_code")
    return grant, team


METHODS = (
    Method("oauth.v2.access", access, ARGS, writes=True, is_public=True, tier=Tier.T4),
    Method("oauth.access", access_v1, ARGS, writes=True, is_public=True, tier=Tier.T4),
)
