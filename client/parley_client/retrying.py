"""Pure: when to try again, and whether that is safe.

Waits are full jitter (Brooker, "Exponential Backoff and Jitter", 2015), so that clients which lost the same server do
not come back together. What a server asks for (Retry-After) is kept, and spread as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any

RETRY_AFTER_MAX_S = 300.0
"""The longest that a server's Retry-After is obeyed."""

TROUBLE = frozenset({"service_unavailable", "internal_error", "fatal_error", "request_timeout"})
"""Error codes of a server that could not do its work; whether it did some of it is not known."""

LIMITED = frozenset({"ratelimited", "rate_limited"})
"""Refusals of one who asks too fast: not done, and welcome later."""

FATAL = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}
)
"""Refusals of rtm.connect that no later try will change."""


class Backoff:
    """Waits that grow with each try: uniform up to min(cap, base x 2^n), at least a tenth of it."""

    def __init__(self, base_s: float, cap_s: float, rng: Random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = rng
        self._tries = 0

    def next_s(self) -> float:
        """Return the seconds until the next try."""
        ceiling = min(self._cap_s, self._base_s * (1 << min(self._tries, 30)))
        self._tries += 1
        return self._rng.uniform(ceiling * 0.1, ceiling)

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._tries = 0


class Verdict(Enum):
    """What an answer to a Web API call means."""

    DONE = "done"
    REFUSED = "refused"
    LIMITED = "not done, and welcome later"
    UNKNOWN = "perhaps done: only a call that may be repeated is tried again"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, with what the server asks for."""

    verdict: Verdict
    code: str = ""
    retry_after_s: float = 0.0


def judge(status: int, body: object, headers: Mapping[str, str]) -> Judged:
    """Judge an answer by its HTTP status, its JSON (None: it was none) and its headers."""
    answer: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = str(answer.get("error") or f"http_{status}")
    if status == 429:
        return Judged(Verdict.LIMITED, code, retry_after_s(headers))
    if status < 500 and answer.get("ok") is True:
        return Judged(Verdict.DONE)
    if status >= 500 or code in TROUBLE or not answer:
        return Judged(Verdict.UNKNOWN, code, retry_after_s(headers))
    return Judged(Verdict.REFUSED, code)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that a Retry-After header asks for; 0 when there is none that can be read."""
    value = headers.get("Retry-After", "").strip()
    return min(float(value), RETRY_AFTER_MAX_S) if value.isascii() and value.isdigit() else 0.0


def spread(retry_after: float, rng: Random) -> float:
    """Return a wait of `retry_after` seconds, and up to half as much again and one (headers tell whole ones)."""
    return retry_after + rng.uniform(0.0, 1.0 + retry_after / 2) if retry_after else 0.0
