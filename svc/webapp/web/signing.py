"""Signing in with a name and a password, and another password."""

from __future__ import annotations

from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Team
from svc.webapp.web.call import Answer, WebCall, signed_in

__all__ = ["change_password", "sign_in"]


async def sign_in(call: WebCall) -> Answer:
    """Begin a session. `team`: a domain, needed where there are several; `login`: a handle or an address.

    Refused `invalid_login`, whatever of the three is wrong; `invalid_arguments`; RateLimited after too many tries.
    """
    domain, login, password = call.text("team"), call.text("login"), call.verbatim("password")
    if not login or not password:
        raise Refused("invalid_arguments", {"argument": "password" if login else "login"})
    await call.services.limits.check_try(f"{domain.lower()}:{login.lower()}", call.address)
    team = _chosen(await call.services.workspaces.teams(), domain)
    user = await call.services.passwords.signing_in(team.id if team is not None else "", login, password)
    try:
        return await signed_in(call, user)
    except Refused:
        raise Refused("invalid_login") from None  # deactivated at this very moment


async def change_password(call: WebCall) -> Answer:
    """Let whoever is signed in sign in by another password, and end the sessions of its other browsers.

    Refused `not_authed`, `invalid_password` (the old one), `password_too_short`, `password_too_long`; RateLimited.
    """
    caller = await call.caller()
    if caller is None:
        raise Refused("not_authed")
    await call.services.limits.check_try(f"{caller.team_id}:{caller.user_id}", call.address)
    await call.services.passwords.change(caller, call.verbatim("old"), call.verbatim("new"))
    return Answer()


def _chosen(teams: list[Team], domain: str) -> Team | None:
    """Return the workspace of this domain, or the only one."""
    if not domain:
        return teams[0] if len(teams) == 1 else None
    return next((team for team in teams if team.domain == domain.lower()), None)
