"""The ring: equal everywhere, balanced, and moving little more than it must."""

import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.ring import SLOTS, Columns, Member, Ring, RingEmptyError, moves, slot

BALANCE_MAX = 1.11
MOVED_MAX = 1.10

COLUMNS = Columns()

ids = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=1, max_size=30)
member_sets = st.dictionaries(ids, st.integers(1, 1_000), min_size=1, max_size=8)


def fleet(count: int, seed: int = 1, weights: tuple[int, ...] = (1,)) -> list[Member]:
    """Return members with ids as they look in production, weights in turn."""
    rng = random.Random(seed)
    return [Member(f"channel-az{n % 2}-{n}-{rng.getrandbits(24):06x}", weights[n % len(weights)]) for n in range(count)]


def fullest(ring: Ring) -> float:
    """Return the load of the fullest member over its fair share by weight."""
    load = Counter(owner for _, owner in ring.owners())
    total = sum(member.weight for member in ring.members.values())
    return max(load[member.id] * total / (SLOTS * member.weight) for member in ring.members.values())


def fair(member: Member, ring: Ring) -> float:
    """Return a member's fair share of the slots."""
    return SLOTS * member.weight / sum(each.weight for each in ring.members.values())


@settings(max_examples=20, deadline=None)
@given(member_sets, st.randoms(use_true_random=False))
def test_the_order_of_the_members_does_not_matter(weights: dict[str, int], rng: random.Random) -> None:
    """Every process lists Consul's answer as it likes, and must still agree."""
    members = [Member(name, weight) for name, weight in weights.items()]
    shuffled = rng.sample(members, len(members))
    one, other = Ring(members, COLUMNS), Ring(shuffled, COLUMNS)
    assert list(one.owners()) == list(other.owners())
    assert one.fingerprint == other.fingerprint


@settings(max_examples=20, deadline=None)
@given(member_sets)
def test_every_slot_has_an_owner_and_no_member_is_over_its_capacity(weights: dict[str, int]) -> None:
    """No slot unowned, no stranger an owner, nobody over 1.11 fair shares (or one slot, where shares are tiny)."""
    ring = Ring([Member(name, weight) for name, weight in weights.items()], COLUMNS)
    load = Counter(owner for _, owner in ring.owners())
    assert load.total() == SLOTS
    assert load.keys() <= weights.keys()
    for member in ring.members.values():
        assert load[member.id] <= max(1.11 * fair(member, ring), fair(member, ring) + 1)


@settings(max_examples=15, deadline=None)
@given(member_sets.filter(lambda weights: len(weights) > 1), st.data())
def test_a_leave_moves_all_slots_of_the_leaver(weights: dict[str, int], data: st.DataObject) -> None:
    """`moves` names every slot that changed hands, and nothing stays with a member that is gone."""
    members = [Member(name, weight) for name, weight in weights.items()]
    leaver = data.draw(st.sampled_from(members))
    before = Ring(members, COLUMNS)
    after = Ring([member for member in members if member is not leaver], COLUMNS)
    moved = moves(before, after)
    assert set(before.slots_of(leaver.id)) <= moved.keys()
    for place in range(SLOTS):
        old, new = before.owner_of_slot(place), after.owner_of_slot(place)
        assert moved.get(place, (old, old)) == (old, new)


def test_another_process_with_another_hash_seed_builds_the_same_table() -> None:
    """Placement must not depend on Python's salted hash(), or gateways and owners would never meet."""
    program = (
        "import hashlib, json, sys; from discovery.ring import Member, Ring\n"
        "ring = Ring([Member(f'm{n}', 1 + n % 3) for n in range(20)])\n"
        "print(hashlib.sha256(json.dumps(list(ring.owners())).encode()).hexdigest(), ring.fingerprint)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "random")
    }
    assert len(told) == 1


def test_the_table_is_the_one_that_running_instances_hold() -> None:
    """A change to the placement moves every channel of a live mesh: it must be meant, with a new hash label."""
    ring = Ring([Member("a"), Member("b"), Member("c")])
    weighted = Ring([Member("a", 1), Member("b", 2), Member("c", 3)])
    assert [ring.owner(key) for key in ("C1", "C2", "C3", "U1", "T1")] == ["b", "b", "c", "b", "b"]
    assert [weighted.owner(key) for key in ("C1", "C2", "C3", "U1", "T1")] == ["b", "b", "c", "c", "b"]
    assert (ring.fingerprint, weighted.fingerprint) == (17434671827463323065, 15598127825845651917)
    assert slot("C024BE91L") == 13004


@pytest.mark.parametrize("weights", [(1,), (1, 2, 3, 4)], ids=["equal", "weighted"])
@pytest.mark.parametrize("count", [3, 10, 100])
def test_the_fullest_member_has_at_most_1_11_times_its_fair_share(count: int, weights: tuple[int, ...]) -> None:
    """The bar for balance, on three fleets each."""
    for seed in range(3):
        assert fullest(Ring(fleet(count, seed, weights), COLUMNS)) <= BALANCE_MAX


