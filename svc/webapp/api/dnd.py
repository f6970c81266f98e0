"""dnd.*: when somebody is not to be disturbed."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.api.users import known_user
from svc.webapp.domain.refusal import Refused

USERS_MAX = 50
"""Whose states are told at once; Slack's limit."""
READ, WRITE = ("dnd:read",), ("dnd:write",)


async def info(call: Call) -> Answer:
    """Say when a user is not to be disturbed; of oneself also how long one snoozes."""
    user = await known_user(call, call.args.text("user") or call.caller.user_id)
    return await call.services.dnd.status(call.caller, user)


async def team_info(call: Call) -> Answer:
    """Say it of several users, as others see it; unknown ones are left out."""
    user_ids = call.args.names("users")
    if len(user_ids) > USERS_MAX:
        raise Refused("too_many_users")
    found = await call.services.lookups.users(call.caller.team_id, user_ids)
    return {"users": await call.services.dnd.statuses(list(found.values()))}


async def set_snooze(call: Call) -> Answer:
    """Snooze for some minutes from now on."""
    return await call.services.dnd.snooze(call.caller, call.args.number("num_minutes"))


async def end_snooze(call: Call) -> Answer:
    """Snooze no longer."""
    return await call.services.dnd.end_snooze(call.caller)


async def end_dnd(call: Call) -> Answer:
    """End the session of the day that runs."""
    await call.services.dnd.end(call.caller)
    return {}


METHODS = (
    Method("dnd.info", info, (Arg("user"),), scopes=READ, tier=Tier.T3),
    Method(
        "dnd.teamInfo",
        team_info,
        (Arg("users", Kind.LIST, required=True, missing="users_list_not_supplied"),),
        scopes=READ,
        tier=Tier.T2,
    ),
    Method(
        "dnd.setSnooze",
        set_snooze,
        (Arg("num_minutes", Kind.NUMBER, required=True, missing="missing_duration", invalid="snooze_failed"),),
        writes=True,
        scopes=WRITE,
        tier=Tier.T2,
    ),
    Method("dnd.endSnooze", end_snooze, writes=True, scopes=WRITE, tier=Tier.T2),
    Method("dnd.endDnd", end_dnd, writes=True, scopes=WRITE, tier=Tier.T2),
)
