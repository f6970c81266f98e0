"""The second stage: which of the messages that match somebody meant. Pure.

The engine knows words; who asks, and when, it does not. So its best few hundred are ranked again by a sum of features,
each from 0 to 1, with weights that are settings. Features are logged with what was asked, so that weights can be
learned from what was opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import log1p

from svc.kit.config import setting
from svc.webapp.search.index import Candidate

__all__ = ["Features", "Nearness", "Weights", "features", "hash_of", "ranked", "score"]

REACTIONS_FULL = 20
"""Reactions that count as much as any more would."""
WORDS_FULL = 8
"""Words of a message that says something; "ok" answers nobody's question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What counts how much."""

    engine: float = setting(
        "PARLEY_SEARCH_WEIGHT_ENGINE", default=1.0, minimum=0, help="weight of how well the words match; more: words"
    )
    age: float = setting(
        "PARLEY_SEARCH_WEIGHT_AGE", default=0.6, minimum=0, help="weight of youth; more puts the newest first"
    )
    author: float = setting(
        "PARLEY_SEARCH_WEIGHT_AUTHOR", default=0.25, minimum=0, help="weight of how near its author is to who asks"
    )
    channel: float = setting(
        "PARLEY_SEARCH_WEIGHT_CHANNEL", default=0.25, minimum=0, help="weight of how near its conversation is"
    )
    reactions: float = setting(
        "PARLEY_SEARCH_WEIGHT_REACTIONS", default=0.2, minimum=0, help="weight of how many have reacted"
    )
    length: float = setting(
        "PARLEY_SEARCH_WEIGHT_LENGTH", default=0.1, minimum=0, help="weight of having more than a few words"
    )
    half_life_days: float = setting(
        "PARLEY_SEARCH_HALF_LIFE_DAYS", default=30.0, minimum=0.01, help="days after which youth counts half as much"
    )


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near conversations and authors are to who asks, from 0 to 1, by `hash_of` their ids."""

    channels: Mapping[int, float] = field(default_factory=dict)
    users: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for a message, each from 0 to 1."""

    engine: float
    age: float
    author: float
    channel: float
    reactions: float
    length: float


def hash_of(identifier: str) -> int:
    """Return 64 bits that stand for an id: an index keeps numbers beside its words."""
    return int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest())


def features(each: Candidate, best_engine_score: float, nearness: Nearness, now_us: int, weights: Weights) -> Features:
    """Return what speaks for a message."""
    days = max(0, now_us - each.ts_us) / 86_400e6
    return Features(
        engine=each.engine_score / best_engine_score if best_engine_score > 0 else 0.0,
        age=0.5 ** (days / weights.half_life_days),
        author=nearness.users.get(each.user_hash, 0.0),
        channel=nearness.channels.get(each.channel_hash, 0.0),
        reactions=min(1.0, log1p(each.reaction_count) / log1p(REACTIONS_FULL)),
        length=min(1.0, each.word_count / WORDS_FULL),
    )


def score(found: Features, weights: Weights) -> float:
    """Return how much speaks for a message in all."""
    return (
        found.engine * weights.engine
        + found.age * weights.age
        + found.author * weights.author
        + found.channel * weights.channel
        + found.reactions * weights.reactions
        + found.length * weights.length
    )


def ranked(
    candidates: Sequence[Candidate], nearness: Nearness, now_us: int, weights: Weights
) -> list[tuple[float, Candidate, Features]]:
    """Return the candidates, the best first; of equal ones the newest."""
    best = max((each.engine_score for each in candidates), default=0.0)
    found = [(each, features(each, best, nearness, now_us, weights)) for each in candidates]
    rows = [(score(what, weights), each, what) for each, what in found]
    return sorted(rows, key=lambda row: (-row[0], -row[1].ts_us, row[1].channel_hash))
