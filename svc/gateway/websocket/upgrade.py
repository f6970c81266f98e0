"""Pure: the HTTP request that opens a WebSocket, and the answers to it (RFC 6455 §4.2; RFC 9112 for the rest)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

HEADERS_MAX = 128
"""Lines of a request."""

VERSION = "13"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==\Z")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


class NotUnderstood(Exception):
    """This is no HTTP request that we could answer, but for 400."""


@dataclass(frozen=True)
class Request:
    """A GET, with its headers by their names in lower case; values of a repeated name are joined by commas."""

    path: str
    headers: Mapping[str, str]

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks for this protocol."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    @cached_property
    def accept(self) -> str | None:
        """The answer to its key; None when it is no sound opening handshake of the version that we speak."""
        tokens = self.headers.get("connection", "").lower().split(",")
        key = self.headers.get("sec-websocket-key", "")
        # Firefox sends "keep-alive, Upgrade".
        if "upgrade" not in (token.strip() for token in tokens) or not _KEY.match(key):
            return None
        if not self.wants_websocket or self.headers.get("sec-websocket-version") != VERSION:
            return None
        return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def read_request(head: bytes) -> Request:
    """Return the request whose lines these are, without the empty one at the end. Raises NotUnderstood."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path, _, version = rest.partition(" ")
    if method != "GET" or not path or version != "HTTP/1.1":
        raise NotUnderstood("only GET by HTTP/1.1 is understood")
    if len(lines) > HEADERS_MAX:
        raise NotUnderstood(f"a request has at most {HEADERS_MAX} headers")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not _NAME.match(name) or not _VALUE.match(value):
            raise NotUnderstood("a header is malformed")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if "transfer-encoding" in headers or headers.get("content-length", "0").strip("0"):
        raise NotUnderstood("a GET has no body here")
    return Request(path, headers)


def switching(accept: str) -> bytes:
    """Return the answer that opens a WebSocket."""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ).encode()


def refusing(status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return any other answer; the connection ends with it."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
