"""Where a fetch may go: schemes, ports and addresses. Pure.

Allowed is what is good, not refused what is bad: an address has to be of the public internet by every list there is.
Sources: IANA's special-purpose registries for IPv4 and IPv6; RFC 6890, 4291, 6052 (NAT64), 3056 (6to4), 4380 (Teredo).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

__all__ = ["URL_CHARS_MAX", "ForbiddenError", "Network", "Reach", "is_public"]

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

URL_CHARS_MAX = 2_000
"""A longer address is not fetched, nor shown."""
_PORTS = {"http": 80, "https": 443}

_UNICAST = IPv6Network("2000::/3")
"""All that is given out of IPv6; the rest is local, mapped, or for nobody yet."""
_SPECIAL: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Teredo and other tunnels, documentation, 6to4: they lead to an IPv4 address that nobody has checked.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
"""Beside `is_global`, whose lists change with the version of Python: multicast is global to it."""


class ForbiddenError(ValueError):
    """An address that nothing is fetched from."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one machine's on the public internet."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.scope_id is not None):
        return False
    return not any(address in each for each in _SPECIAL if each.version == address.version)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far fetches go."""

    networks: tuple[Network, ...] = ()
    """Allowed though they are not public."""
    ports: tuple[int, ...] = (80, 443)

    def allows(self, host: str) -> bool:
        """Tell whether the numeric address `host` may be connected to; False for whatever is none."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        if is_public(address):
            return True
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        return any(address in each for each in self.networks if each.version == address.version)

    def allowed(self, hosts: Sequence[str]) -> list[str]:
        """Return those of the numeric addresses that may be connected to."""
        return [host for host in hosts if self.allows(host)]

    def check(self, url: str) -> None:
        """Check what can be seen of an address before its name is looked up. Raises ForbiddenError."""
        if len(url) > URL_CHARS_MAX:
            raise ForbiddenError(f"an address of {len(url)} characters")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ForbiddenError("not an address") from None
        host = parts.hostname or ""
        if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
            raise ForbiddenError("not a plain http or https address")
        if (_PORTS[parts.scheme] if port is None else port) not in self.ports:
            raise ForbiddenError(f"port {port} is not asked")
        if _is_literal(host) and not self.allows(host):
            raise ForbiddenError("an address that is not public")


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
