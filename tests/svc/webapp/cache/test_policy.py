"""The table of what is cached, and the chances in it."""

from __future__ import annotations

import random

import pytest

from svc.webapp.cache.policy import CLASSES, NEWEST, TTL_SPREAD, USER, is_early, policy_of, ttl_of

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


@pytest.mark.parametrize(
    ("left_s", "load_ms", "least", "most"),
    [
        (0, 5, 1.0, 1.0),
        (1, 5, 0.0, 0.0),
        (1, 1000, 0.33, 0.41),
        (2, 1000, 0.11, 0.16),
        (10, 1000, 0.0, 0.001),
        (-1, 1000, 0.0, 0.0),
    ],
)
def test_early_refresh_is_likelier_the_nearer_the_end_and_the_longer_the_load(
    left_s: int, load_ms: int, least: float, most: float
) -> None:
    """By e^(-left/load); a life that is not known has no end."""
    share = sum(is_early(left_s, load_ms, RNG) for _ in range(10_000)) / 10_000
    assert least <= share <= most
