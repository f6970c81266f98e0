"""admin.users.*, users.admin.*: who is a member of the workspace. For admins and owners."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused


async def remove(call: Call) -> Answer:
    """Deactivate a user of the caller's workspace."""
    if call.args.text("team_id") not in ("", call.caller.team_id):
        raise Refused("team_not_found")
    await call.services.people.deactivate(call.caller, call.args.text("user_id"))
    return {}


async def set_inactive(call: Call) -> Answer:
    """Deactivate a user: it is shown as deleted, and none of its tokens opens anything any more."""
    await call.services.people.deactivate(call.caller, call.args.text("user"))
    return {}


METHODS = (
    Method(
        "admin.users.remove",
        remove,
        (Arg("team_id"), Arg("user_id", required=True, missing="user_not_found")),
        writes=True,
        scopes=("admin.users:write",),
        tier=Tier.T2,
    ),
    Method(
        "users.admin.setInactive",
        set_inactive,
        (Arg("user", required=True, missing="user_not_found"),),
        writes=True,
        scopes=("admin.users:write", "admin"),
        tier=Tier.T2,
    ),
)
