"""Invitations: what a code is for, and joining by it."""

from __future__ import annotations

from svc.webapp.domain.people.invitations import Joining
from svc.webapp.web.call import Answer, WebCall, signed_in

__all__ = ["invitation", "join"]


async def invitation(call: WebCall) -> Answer:
    """Say what a `code` is an invitation to. Refused as `Invitations.look` says; RateLimited."""
    await call.services.limits.check_try("", call.address)
    found = await call.services.invitations.look(call.text("code"))
    team = await call.services.lookups.team(found.team_id)
    inviter = await call.services.lookups.user(found.team_id, found.inviter_id) if found.inviter_id else None
    shown = {
        "team": {"id": team.id, "name": team.name, "domain": team.domain} if team is not None else None,
        "inviter": {"id": inviter.id, "name": inviter.name, "real_name": inviter.real_name} if inviter else None,
        "email": found.email,
        "real_name": found.real_name,
        "expires": found.until_s,
    }
    return Answer(shown)


async def join(call: WebCall) -> Answer:
    """Make the user whom a `code` is for, with `name`, `real_name` and `password`, and begin its session.

    Refused as `Invitations.join` says; RateLimited.
    """
    await call.services.limits.check_try("", call.address)
    joining = Joining(call.text("name"), call.text("real_name"), call.verbatim("password"))
    return await signed_in(call, await call.services.invitations.join(call.text("code"), joining))
