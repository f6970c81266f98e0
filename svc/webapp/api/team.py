"""team.*: the workspace."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.domain import shapes
from svc.webapp.domain.refusal import Refused


async def info(call: Call) -> Answer:
    """Describe the caller's workspace; another one is `team_not_found`."""
    team_id = call.args.text("team") or call.caller.team_id
    team = await call.services.lookups.team(team_id) if team_id == call.caller.team_id else None
    if team is None:
        raise Refused("team_not_found")
    return {"team": shapes.team(team)}


METHODS = (Method("team.info", info, (Arg("team"),)),)
