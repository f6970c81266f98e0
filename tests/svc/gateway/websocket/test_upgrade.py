"""The request that opens a WebSocket: what is one, and what is not."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from svc.gateway.websocket.upgrade import HEADERS_MAX, NotUnderstood, read_request, refusing, switching

RFC = (
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Version: 13"
)


def test_the_example_of_the_rfc_is_accepted() -> None:
    """Section 1.3, to the letter."""
    request = read_request(RFC.encode())
    assert request.path == "/chat"
    assert request.wants_websocket
    assert request.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" in switching(request.accept)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        ("Connection: Upgrade", "connection:\tupgrade  "),
        ("Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade"),
        ("Upgrade: websocket", "UPGRADE: WebSocket"),
        ("Origin: http://example.com", "Cookie: name=ä"),
        ("Origin: http://example.com", "Content-Length: 0"),
    ],
)
def test_clients_write_it_differently(ours: str, theirs: str) -> None:
    """All of these are seen in the wild."""
    assert read_request(RFC.replace(ours, theirs).encode("latin-1")).accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Connection: Upgrade", "Connection: keep-alive"),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Version: 13", "Version: 8"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWs="),
        ("dGhlIHNhbXBsZSBub25jZQ==", ""),
    ],
)
def test_a_handshake_that_is_not_sound_is_not_accepted(ours: str, theirs: str) -> None:
    """It is a request all the same, and can be told what it lacks."""
    assert read_request(RFC.replace(ours, theirs).encode()).accept is None


@pytest.mark.parametrize(
    "head",
    [
        "",
        "GET",
        "GET /chat",
        "GET  HTTP/1.1",
        "POST /chat HTTP/1.1",
        "GET /chat HTTP/1.0",
        "GET /chat HTTP/1.1 more",
        RFC + "\r\nno colon",
        RFC + "\r\n folded: x",
        RFC + "\r\nspa ced: x",
        RFC + "\r\nname : x",
        RFC + "\r\n: x",
        RFC + "\r\nbell: \x07",
        RFC + "\r\nalone: x\ny",
        RFC + "\r\nContent-Length: 5",
        RFC + "\r\nContent-Length: 0\r\nContent-Length: 5",
        RFC + "\r\nTransfer-Encoding: chunked",
        RFC + "\r\na: b" * HEADERS_MAX,
    ],
)
def test_what_is_no_such_request_is_not_understood(head: str) -> None:
    """Whatever might be read in two ways is not read."""
    with pytest.raises(NotUnderstood):
        read_request(head.encode())


def test_a_refusal_says_how_long_it_is_and_that_it_is_the_end() -> None:
    """So that any HTTP client can read it."""
    said = refusing(HTTPStatus.FORBIDDEN, b"no", {"Retry-After": "3"})
    assert said == b"HTTP/1.1 403 Forbidden\r\nRetry-After: 3\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
