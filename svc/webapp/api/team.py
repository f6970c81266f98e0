"""team.*: the workspace."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain import shapes
from svc.webapp.domain.refusal import Refused


async def info(call: Call) -> Answer:
    """Describe the caller's workspace; another one is `team_not_found`."""
    team_id = call.args.text("team") or call.caller.team_id
    domain = call.args.text("domain")
    team = await call.services.lookups.team(team_id) if team_id == call.caller.team_id else None
    if team is None or domain not in ("", team.domain):
        raise Refused("team_not_found")
    return {"team": shapes.team(team) | {"url": call.origin.base_url}}


async def profile(call: Call) -> Answer:
    """Say which further fields profiles have: none is prescribed."""
    return {"profile": {"fields": [], "sections": []}}


METHODS = (
    Method(
        "team.info",
        info,
        (Arg("team"), Arg("domain")),
        scopes=("team:read",),
        tier=Tier.T3,
    ),
    Method(
        "team.profile.get",
        profile,
        scopes=("users.profile:read",),
        tier=Tier.T3,
        partly="a workspace prescribes no fields; profiles take any",
    ),
)
