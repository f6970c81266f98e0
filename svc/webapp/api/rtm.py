"""rtm.*: the way to a socket."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority

_FLAGS = ("batch_presence_aware", "presence_sub", "resume_aware", "resume", "reconnect")
"""What a client asks of its socket; the ticket tells the gateway. The last three are ours, see docs/resume.md."""


async def connect(call: Call) -> Answer:
    """Give a WebSocket URL that works once, within 30 s, with who connects to what."""
    caller, services = call.caller, call.services
    user = await services.lookups.user(caller.team_id, caller.user_id)
    team = await services.lookups.team(caller.team_id)
    if user is None or team is None:
        raise Refused("invalid_auth")
    if user.deleted:
        raise Refused("account_inactive")
    flags = [name for name in _FLAGS if call.args.flag(name)]
    gateway = services.connector.choose(call.args.names("avoid"))
    return {
        "url": services.connector.url(caller, call.origin, flags, gateway),
        "host_id": gateway.id,
        "self": {"id": user.id, "name": user.name},
        "team": {"id": team.id, "name": team.name, "domain": team.domain},
    }


_ARGS = (*(Arg(name, Kind.FLAG) for name in _FLAGS), Arg("avoid", Kind.LIST))
METHODS = (Method("rtm.connect", connect, _ARGS, reads_as=Priority.BOOT),)
