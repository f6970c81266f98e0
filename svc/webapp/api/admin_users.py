"""admin.users.*, users.admin.*: who is a member of the workspace. For admins and owners."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused


async def remove(call: Call) -> Answer:
    """Deactivate a user of the caller's workspace."""
    if call.args.text("team_id") not in ("", call.caller.team_id):
        raise Refused("team_not_found")
    await call.services.people.deactivate(call.caller, call.args.text("user_id"))
    return {}


async def invite(call: Call) -> Answer:
    """Ask somebody to join the caller's workspace: `url` is for them alone, and nobody sends it for us.

    Refused also for guests, of whom there are none.
    """
    if call.args.text("team_id") not in ("", call.caller.team_id):
        raise Refused("team_not_found")
    if any(call.args.text(name) not in ("", "0", "false") for name in _OF_GUESTS):
        message = "[ERROR] there are no guests: everybody who joins is a member"
        raise Refused("feature_not_enabled", {"response_metadata": {"messages": [message]}})
    code = await call.services.invitations.invite(
        call.caller,
        call.args.text("email"),
        call.args.text("real_name"),
        call.args.names("channel_ids"),
        is_again=call.args.flag("resend"),
    )
    return {"url": f"{call.origin.base_url}join/{code}"}


async def set_inactive(call: Call) -> Answer:
    """Deactivate a user: it is shown as deleted, and none of its tokens opens anything any more."""
    await call.services.people.deactivate(call.caller, call.args.text("user"))
    return {}


_OF_GUESTS = ("is_restricted", "is_ultra_restricted", "guest_expiration_ts")
_OF_MAILS = ("custom_message", "email_password_policy_enabled")

METHODS = (
    Method(
        "admin.users.invite",
        invite,
        (
            Arg("team_id"),
            Arg("email", required=True, missing="invalid_email", invalid="invalid_email"),
            Arg("channel_ids", Kind.LIST),
            Arg("real_name"),
            Arg("resend", Kind.FLAG),
            *map(Arg, (*_OF_GUESTS, *_OF_MAILS)),
        ),
        writes=True,
        scopes=("admin.users:write",),
        tier=Tier.T2,
        partly="no mail is sent: `url` in the answer is the link to give to who is asked; there are no guests",
    ),
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
