"""rtm.*: the way to a socket, alone or with the whole model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from svc.shapes.vouching import Vouched
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import INCLUDE_LOCALE, Answer, Call, Method, Tier
from svc.webapp.domain.boot.rate import BootClass
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.domain.shapes import LOCALE
from svc.webapp.priority import Priority

_FLAGS = ("batch_presence_aware", "presence_sub", "lazy_aware", "resume_aware", "resume", "reconnect")
"""What a client asks of its socket; the ticket tells the gateway. The last four are ours, see docs/resume.md."""

COLD = "cold"
"""Flag of a ticket whose client begins from nothing, though its socket resumes from the boot that it has just got."""

SOCKET_ARGS = (*(Arg(name, Kind.FLAG) for name in _FLAGS), Arg("avoid", Kind.LIST))
"""Arguments of whatever gives out the URL of a socket."""

LEFT_OUT = tuple(Arg(name, Kind.FLAG) for name in ("simple_latest", "no_latest", "no_unreads"))
"""What a client does without: Slack's answer has had neither newest messages nor counts of unread ones since 2017, and
ours has none either. conversations.history and the events of conversations.mark tell them."""


class GiveSocket(Protocol):
    """Gives out the URL of a socket."""

    def __call__(self, vouched: Vouched | None = None) -> Answer:
        """`vouched`: what is known of the session already."""
        ...


def socket_of(call: Call, more_flags: Sequence[str] = ()) -> GiveSocket:
    """Choose a gateway for the caller, and return what gives out its URL: works once, within 30 s of that.

    Refused `service_unavailable` when there is none, before anything else is done.
    """
    connector = call.services.connector
    gateway = connector.choose(call.args.names("avoid"))
    flags = [*(name for name in _FLAGS if call.args.flag(name)), *more_flags]

    def give(vouched: Vouched | None = None) -> Answer:
        url = connector.url(call.caller, call.origin, flags, gateway, vouched)
        return {"url": url, "host_id": gateway.id}

    return give


async def connect(call: Call) -> Answer:
    """Give a WebSocket URL that works once, within 30 s, with who connects to what."""
    caller, services = call.caller, call.services
    user = await services.lookups.user(caller.team_id, caller.user_id)
    team = await services.lookups.team(caller.team_id)
    if user is None or team is None:
        raise Refused("invalid_auth")
    if user.deleted:
        raise Refused("account_inactive")
    return {
        **socket_of(call)(),
        "self": {"id": user.id, "name": user.name},
        "team": {"id": team.id, "name": team.name, "domain": team.domain},
    }


async def start(call: Call) -> Answer:
    """Give a WebSocket URL, and the whole model: everybody, and every conversation that the caller can see."""
    with call.services.boot_gate.booting(BootClass.COLD):
        socket = socket_of(call)
        answer = await call.services.full_boots.start(
            call.caller,
            is_mpim_aware=call.args.flag("mpim_aware"),
            locale=LOCALE if call.args.flag("include_locale") else "",
        )
        return {**socket(), **answer}


def _precheck_start(services: Services, raw: Mapping[str, object]) -> None:
    services.boot_gate.check(BootClass.COLD)


METHODS = (
    Method("rtm.connect", connect, SOCKET_ARGS, reads_as=Priority.BOOT, tier=Tier.T1, scopes=("rtm:stream",)),
    Method(
        "rtm.start",
        start,
        (*SOCKET_ARGS, *LEFT_OUT, Arg("mpim_aware", Kind.FLAG), INCLUDE_LOCALE),
        precheck=_precheck_start,
        reads_as=Priority.BOOT,
        tier=Tier.T1,
        scopes=("rtm:stream",),
    ),
)
