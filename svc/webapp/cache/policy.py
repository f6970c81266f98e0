"""What is cached, for how long, and how old it may be: one line a class of values. Pure.

`ttl_s` is the stated bound: what anybody may see at worst when an invalidation is lost for good. The front page of
this package says how that comes about; without it, a value is never older than its last acked write.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

__all__ = ["CLASSES", "Earliness", "Policy", "policy_of", "ttl_of"]

TTL_SPREAD = 0.2
"""Values filled together expire over the last fifth of their lives, not together: downwards, so that `ttl_s` holds."""
EARLY_BETA = 1.0
"""How eager early refresh is; 1 is the source's optimum for loads that take as long as those before."""
EARLY_WEIGHT = 0.1
"""Of the newest load in the mean: what changed ten loads ago is mostly in it."""
EARLY_MIN_S = 2
"""memcached counts whole seconds: with less there might be no read between the draw and the end."""
EARLY_MAX_S = 20
"""A third of the shortest life: however slow the database is, values are used before they are refreshed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one class of values is kept."""

    name: str
    prefix: str
    """What its keys begin with, up to the first colon. A new form of a value takes a new one: old and new processes run
    side by side during a restart."""
    ttl_s: int
    bound: str
    """Why an answer as old as `ttl_s` could be defended."""
    negative_ttl_s: int = 5
    """How long "there is none" is kept: it saves the database from a client that goes on asking."""
    stale_s: int = 0
    """How long a deleted value is kept for bad times: given out while somebody else loads for longer than one waits, or
    when loading fails. 0 for all that users change themselves: they would not see their own change."""


TOKEN = Policy("token", "t3", 60, "a revoked token works for at most a minute")
MEMBER = Policy("member", "m2", 60, "guards what one may read; a post is checked again by its transaction")
SIDE = Policy("side", "s2", 60, "the user's side of one conversation: the read mark")
SIDES = Policy("sides", "l2", 60, "lists; what sessions follow is checked against the head of the user's channel")
MEMBERS = Policy("members", "p2", 60, "the first page of a list")
COUNT = Policy("count", "n2", 60, "a number for people; exact counting takes 20 ms for 100,000 members")
CONVERSATION = Policy("conversation", "c3", 300, "name, topic, archived: shown, and told by events to who is connected")
USER = Policy("user", "u3", 300, "profile: shown, and told by events to who is connected", stale_s=10)
TEAM = Policy("team", "w3", 300, "name, domain and picture of the workspace: rarely changed", stale_s=10)
PREFS = Policy("prefs", "f2", 60, "what a user chose, for itself; sessions check the head of the user's channel")
NEWEST = Policy("newest", "h3", 60, "the newest page of history; who is connected got the messages by events")
APP = Policy("app", "a2", 60, "an app: a change of its settings is told to its owner besides")
COMMANDS = Policy("commands", "k2", 60, "which slash command is whose; the app itself is asked for besides")
GROUP = Policy("group", "g2", 60, "who is in a user group: whom a mention of it is for")

CLASSES = (TOKEN, MEMBER, SIDE, SIDES, MEMBERS, COUNT, CONVERSATION, USER, TEAM, PREFS, NEWEST, APP, COMMANDS, GROUP)
_BY_PREFIX = {policy.prefix: policy for policy in CLASSES}


def policy_of(key: str) -> Policy:
    """Return the class that a key belongs to. Raises KeyError for a key of nobody's."""
    return _BY_PREFIX[key.partition(":")[0]]


def ttl_of(policy: Policy, rng: Random, *, is_none: bool) -> int:
    """Return how many seconds a value that was just loaded is kept."""
    if is_none:
        return max(1, min(policy.negative_ttl_s, policy.ttl_s))
    return max(1, math.floor(policy.ttl_s * (1.0 - TTL_SPREAD * rng.random())))


class Earliness:
    """How long before their end values are refreshed: by chance, and the earlier the longer loads take at the moment.

    Each read draws anew whether a value is near enough to its end, so of a hot key's many readers one comes just in
    time, and the more load there is on the database the earlier. The node gives the lease to the first whose draw says
    so, and to nobody else: in the source, which knows no leases, several may refresh at once. Source: Vattani,
    Chierichetti & Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (VLDB 2015), with a running mean of
    load times for that of each item.
    """

    def __init__(self, rng: Random) -> None:
        """Start as if loads took no time."""
        self._rng = rng
        self._load_s = 0.0

    def note(self, load_s: float) -> None:
        """Note how long a load took."""
        self._load_s += EARLY_WEIGHT * (load_s - self._load_s)

    def draw_s(self) -> int:
        """Return with how many seconds left to live a value that is read now is refreshed."""
        gap_s = self._load_s * EARLY_BETA * -math.log(1.0 - self._rng.random())
        return min(EARLY_MAX_S, max(EARLY_MIN_S, math.ceil(gap_s)))
