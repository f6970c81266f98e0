"""How a client came to us, and so by which address it knows us: what every URL that we give out is made of.

A proxy before us says so in headers of its own, and anybody can send those: they are believed of the proxies that the
operator trusts, and of nobody else. Or the operator says by which address all clients come. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from svc.kit.config import ConfigError
from svc.shapes.ways import HOST

__all__ = ["HOST", "Origin", "Origins"]

_SECURE = ("https", "wss")
_PORTS = {True: "443", False: "80"}
_NETWORKS = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"),
    "none": (),
}

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Origin:
    """How a client reached us."""

    host: str = ""
    """The name by which it knows us, its port included unless that is the usual one."""
    is_secure: bool = False
    """Whether it speaks TLS, to us or to a proxy before us."""
    is_forwarded: bool = False
    """Whether there is a proxy between us, which is all that it can reach."""

    @property
    def base_url(self) -> str:
        """The address of this installation as the client knows it, with a slash at the end."""
        host = self.host if HOST.fullmatch(self.host) else "localhost"
        return f"{'https' if self.is_secure else 'http'}://{host}/"


class Origins:
    """Tells where requests come from."""

    def __init__(self, public_url: str = "", trusted_proxies: str = "loopback,private") -> None:
        """`public_url`: `https://chat.example.org`, by which all come; "": as each request says. `trusted_proxies`:
        networks, `loopback`, `private` or `none`, with commas between. Raises ConfigError.
        """
        self._public = _public(public_url) if public_url else None
        self._trusted = [network for word in trusted_proxies.split(",") if word.strip() for network in _networks(word)]

    def of(self, peer: str, scheme: str, header: Callable[[str], str]) -> Origin:
        """Return how a request came: from the address `peer`, by `scheme`; `header` gives a header's value, or ""."""
        if self._public is not None:
            return self._public
        proto, forwarded = _first(header("x-forwarded-proto")).lower(), _first(header("x-forwarded-host"))
        if (proto or forwarded) and self._is_trusted(peer):
            is_secure = (proto or scheme) in _SECURE
            host = _with_port(forwarded or header("host"), _first(header("x-forwarded-port")), is_secure=is_secure)
            return Origin(host, is_secure, is_forwarded=True)
        return Origin(header("host").strip(), scheme in _SECURE)

    def address(self, peer: str, forwarded_for: str) -> str:
        """Return where a request came from, for who counts by it: "" if that cannot be told.

        `forwarded_for`: the header, of which the part is believed that trusted proxies wrote. Of IPv6 addresses the
        network, of which somebody has the whole.
        """
        hops = [peer, *reversed([each.strip() for each in forwarded_for.split(",") if each.strip()])]
        last = next((hop for hop in hops if not self._is_trusted(hop)), hops[-1])
        address = _address(last)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address or "")

    def _is_trusted(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(address in network for network in self._trusted)


def _public(url: str) -> Origin:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc) or parts.path not in ("", "/"):
        raise ConfigError([f"PARLEY_PUBLIC_URL: {url!r} is not http(s)://host or http(s)://host:port"])
    return Origin(parts.netloc, parts.scheme == "https", is_forwarded=True)


def _address(text: str) -> _Address | None:
    try:
        address: _Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _networks(word: str) -> list[_Network]:
    name = word.strip().lower()
    try:
        return [ipaddress.ip_network(each) for each in _NETWORKS.get(name, (name,))]
    except ValueError as error:
        raise ConfigError([f"PARLEY_TRUSTED_PROXIES: {error}"]) from error


def _first(header: str) -> str:
    """Return what the proxy nearest to the client said."""
    return header.partition(",")[0].strip()


def _with_port(host: str, port: str, *, is_secure: bool) -> str:
    found = HOST.fullmatch(host.strip())
    if found is None or found["port"] or not port.isascii() or not port.isdigit() or port == _PORTS[is_secure]:
        return host.strip()
    return f"{found['name']}:{port}"
