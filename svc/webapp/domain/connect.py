"""Where a client connects its socket: a gateway, a ticket for it, and a URL that works the way the client came in."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from discovery.view import Instance
from svc.kit.clock import Clock
from svc.kit.tokens import Signer
from svc.shapes.vouching import Vouched
from svc.shapes.ways import HOST, Way, has_door
from svc.webapp.commit.revoke_step import TOKEN_PREFIX_BYTES
from svc.webapp.domain.origin import Origin
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused

__all__ = ["TICKET", "TICKET_TTL_S", "ConnectSettings", "Connector", "Origin", "token_claims"]

TICKET_TTL_S = 30.0
"""Slack's: a client connects at once or asks again. The gateway remembers used tickets for as long."""

TICKET = "ticket"
"""Kind under which tickets are signed; the gateway verifies the same."""


@dataclass(frozen=True, slots=True)
class ConnectSettings:
    """What decides the URLs."""

    zone: str
    own_host: str
    """Host that this webapp advertises."""
    public_url: str = ""
    """`wss://rt.example.org`: what clients connect to instead of what is found, and what is behind it finds the gateway
    by the path, `/ws/<gateway id>/<ticket>`; "" for none."""


class Connector:
    """Gives out socket URLs. `gateways` returns those that are healthy now."""

    def __init__(
        self,
        settings: ConnectSettings,
        gateways: Callable[[], Sequence[Instance]],
        signer: Signer,
        clock: Clock,
        rng: Random,
    ) -> None:
        self._settings = settings
        self._gateways = gateways
        self._signer = signer
        self._clock = clock
        self._rng = rng

    def url(
        self,
        caller: Caller,
        origin: Origin,
        flags: Sequence[str] = (),
        gateway: Instance | None = None,
        vouched: Vouched | None = None,
    ) -> str:
        """Return a WebSocket URL, valid once and for TICKET_TTL_S, to `gateway` or to one that is chosen.

        `vouched`: what is known of the session already. Refused `service_unavailable` without a gateway.
        """
        gateway = gateway or self.choose()
        claims: dict[str, Any] = {"kind": "rtm", "flags": list(flags)}
        if vouched is not None:
            claims["vouched"] = vouched.claim()
        return self._url(caller, origin, gateway, claims)

    def app_url(self, caller: Caller, origin: Origin) -> str:
        """Return a Socket Mode URL for an app, as `url` does for a session."""
        return self._url(caller, origin, self.choose(), {"kind": "socket_mode", "app": caller.app_id})

    def _url(self, caller: Caller, origin: Origin, gateway: Instance, claims: dict[str, Any]) -> str:
        claims |= {
            "jti": secrets.token_urlsafe(12),
            "team": caller.team_id,
            "user": caller.user_id,
            "bot": caller.bot_id,
            "gateway": gateway.id,
        }
        way = self._way(origin)
        claims |= token_claims(caller) | {"way": way.claim()}
        ticket = self._signer.sign(TICKET, claims, TICKET_TTL_S, self._clock.wall_us() / 1_000_000)
        return way.door(gateway.id, gateway.address, gateway.meta) + ticket

    def choose(self, avoid: Sequence[str] = ()) -> Instance:
        """Choose at random in our own zone, elsewhere only when it has none: equal shares without asking for loads.

        `avoid`: ids of gateways that the client found dead, which it knows a second before Consul does. They are taken
        when there is no other.
        """
        found = [gateway for gateway in self._gateways() if has_door(gateway.meta)]
        usable = [gateway for gateway in found if gateway.id not in avoid] or found
        near = [gateway for gateway in usable if gateway.zone == self._settings.zone]
        if not usable:
            raise Refused("service_unavailable")
        return self._rng.choice(near or usable)

    def sources(self, origin: Origin) -> list[str]:
        """Return where the sockets of a client go that came so, as sources of a Content-Security-Policy.

        At any port of a host, because gateways come and go there; only what stands before all of them keeps its own.
        """
        gateways = [gateway for gateway in self._gateways() if has_door(gateway.meta)]
        way = self._way(origin)
        found = {_source(way.front(each.meta)) or _source(way.own(each.address, each.meta), ":*") for each in gateways}
        # Before any gateway is known: where one is most likely to be.
        own = f"{'wss' if origin.is_secure else 'ws'}://{origin.host}"
        return sorted(found or {_source(self._settings.public_url) or _source(own, ":*")})

    def _way(self, origin: Origin) -> Way:
        settings = self._settings
        # It goes into tickets, which go into URLs: nothing that is no name of a host.
        host = origin.host if HOST.fullmatch(origin.host) else ""
        return Way(settings.own_host, settings.public_url, host, origin.is_secure, origin.is_forwarded)


def _source(address: str, port: str = "") -> str:
    """Return a socket's address as a source; `port` instead of its own. "" for "".

    Policies know no IPv6 addresses: for one of these the scheme stands for all that is there.
    """
    scheme, _, rest = address.partition("://")
    found = HOST.fullmatch(rest.partition("/")[0])
    if not address or found is None or found["name"].startswith("["):
        return f"{scheme}:" if address else ""
    return f"{scheme}://{found['name']}{port or (':' + found['port'] if found['port'] else '')}"


def token_claims(caller: Caller) -> dict[str, Any]:
    """Return what a ticket says of the token that it is given for: `tok`, the first 16 bytes of its hash as base64url,
    and `ends`, when it ends by itself (unix seconds). With them a session ends when its token does.
    """
    claims: dict[str, Any] = {}
    if caller.token_hash:
        claims["tok"] = base64.urlsafe_b64encode(caller.token_hash[:TOKEN_PREFIX_BYTES]).decode()
    if caller.token_ends_s:
        claims["ends"] = caller.token_ends_s
    return claims
