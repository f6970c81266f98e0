"""The socket's URL works the way the client came in."""

from __future__ import annotations

from random import Random

import pytest

from discovery.view import Instance
from svc.kit.clock import ManualClock
from svc.kit.tokens import Signer, TokenExpired
from svc.webapp.domain.connect import TICKET, TICKET_TTL_S, Connector, ConnectSettings, Origin
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind

SIGNER = Signer("a secret of this test only")
BOT = Caller("T0000000001", "U0000000001", TokenKind.BOT, "B0000000001")
LOCAL = Instance("gateway-az1-1-abc", "gateway", "127.0.0.1:5000", "az1", meta={"ws_port": "8090"})
TLS = Instance("gateway-az1-2-abc", "gateway", "127.0.0.1:5001", "az1", meta={"ws_port": "8091", "ws_tls": "1"})
REMOTE = Instance("gateway-az2-1-def", "gateway", "10.0.0.7:5000", "az2", meta={"ws_port": "8090"})


def url(origin: Origin, *gateways: Instance, public_url: str = "", own_host: str = "127.0.0.1") -> str:
    settings = ConnectSettings("az1", own_host, public_url)
    return Connector(settings, lambda: gateways, SIGNER, ManualClock(), Random(1)).url(BOT, origin, ["presence_sub"])


@pytest.mark.parametrize(
    ("host", "secure", "gateway", "base"),
    [
        ("localhost:8080", False, LOCAL, "ws://localhost:8090"),
        ("127.0.0.1:8080", False, LOCAL, "ws://127.0.0.1:8090"),
        ("[::1]:8080", False, LOCAL, "ws://[::1]:8090"),
        ("chat.example.org", False, LOCAL, "ws://chat.example.org:8090"),
        ("chat.example.org", False, REMOTE, "ws://10.0.0.7:8090"),
        ("chat.example.org:8443", True, TLS, "wss://chat.example.org:8091"),
        ("localhost:8080", False, TLS, "wss://localhost:8091"),
        ("", False, LOCAL, "ws://127.0.0.1:8090"),
        ("evil host/path@", False, LOCAL, "ws://127.0.0.1:8090"),
    ],
)
def test_the_url_leads_to_where_the_client_knows_us(host: str, secure: bool, gateway: Instance, base: str) -> None:
    """Our own host by the client's name for it, others by their address; TLS where the gateway speaks it."""
    front, _, ticket = url(Origin(host, secure), gateway).rpartition("/")
    assert (front, ticket.count(".")) == (f"{base}/ws", 1)


@pytest.mark.parametrize(
    ("host", "forwarded", "gateway", "base"),
    [
        ("slack.com", False, REMOTE, "wss://slack.com"),
        ("chat.example.org:8443", True, LOCAL, "wss://chat.example.org:8443"),
        ("chat.example.org", True, TLS, "wss://chat.example.org"),
    ],
)
def test_one_host_before_all_gateways_finds_the_one_by_the_path(
    host: str, forwarded: bool, gateway: Instance, base: str
) -> None:
    """Behind TLS only the proxy's name and port are served, whatever the gateways listen on."""
    front, _, ticket = url(Origin(host, True, forwarded), gateway).rpartition("/")
    assert (front, ticket.count(".")) == (f"{base}/ws/{gateway.id}", 1)


def test_a_gateway_on_our_own_advertised_host_is_known_by_the_clients_name_for_it() -> None:
    """The operator's address for a machine need not be the clients'."""
    assert url(Origin("chat.lan"), REMOTE, own_host="10.0.0.7").startswith("ws://chat.lan:8090/ws/")


def test_a_configured_public_url_wins() -> None:
    """Behind a proxy that we cannot see."""
    assert url(Origin("x"), REMOTE, public_url="wss://rt.example.org/").startswith(
        f"wss://rt.example.org/ws/{REMOTE.id}/"
    )


def test_our_own_zone_comes_first() -> None:
    """Another zone only when ours has none; without any, a code that clients retry on."""
    assert "10.0.0.7" not in "".join(url(Origin("localhost"), LOCAL, REMOTE) for _ in range(20))
    assert url(Origin("localhost"), REMOTE)
    with pytest.raises(Refused) as caught:
        url(Origin("localhost"))
    assert caught.value.code == "service_unavailable"
    with pytest.raises(Refused):
        url(Origin("localhost"), Instance("gateway-x", "gateway", "10.0.0.7:5000"))


def test_a_gateway_that_the_client_found_dead_is_avoided_while_there_is_another() -> None:
    """The client knows before Consul does."""
    settings = ConnectSettings("az1", "127.0.0.1")
    gateways = [LOCAL, REMOTE]
    connector = Connector(settings, lambda: gateways, SIGNER, ManualClock(), Random(1))
    assert connector.choose([LOCAL.id]) is REMOTE
    assert connector.choose([LOCAL.id, REMOTE.id]) is LOCAL
    ticket = connector.url(BOT, Origin("localhost"), gateway=REMOTE).rpartition("/")[2]
    assert SIGNER.verify(TICKET, ticket, ManualClock().wall_us() / 1_000_000)["gateway"] == REMOTE.id


def test_the_ticket_names_who_and_where_and_lasts_thirty_seconds() -> None:
    """The gateway admits its bearer without asking anybody."""
    ticket = url(Origin("localhost"), LOCAL).rpartition("/")[2]
    now_s = ManualClock().wall_us() / 1_000_000
    claims = SIGNER.verify(TICKET, ticket, now_s)
    assert (claims["team"], claims["user"], claims["bot"]) == (BOT.team_id, BOT.user_id, BOT.bot_id)
    assert (claims["gateway"], claims["kind"], claims["flags"]) == (LOCAL.id, "rtm", ["presence_sub"])
    assert claims["jti"]
    with pytest.raises(TokenExpired):
        SIGNER.verify(TICKET, ticket, now_s + TICKET_TTL_S)


def test_the_base_url_is_the_clients_own() -> None:
    """auth.test tells it."""
    assert Origin("slack.com", is_secure=True).base_url == "https://slack.com/"
    assert Origin("").base_url == "http://localhost/"


@pytest.mark.parametrize(
    ("origin", "public_url", "gateways", "sources"),
    [
        (Origin("chat.lan:8080"), "", (LOCAL, REMOTE), ["ws://10.0.0.7:*", "ws://chat.lan:*"]),
        (Origin("chat.lan:8080"), "", (), ["ws://chat.lan:*"]),
        (Origin("chat.lan", is_secure=True), "", (), ["wss://chat.lan:*"]),
        (Origin("chat.example.org", True, True), "", (LOCAL, REMOTE), ["wss://chat.example.org"]),
        (Origin("chat.example.org:8443", True, True), "", (LOCAL,), ["wss://chat.example.org:8443"]),
        (Origin("chat.lan"), "wss://rt.example.org/x", (LOCAL, REMOTE), ["wss://rt.example.org"]),
        (Origin("chat.lan"), "wss://rt.example.org", (), ["wss://rt.example.org"]),
        (Origin("[::1]:8080"), "", (LOCAL,), ["ws:"]),
        (Origin("a;b 'unsafe-inline'"), "", (), ["ws:"]),
    ],
)
def test_a_policy_lets_through_where_sockets_go(
    origin: Origin, public_url: str, gateways: tuple[Instance, ...], sources: list[str]
) -> None:
    """Any port of hosts where gateways come and go; just the one where something stands before them all."""
    settings = ConnectSettings("az1", "127.0.0.1", public_url)
    connector = Connector(settings, lambda: gateways, SIGNER, ManualClock(), Random(1))
    assert connector.sources(origin) == sources
