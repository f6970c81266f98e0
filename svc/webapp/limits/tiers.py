"""How often methods may be called: Slack's tiers, as buckets, and the setting that scales or ends them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

from svc.webapp.limits.buckets import Rate

__all__ = ["HOOK", "OFF", "POSTING_ALL", "RATES", "SLACK", "Limit", "Scale", "Tier", "limits_of", "limits_of_try"]


class Tier(IntEnum):
    """How often a method may be called, for each app and workspace; the calls a minute are a setting."""

    T1 = 1
    T2 = 2
    T3 = 3
    T4 = 4
    POSTING = 5
    """Its own rule: about one a second into each conversation, and several hundred a minute into all together."""
    SPECIAL = 6
    """Several hundred a minute."""


RATES: Mapping[Tier, Rate] = MappingProxyType(
    {
        # Slack says "1 and more": what opens connections is behind a gate of its own, and clients that lost theirs
        # several times in a row have to come back.
        Tier.T1: Rate.per_minute(10, burst=20),
        Tier.T2: Rate.per_minute(20, burst=20),
        Tier.T3: Rate.per_minute(50, burst=50),
        Tier.T4: Rate.per_minute(100, burst=100),
        # Of one conversation.
        Tier.POSTING: Rate.per_minute(60, burst=10),
        Tier.SPECIAL: Rate.per_minute(600, burst=100),
    }
)
"""Slack's numbers, as it publishes them; bursts, which it only says it tolerates, are what a minute gives."""
POSTING_ALL = Rate.per_minute(600, burst=100)
"""Of all conversations of a workspace together."""
HOOK = Rate.per_minute(60, burst=10)
"""Of one incoming webhook."""

TRIES_OF_LOGIN = Rate.per_minute(1, burst=10)
"""Of one login of a workspace to get in by a password: whoever guesses has 1,450 a day."""
TRIES_FROM_ADDRESS = Rate.per_minute(20, burst=60)
"""From one address, which a whole office may share. No setting scales or ends these two."""

_TIMES = re.compile(r"x(\d{1,6}(?:\.\d{1,3})?)")


class Scale(NamedTuple):
    """What the rates are multiplied by; 0: there are no limits."""

    times: float

    @classmethod
    def parse_setting(cls, raw: str) -> Scale:
        """Return `off`, `slack` or `x<number>` as a scale. Raises ValueError."""
        if raw in ("off", "slack"):
            return OFF if raw == "off" else SLACK
        found = _TIMES.fullmatch(raw)
        if found is None or float(found[1]) <= 0:
            raise ValueError("off, slack, or x and a number above 0 (x5, x0.5) is allowed")
        return cls(float(found[1]))

    def __repr__(self) -> str:
        return {0.0: "off", 1.0: "slack"}.get(self.times, f"x{self.times:g}")


OFF = Scale(0.0)
SLACK = Scale(1.0)


class Limit(NamedTuple):
    """One limit that a call counts towards."""

    key: str
    """Of its number: the same in every webapp; at most 100 printable ASCII characters."""
    rate: Rate


def limits_of(tier: Tier, method: str, team_id: str, app: str, reference: str = "") -> tuple[Limit, ...]:
    """Return the limits of a call: by method, app (or user, where no app speaks) and workspace.

    `reference`: the conversation that is posted to, as the client names it: one that goes by id and by name in turn
    has two limits, and the one of all conversations.
    """
    owner = f"{team_id}:{app}"
    if tier is not Tier.POSTING:
        return (Limit(f"r1:{owner}:{method}", RATES[tier]),)
    place = blake2b(reference.strip().removeprefix("#").encode("utf-8", "replace"), digest_size=8).hexdigest()
    return Limit(f"r1:{owner}:to:{place}", RATES[tier]), Limit(f"r1:{owner}:posts", POSTING_ALL)


def limits_of_try(login: str, address: str) -> tuple[Limit, ...]:
    """Return the limits of a try to get in: by whom it is for, and by where it comes from; "" counts to neither."""
    kinds = (("login", login, TRIES_OF_LOGIN), ("from", address, TRIES_FROM_ADDRESS))
    return tuple(Limit(f"r1:try:{kind}:{_short(of)}", rate) for kind, of, rate in kinds if of)


def _short(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
