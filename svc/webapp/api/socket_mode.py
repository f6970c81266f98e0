"""apps.connections.open: the way to a Socket Mode connection."""

from __future__ import annotations

from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority
from svc.webapp.store.rows import TokenKind


async def open_connection(call: Call) -> Answer:
    """Give a WebSocket URL that works once, within 30 s, for the app whose token calls.

    Refused `invalid_auth` when the app is gone, `socket_mode_disabled` when it wants none: clients must not go on
    asking for what they are sent away from.
    """
    caller = call.caller
    app = await call.services.apps.directory.app(caller.team_id, caller.app_id)
    if app is None:
        raise Refused("invalid_auth")
    if not app.is_socket_mode:
        raise Refused("socket_mode_disabled")
    return {"url": call.services.connector.app_url(caller, call.origin)}


METHODS = (
    Method(
        "apps.connections.open",
        open_connection,
        tokens=frozenset({TokenKind.APP}),
        scopes=("connections:write",),
        tier=Tier.T1,
        reads_as=Priority.BOOT,
    ),
)
