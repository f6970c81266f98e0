"""Where a fetch may go: whoever writes a message chooses the address, so nothing of ours may be among them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.unfurl.addresses import ForbiddenError, Reach, is_public
from svc.webapp.unfurl.config import Networks

PUBLIC = ["1.1.1.1", "93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]
OURS = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:1.1.1.1", "64:ff9b::7f00:1", "64:ff9b::101:101"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:101:101::1", "3fff::1"),
    *("fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "fe80::1%eth0", "2606:4700::1%eth0"),
]


@pytest.mark.parametrize("host", PUBLIC)
def test_the_public_internet_may_be_asked(host: str) -> None:
    """By either version of IP."""
    assert Reach().allows(host)


@pytest.mark.parametrize("host", OURS)
def test_nothing_else_may(host: str) -> None:
    """Private, local, mapped, tunnelled, reserved, and what is for many."""
    assert not Reach().allows(host)


@given(st.ip_addresses(v=4))
def test_no_special_network_of_ipv4_is_public(address: IPv4Address) -> None:
    """Whatever this version of Python thinks of it."""
    if is_public(address):
        assert address.is_global
        assert not address.is_private
        assert not address.is_multicast
        assert not address.is_reserved


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:", "::", "64:ff9b::"]))
def test_no_ipv4_address_comes_in_by_ipv6(address: IPv4Address, way: str) -> None:
    """Mapped, compatible or translated: it was checked as another one than it is."""
    assert not is_public(ip_address(f"{way}{address}"))


@given(st.integers(min_value=0, max_value=2**112 - 1))
def test_no_tunnel_is_public(rest: int) -> None:
    """6to4 and Teredo lead to any IPv4 address."""
    assert not is_public(IPv6Address((0x2002 << 112) | rest))
    assert not is_public(IPv6Address((0x20010000 << 96) | (rest & (2**96 - 1))))


@given(st.text(max_size=40))
def test_what_is_no_address_is_not_allowed(text: str) -> None:
    """Names, and numbers written otherwise than they are."""
    try:
        ip_address(text)
    except ValueError:
        assert not Reach().allows(text)


def test_an_operators_networks_are_allowed_and_no_more() -> None:
    """Each as it was named: a mapped address of it is not."""
    reach = Reach((ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))
    assert [reach.allows(h) for h in ("10.1.2.3", "fd00:1::5", "10.2.0.1", "::ffff:10.1.2.3", "fd00:2::1")] == [
        *(True, True),
        *(False, False, False),
    ]
    assert not reach.allows("fd00:1::5%eth0")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)", "gopher://a.example/", "//a.example/", ""),
        *("http://127.0.0.1/", "http://[::1]/", "http://[::ffff:1.1.1.1]/", "http://169.254.169.254/latest/meta-data"),
        *("http://a.example:22/", "http://a.example:8080/", "https://a.example:0/", "http://a.example:99999/"),
        *(
            "http://user:pw@a.example/",
            "http://a.example@127.0.0.1/",
            "http://[",
            "http:///x",
            "https://a" + "b" * 2_000,
        ),
    ],
)
def test_what_is_refused_before_its_name_is_looked_up(url: str) -> None:
    """Other schemes and ports, credentials, and what is written out as one of ours."""
    with pytest.raises(ForbiddenError):
        Reach().check(url)


def test_plain_addresses_are_asked() -> None:
    """With the usual ports, said or not."""
    for url in ("http://a.example", "https://a.example:443/x?y#z", "http://1.1.1.1:80/", "HTTPS://A.example/"):
        Reach().check(url)


def test_networks_are_a_setting() -> None:
    """Several, or none; a mistake says so."""
    assert Networks.parse_setting("10.1.0.0/16, fd00::/8").all == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert Networks.parse_setting("").all == ()
    for raw in ("10.1.2.3/16", "intranet", "10.0.0.0/40"):
        with pytest.raises(ValueError, match="networks such as"):
            Networks.parse_setting(raw)
