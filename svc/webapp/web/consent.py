"""The page on which a person gives an app what it asks for: `/oauth/v2/authorize`, and `/oauth/authorize` of old.

The address is the app's; the page asks here what it amounts to, shows it, and asks again when the person agrees. Only
our own page can agree (a POST), and the browser is sent nowhere that the app's owner has not named.
"""

from __future__ import annotations

from svc.webapp.domain.apps.installing import Consent
from svc.webapp.domain.apps.redirects import STATE_CHARS_MAX, Asked, with_query
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.web.call import Answer, WebCall

__all__ = ["agree", "look"]


async def look(call: WebCall) -> Answer:
    """Say what an app asks for, and where a browser goes that declines. The arguments are those of the address,
    `version` ("1" for the old one) beside them.

    Refused `not_authed`, and as `Installing.check_consent` says.
    """
    caller = await _caller(call)
    found = await call.services.apps.installing.check_consent(caller, _asked(call))
    team = await call.services.lookups.team(caller.team_id)
    user = await call.services.lookups.user(caller.team_id, caller.user_id)
    shown = {
        "app": {"id": found.app.id, "name": found.app.name},
        "team": {"id": team.id, "name": team.name, "domain": team.domain} if team is not None else None,
        "user": {"id": user.id, "name": user.name} if user is not None else None,
        "scopes": list(found.scopes),
        "user_scopes": list(found.user_scopes),
        "wants_channel": found.wants_channel,
        "goes_to": found.goes_to,
        "declined": with_query(found.goes_to, error="access_denied", state=_state(call)),
    }
    return Answer(shown)


async def agree(call: WebCall) -> Answer:
    """Give the app what it asks for, and return where the browser goes with the code. `channel` is where its webhook
    may post, if it asks for one.

    Refused as `look` says, and as `Installing.consent` does.
    """
    caller, state = await _caller(call), _state(call)
    found: Consent
    found, code = await call.services.apps.installing.consent(caller, _asked(call), call.text("channel"))
    return Answer({"goes_to": with_query(found.goes_to, code=code, state=state)})


async def _caller(call: WebCall) -> Caller:
    caller = await call.caller()
    if caller is None:
        raise Refused("not_authed")
    return caller


def _asked(call: WebCall) -> Asked:
    return Asked(
        client_id=call.text("client_id"),
        scope=call.text("scope"),
        user_scope=call.text("user_scope"),
        redirect_uri=call.text("redirect_uri"),
        is_first_version=call.text("version") == "1",
    )


def _state(call: WebCall) -> str:
    """Return what the app wants back unchanged. Refused `invalid_arguments` when it is too long."""
    state = call.verbatim("state")
    if len(state) > STATE_CHARS_MAX:
        raise Refused("invalid_arguments", {"argument": "state"})
    return state
