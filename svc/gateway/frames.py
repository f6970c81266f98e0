"""Pure: WebSocket frames as bytes (server side: never masked, never fragmented), and the JSON objects of RTM in them.

A frame is encoded once and then shared by every connection that it goes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

_FIN_TEXT = 0x81
_FIN_CLOSE = 0x88
_FIN_PING = 0x89
_FIN_PONG = 0x8A
CLOSE_REASON_BYTES_MAX = 123
"""A control frame's payload is at most 125 bytes (RFC 6455 §5.5); two are the code."""


def text_frame(payload: bytes) -> bytes:
    """Return `payload`, which must be UTF-8, as one text frame."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN_TEXT, size)) + payload
    if size < 65_536:
        return bytes((_FIN_TEXT, 126)) + size.to_bytes(2) + payload
    return bytes((_FIN_TEXT, 127)) + size.to_bytes(8) + payload


def json_frame(value: Mapping[str, Any]) -> bytes:
    """Return a JSON object as one text frame."""
    return text_frame(orjson.dumps(value))


def close_frame(code: int, reason: str) -> bytes:
    """Return a Close frame; the reason is cut to what fits."""
    text = reason.encode()[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore").encode()
    return bytes((_FIN_CLOSE, 2 + len(text))) + code.to_bytes(2) + text


def ping_frame(payload: bytes) -> bytes:
    """Return a Ping of 1 to 125 bytes: an empty one makes the parser of slack_sdk's builtin client wait for more."""
    return bytes((_FIN_PING, len(payload))) + payload


def pong_frame(payload: bytes) -> bytes:
    """Return the Pong to a Ping with this payload, byte for byte."""
    return bytes((_FIN_PONG, len(payload))) + payload


GOODBYE = text_frame(b'{"type":"goodbye"}')
"""We are about to close; slack_sdk and slack-go reconnect at once."""


def error(message: str) -> bytes:
    """Return what a session is told before it is closed for good."""
    return json_frame({"type": "error", "error": {"code": 1, "msg": message}})


def hello(host_id: str) -> bytes:
    """Return the first frame of every connection."""
    return json_frame({"type": "hello", "host_id": host_id})


def typing_payload(channel_id: str, user_id: str, thread_ts: str) -> bytes:
    """Return the JSON of a user_typing event."""
    typing = {"type": "user_typing", "channel": channel_id, "user": user_id}
    if thread_ts:
        typing["thread_ts"] = thread_ts
    return orjson.dumps(typing)


def presence(states: Iterable[tuple[str, bool]], in_batches: bool) -> list[bytes]:
    """Return presence_change frames for (user, is active): one a user, or one a state for clients that take batches."""
    words = [(user_id, "active" if is_active else "away") for user_id, is_active in states]
    if not in_batches:
        return [json_frame({"type": "presence_change", "user": user, "presence": word}) for user, word in words]
    frames = []
    for state in ("active", "away"):
        users = [user_id for user_id, word in words if word == state]
        if users:
            frames.append(json_frame({"type": "presence_change", "users": users, "presence": state}))
    return frames
