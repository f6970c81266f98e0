"""By which URL a client reaches a gateway: as it came to us, so it goes there. Pure.

A webapp knows how a client came, and makes the first URL. A ticket repeats it, so that the gateway can tell its client
of others.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["HOST", "WS_PORT", "WS_TLS", "Way", "has_door"]

HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._\-]{1,253})(?::(?P<port>\d{1,5}))?")
"""A Host header that we repeat to clients."""

WS_PORT = "ws_port"
"""Where a gateway's registration says its WebSocket port."""

WS_TLS = "ws_tls"
"""Where a gateway's registration says, by "1", that this port speaks TLS."""


def has_door(meta: Mapping[str, str]) -> bool:
    """Tell whether a registration says where clients may come in."""
    return meta.get(WS_PORT, "").isdigit()


@dataclass(frozen=True, slots=True)
class Way:
    """How one client came to us."""

    near: str = ""
    """The host that we advertise ourselves: what is at this address, the client knows by `host`."""
    public: str = ""
    """`wss://rt.example.org`, by which all clients go to all gateways; "" for none."""
    host: str = ""
    """The name by which the client knows us, with its port."""
    is_secure: bool = False
    """Whether it speaks TLS, to us or to a proxy before us."""
    is_forwarded: bool = False
    """Whether there is a proxy between us, which is all that it can reach."""

    def door(self, gateway_id: str, address: str, meta: Mapping[str, str]) -> str:
        """Return the URL of a gateway's door, to which a ticket is appended. `address`: its `host:port`."""
        front = self.front(meta)
        return f"{front}/ws/{gateway_id}/" if front else f"{self.own(address, meta)}/ws/"

    def front(self, meta: Mapping[str, str]) -> str:
        """Return what stands before all gateways, and finds the one by the path; "" where clients go to it itself."""
        if self.public:
            return self.public.rstrip("/")
        # Behind TLS that is not ours only the proxy's own name and port are served.
        is_proxied = self.is_forwarded or meta.get(WS_TLS) != "1"
        return f"wss://{self.host}" if self.is_secure and is_proxied and HOST.fullmatch(self.host) else ""

    def own(self, address: str, meta: Mapping[str, str]) -> str:
        """Return where a gateway itself listens, by the name that the client has for it."""
        host = gateway_host = address.rpartition(":")[0]
        found = HOST.fullmatch(self.host)
        if found is not None and (gateway_host == self.near or _is_loopback(gateway_host)):
            # The gateway is where we are, and that is where the client knows us: localhost, a LAN name, a mapped
            # address.
            host = found["name"]
        return f"{'wss' if meta.get(WS_TLS) == '1' else 'ws'}://{host}:{meta[WS_PORT]}"

    def claim(self) -> list[Any]:
        """Return it as a ticket has it."""
        return [self.near, self.public, self.host, int(self.is_secure), int(self.is_forwarded)]

    @classmethod
    def of_claim(cls, claim: object) -> Way | None:
        """Return what a signed ticket has; None when there is nothing, or nothing that is understood."""
        match claim:
            case [str(near), str(public), str(host), int(is_secure), int(is_forwarded)]:
                return cls(near, public, host, bool(is_secure), bool(is_forwarded))
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
