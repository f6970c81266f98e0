"""By which address a client knows us: as it says, as a trusted proxy says, or as the operator does."""

from __future__ import annotations

import pytest

from svc.kit.config import ConfigError
from svc.webapp.domain.origin import Origin, Origins

TOLD = {"host": "10.0.0.9:8080", "x-forwarded-proto": "https", "x-forwarded-host": "chat.example.org"}


def of(peer: str, headers: dict[str, str], origins: Origins | None = None, scheme: str = "http") -> Origin:
    return (origins or Origins()).of(peer, scheme, lambda name: headers.get(name, ""))


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.7", "fe80::1%eth0", "::ffff:10.0.0.1"])
def test_a_proxy_on_our_own_networks_is_believed(peer: str) -> None:
    """Without a word of the operator's."""
    assert of(peer, TOLD) == Origin("chat.example.org", is_secure=True, is_forwarded=True)


@pytest.mark.parametrize("peer", ["203.0.113.5", "2001:db8::1", "", "unix:"])
def test_a_stranger_is_not(peer: str) -> None:
    """Whoever it is that a request comes from directly, its Host header is what it knows us by."""
    assert of(peer, TOLD) == Origin("10.0.0.9:8080")
    assert of(peer, TOLD, scheme="https") == Origin("10.0.0.9:8080", is_secure=True)


def test_the_operator_says_who_is_trusted() -> None:
    """Networks and words; none means none."""
    named = Origins(trusted_proxies="203.0.113.0/24, loopback")
    assert of("203.0.113.5", TOLD, named).is_forwarded
    assert of("127.0.0.1", TOLD, named).is_forwarded
    assert not of("10.1.2.3", TOLD, named).is_forwarded
    assert not of("127.0.0.1", TOLD, Origins(trusted_proxies="none")).is_forwarded


@pytest.mark.parametrize(
    ("headers", "base_url"),
    [
        ({"x-forwarded-proto": "https", "host": "a.org"}, "https://a.org/"),
        ({"x-forwarded-proto": "https", "host": "a.org", "x-forwarded-port": "8443"}, "https://a.org:8443/"),
        ({"x-forwarded-proto": "https", "host": "a.org", "x-forwarded-port": "443"}, "https://a.org/"),
        ({"x-forwarded-proto": "http", "host": "a.org:81", "x-forwarded-port": "80"}, "http://a.org:81/"),
        ({"x-forwarded-proto": "https", "host": "a.org", "x-forwarded-port": "; drop"}, "https://a.org/"),
        ({"x-forwarded-proto": "HTTPS, http", "x-forwarded-host": "b.org, a.org", "host": "x"}, "https://b.org/"),
        ({"x-forwarded-host": "b.org", "host": "x"}, "http://b.org/"),
        ({"x-forwarded-proto": "https", "x-forwarded-host": "b.org/../", "host": "x"}, "https://localhost/"),
        ({"x-forwarded-port": "8443", "host": "a.org"}, "http://a.org/"),
        ({"host": " a.org "}, "http://a.org/"),
    ],
)
def test_what_a_proxy_says_becomes_the_address(headers: dict[str, str], base_url: str) -> None:
    """The nearest to the client counts where several spoke; the port is added where it is not the usual one."""
    assert of("127.0.0.1", headers).base_url == base_url


def test_a_public_address_is_everybodys() -> None:
    """Whatever headers say, and with a proxy before us."""
    origins = Origins("https://chat.example.org/")
    assert of("203.0.113.5", TOLD | {"x-forwarded-host": "evil.org"}, origins) == Origin(
        "chat.example.org", is_secure=True, is_forwarded=True
    )


@pytest.mark.parametrize("url", ["chat.example.org", "ftp://chat.example.org", "https://", "https://a.org/path"])
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    """With the name of the setting."""
    with pytest.raises(ConfigError, match="PARLEY_PUBLIC_URL"):
        Origins(url)


def test_networks_that_are_none_are_refused_at_the_start() -> None:
    """A typing mistake must not open the door, nor close it unseen."""
    for word in ("10.0.0.0/33", "everybody", "10.0.0.1/8"):
        with pytest.raises(ConfigError, match="PARLEY_TRUSTED_PROXIES"):
            Origins(trusted_proxies=f"loopback,{word}")


def test_who_counts_for_an_address() -> None:
    """The last hop that is no proxy of ours; what strangers write before that is not believed; IPv6 by its network."""
    origins = Origins(trusted_proxies="loopback,10.0.0.0/8")
    for peer, forwarded_for, found in (
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("127.0.0.1", "nonsense", ""),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("", "", ""),
    ):
        assert origins.address(peer, forwarded_for) == found, (peer, forwarded_for)
