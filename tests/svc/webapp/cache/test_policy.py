"""The table of what is cached, and the chances in it."""

from __future__ import annotations

import random

import pytest

from svc.webapp.cache.policy import (
    CLASSES,
    EARLY_MAX_S,
    EARLY_MIN_S,
    NEWEST,
    TTL_SPREAD,
    USER,
    Earliness,
    policy_of,
    ttl_of,
)

RNG = random.Random(5)


def test_every_class_is_told_from_the_others_by_its_keys() -> None:
    """No prefix is used twice or begins another one; what is of no class is a defect."""
    prefixes = [policy.prefix for policy in CLASSES]
    assert len(set(prefixes)) == len(prefixes)
    for policy in CLASSES:
        assert policy_of(f"{policy.prefix}:C1:U1") is policy
    with pytest.raises(KeyError):
        policy_of("nobody:1")


def test_nothing_lives_longer_than_its_class_says() -> None:
    """The stated bound; what is filled together does not end together, and absence is short."""
    for policy in CLASSES:
        lives = [ttl_of(policy, RNG, is_none=False) for _ in range(1000)]
        assert max(lives) <= policy.ttl_s
        assert min(lives) >= policy.ttl_s * (1 - TTL_SPREAD) - 1
        assert len(set(lives)) > policy.ttl_s * TTL_SPREAD / 2
        assert ttl_of(policy, RNG, is_none=True) == policy.negative_ttl_s
        assert policy.bound


def test_what_users_change_themselves_is_never_stale() -> None:
    """They would not see their own change."""
    assert NEWEST.stale_s == 0
    assert [policy.name for policy in CLASSES if policy.stale_s] == ["user", "team"]
    assert USER.stale_s <= 10


def test_values_are_refreshed_the_earlier_the_longer_loads_take() -> None:
    """By chance around the mean of a load, between bounds: two seconds when loads are quick, as they are."""
    earliness = Earliness(RNG)
    assert {earliness.draw_s() for _ in range(1000)} == {EARLY_MIN_S}
    for _ in range(50):
        earliness.note(0.005)
    assert {earliness.draw_s() for _ in range(1000)} == {EARLY_MIN_S}
    for _ in range(100):
        earliness.note(4.0)
    draws = [earliness.draw_s() for _ in range(10_000)]
    assert (min(draws), max(draws)) == (EARLY_MIN_S, EARLY_MAX_S)
    # Of an exponential distribution, a share of 1/e is above its mean.
    assert 0.33 < sum(draw > 4 for draw in draws) / len(draws) < 0.41
    assert min(policy.ttl_s for policy in CLASSES) * (1 - TTL_SPREAD) > EARLY_MAX_S
