"""The signature by which an app knows that a request is ours: HMAC-SHA256 over version, time and body. Pure.

Whoever receives one recomputes it from the raw body and the two headers, and refuses what is older than five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

__all__ = ["AGE_MAX_S", "SIGNATURE", "TIMESTAMP", "VERSION", "headers", "is_signed", "signature"]

VERSION = "v0"
SIGNATURE = "X-Slack-Signature"
TIMESTAMP = "X-Slack-Request-Timestamp"
AGE_MAX_S = 300
"""Slack's advice to receivers."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return `v0=` and the hex digest of the HMAC over `v0:timestamp:body`. `timestamp`: unix seconds, as sent."""
    signed = b":".join((VERSION.encode(), timestamp.encode(), body))
    return f"{VERSION}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def headers(secret: str, now_unix_s: float, body: bytes) -> dict[str, str]:
    """Return the two headers of a request with this body that is sent now."""
    timestamp = str(int(now_unix_s))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def is_signed(secret: str, sent: Mapping[str, str], body: bytes, now_unix_s: float) -> bool:
    """Tell whether a request is signed with `secret` and not too old; `sent` has headers by their exact names."""
    timestamp = sent.get(TIMESTAMP, "")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now_unix_s - int(timestamp)) > AGE_MAX_S:
        return False
    return hmac.compare_digest(signature(secret, timestamp, body), sent.get(SIGNATURE, ""))
