"""auth.*: who a token speaks for."""

from __future__ import annotations

from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.domain.refusal import Refused


async def test(call: Call) -> Answer:
    """Say whom the token speaks for. Bots must find their bot_id here: rtm_v2 tells its own messages by it."""
    caller = call.caller
    team = await call.services.workspaces.team(caller.team_id)
    user = await call.services.lookups.user(caller.team_id, caller.user_id)
    if team is None or user is None:
        raise Refused("invalid_auth")
    if user.deleted:
        raise Refused("account_inactive")
    answer: Answer = {
        "url": call.origin.base_url,
        "team": team.name,
        "user": user.name,
        "team_id": team.id,
        "user_id": user.id,
    }
    if caller.bot_id:
        answer["bot_id"] = caller.bot_id
    answer["is_enterprise_install"] = False
    return answer


METHODS = (Method("auth.test", test),)
