"""auth.*: who a token speaks for."""

from __future__ import annotations

from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.domain.refusal import Refused


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


METHODS = (Method("auth.test", test),)