@pytest.mark.parametrize("weights", [(1,), (1, 2, 3, 4)], ids=["equal", "weighted"])
@pytest.mark.parametrize("count", [3, 10, 100])
def test_joins_and_leaves_move_at_most_1_10_times_the_ideal_share(count: int, weights: tuple[int, ...]) -> None:
    """The bar for movement: moved slots over fair shares of those that came or went, across fleets and members."""
    joined, left = [], []
    for seed in range(3):
        columns = Columns()
        members = fleet(count + 4, seed, weights)
        before = Ring(members[:count], columns)
        for joiner in members[count:]:
            after = Ring([*members[:count], joiner], columns)
            joined.append(len(moves(before, after)) / fair(joiner, after))
        for leaver in members[:4]:
            after = Ring([member for member in members[:count] if member is not leaver], columns)
            left.append(len(moves(before, after)) / fair(leaver, before))
    assert statistics.mean(joined) <= MOVED_MAX
    assert statistics.mean(left) <= MOVED_MAX


def test_shares_follow_the_weights() -> None:
    """A member of weight 3 gets three times the slots of one of weight 1, within the noise of hashing."""
    ring = Ring([Member("light", 1), Member("middle", 2), Member("heavy", 3)])
    for member in ring.members.values():
        assert len(ring.slots_of(member.id)) == pytest.approx(fair(member, ring), rel=0.05)


def test_equal_weights_place_alike_whatever_the_weight() -> None:
    """The short cut for equal weights gives what the general path gives: 5, 5, 5 is 1, 1, 1."""
    ones = fleet(7)
    fives = [Member(member.id, 5) for member in ones]
    nearly = [*fives, Member("feather", 1)]
    assert list(Ring(ones).owners()) == list(Ring(fives).owners())
    moved = moves(Ring(fives), Ring(nearly))
    assert {new for _, new in moved.values()} == {"feather"}


def test_a_ring_without_members_owns_nothing_and_says_so() -> None:
    """An empty view is an error to whoever asks for an owner, never a wrong answer."""
    empty = Ring(())
    with pytest.raises(RingEmptyError):
        empty.owner("C1")
    with pytest.raises(RingEmptyError):
        empty.owner_of_slot(0)
    full = Ring([Member("a")])
    assert empty.fingerprint == 0
    assert list(empty.owners()) == []
    assert len(moves(empty, full)) == len(moves(full, empty)) == SLOTS
    assert moves(empty, full)[7] == (None, "a")
    assert moves(empty, empty) == {}


def test_members_that_cannot_be_placed_are_refused() -> None:
    """Two members of one id, a weight of nothing, an empty id."""
    with pytest.raises(ValueError, match="distinct"):
        Ring([Member("a"), Member("a", 2)])
    for name, weight in (("a", 0), ("a", 1_001), ("", 1)):
        with pytest.raises(ValueError, match="weight"):
            Member(name, weight)


def test_the_fingerprint_names_ids_and_weights_and_nothing_else() -> None:
    """A new address or zone moves no channel, so it must not make servers refuse each other's publishes."""
    here = Ring([Member("a", 1, "10.0.0.1:1", "az1"), Member("b")])
    there = Ring([Member("a", 1, "10.0.0.2:2", "az2"), Member("b")])
    assert here.fingerprint == there.fingerprint
    assert here.fingerprint != Ring([Member("a", 2), Member("b")]).fingerprint
    assert here.fingerprint != Ring([Member("a1"), Member("b")]).fingerprint
    assert 0 < here.fingerprint < 2**64


def test_thousand_members_hold_every_slot() -> None:
    """Past the sizes that we tune for, the ring is still whole."""
    ring = Ring(fleet(1_000))
    assert len(set(dict(ring.owners()).values())) > 990
    assert fullest(ring) <= 1.2


def test_lookups_and_rebuilds_are_fast_enough_to_be_called_anywhere() -> None:
    """A guard against falling off a cliff, 4 times the bars of 1 us and 100 ms; `parley bench ring` measures them."""
    columns = Columns()
    members = fleet(101)
    ring = Ring(members[:100], columns)
    keys = [f"C{n:010d}" for n in range(20_000)]
    lookup = min(_timed(lambda: [ring.owner(key) for key in keys]) for _ in range(5)) / len(keys)
    rebuild = min(_timed(lambda: Ring(members, columns)) for _ in range(3))
    assert lookup < 4e-6
    assert rebuild < 0.4


def _timed(work: Callable[[], object]) -> float:
    """Return the processor time that `work` takes: a busy machine must not fail the test."""
    began = time.process_time()
    work()
    return time.process_time() - began
