"""Whom users deal with is remembered, for so many users and no more."""

from __future__ import annotations

import gc
import tracemalloc

from svc.edge.nearness import Nearness
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM


def test_what_a_search_names_comes_before_what_a_boot_named() -> None:
    """The nearest weigh most, each once; nobody is near to a stranger."""
    near = Nearness(users_max=10, bytes_max=1 << 20)
    near.remember(TEAM, ALICE, [BOB, GENERAL])
    assert list(near.weights(TEAM, ALICE)) == [BOB, GENERAL]
    weights = near.weights(TEAM, ALICE, [RANDOM, GENERAL])
    assert list(weights) == [RANDOM, GENERAL, BOB]
    assert sorted(weights.values(), reverse=True) == list(weights.values())
    assert min(weights.values()) > 0
    assert near.weights(TEAM, BOB) == near.weights("T0000000009", ALICE) == {}


def test_a_boot_replaces_what_the_last_one_said() -> None:
    """One that says nothing, as after a reconnect, leaves it."""
    near = Nearness(users_max=10, bytes_max=1 << 20)
    near.remember(TEAM, ALICE, [BOB, GENERAL])
    near.remember(TEAM, ALICE, [RANDOM])
    near.remember(TEAM, ALICE, [])
    assert list(near.weights(TEAM, ALICE)) == [RANDOM]


def test_no_more_weights_than_a_search_takes() -> None:
    """Those named now are all there; of those remembered the nearest."""
    near = Nearness(users_max=10, bytes_max=1 << 20)
    ids = [f"U{number:010}" for number in range(400)]
    near.remember(TEAM, ALICE, ids[:200])
    weights = near.weights(TEAM, ALICE, ids[200:350])
    assert list(weights) == ids[200:350] + ids[:50]


def test_who_booted_or_searched_longest_ago_is_forgotten() -> None:
    """Users and bytes are bounded, and the bytes are about what they take."""
    near = Nearness(users_max=2, bytes_max=1 << 20)
    for user_id in (ALICE, BOB):
        near.remember(TEAM, user_id, [GENERAL])
    near.weights(TEAM, ALICE)
    near.remember(TEAM, "U0000000003", [GENERAL])
    assert (len(near), list(near.weights(TEAM, ALICE)), near.weights(TEAM, BOB)) == (2, [GENERAL], {})
    ids = [f"U{number:010}" for number in range(200)]
    gc.collect()
    tracemalloc.start()
    small = Nearness(users_max=50_000, bytes_max=1_000_000)
    for user_id in (f"U{number:010}" for number in range(1000)):
        small.remember(TEAM, user_id, ids)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 300 < len(small) < 400
    assert small.bytes <= 1_000_000
    assert 0.8 < taken / small.bytes < 1.2
