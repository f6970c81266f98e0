"""Signed tickets between tiers, and the tokens that clients hold.

Tickets are signed (HMAC-SHA256, RFC 2104) with the installation's secret and carry their own expiry, so that a gateway
admits a client without asking a database. A tenth of a millisecond each, as a library does it, is what two thousand who
come back at once would feel; these take a tenth of that. Client tokens are random; only their SHA-256 is stored, and
the ids that they name lead to the shard that knows them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from random import Random
from typing import Any

import orjson

from svc.kit.ids import id_from_number, id_number

SECRET_BYTES_MIN = 16
_RANDOM_CHARS = "0123456789abcdef"
_RANDOM_LENGTH = 32
WEB_TOKEN = "xoxs"  # noqa: S105 - a prefix, not a secret
"""Of tokens that are kept in a browser's cookie, and good for nothing else."""
_TOKEN = re.compile(r"(xoxb|xoxp|xapp|xoxs)-(\d{1,17})-(\d{1,17})-([0-9a-f]{32})", re.ASCII)


class TokenInvalid(Exception):
    """Not signed by us, for another purpose, or damaged."""


class TokenExpired(TokenInvalid):
    """Signed by us, and too old."""


class Signer:
    """Signs and verifies small JSON claims. `secret` is shared by the installation, at least 16 characters."""

    def __init__(self, secret: str) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"the secret has {len(secret)} characters; at least {SECRET_BYTES_MIN} are needed")
        self._secret = secret.encode()
        self._keys: dict[str, bytes] = {}

    def sign(self, kind: str, claims: dict[str, Any], ttl_s: float, now_unix_s: float) -> str:
        """Return a URL-safe ticket of `kind` that holds `claims` until `now_unix_s + ttl_s`.

        Its bearer can read the claims. `kind`: one of a few words of ours.
        """
        payload = _encoded(orjson.dumps({**claims, "exp": int(now_unix_s + ttl_s)}))
        return (payload + b"." + self._signature(kind, payload)).decode()

    def verify(self, kind: str, ticket: str, now_unix_s: float) -> dict[str, Any]:
        """Return the claims of a ticket (with "exp"). Raises TokenInvalid, TokenExpired."""
        payload, _, signature = ticket.encode(errors="replace").rpartition(b".")
        if not hmac.compare_digest(signature, self._signature(kind, payload)):
            raise TokenInvalid(f"not a {kind} of this installation")
        claims = orjson.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        if not isinstance(claims, dict) or not isinstance(claims.get("exp"), int):
            raise TokenInvalid(f"not a {kind}")
        if now_unix_s >= claims["exp"]:
            raise TokenExpired(f"the {kind} expired {now_unix_s - claims['exp']:.0f} s ago")
        return claims

    def _signature(self, kind: str, payload: bytes) -> bytes:
        # A key for each kind binds a signature to its purpose: a ticket cannot be used as something else.
        key = self._keys.get(kind)
        if key is None:
            key = self._keys[kind] = hmac.digest(self._secret, f"parley.{kind}".encode(), "sha256")
        return _encoded(hmac.digest(key, payload, "sha256"))


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def new_token(prefix: str, team_id: str, user_id: str, rng: Random) -> str:
    """Return a client token `<prefix>-<team digits>-<user digits>-<32 hex>`; `rng` should be random.SystemRandom()."""
    secret = "".join(rng.choice(_RANDOM_CHARS) for _ in range(_RANDOM_LENGTH))
    return f"{prefix}-{id_number(team_id)}-{id_number(user_id)}-{secret}"


def token_ids(token: str) -> tuple[str, str] | None:
    """Return the (team id, user id) that a token names, or None when it has not a token's form. Proves nothing."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    try:
        return id_from_number("T", int(found[2])), id_from_number("U", int(found[3]))
    except ValueError:
        return None


def token_hash(token: str) -> bytes:
    """Return the 32 bytes under which a token is stored: plain SHA-256, for 128 random bits need no salt."""
    return hashlib.sha256(token.encode()).digest()
