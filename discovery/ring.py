"""The ring: which member of a tier owns each channel, computed alike by every process with no coordinator.

A channel id hashes to one of 16,384 slots; every slot has one owner. Slots propose to members in the order of their
times (rendezvous hashing, `lanes`), and a member keeps its best slots up to its capacity, 1.11 times its fair share: a
stable matching, which is unique, so neither the order of the members nor the process matters. Measured over fleets of
100: a join moves 1.05 times its fair share, a leave 1.06 times; up to 50 members, both move 1.00 to 1.01 times.
Source: Thaler & Ravishankar 1998 (rendezvous); Mirrokni et al. 2016 (bounded loads); Gale & Shapley 1962.
"""

import heapq
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress, repeat
from operator import eq, ne

from discovery.lanes import MEMBERS_MAX, SLOTS, WEIGHT_MAX, Columns, reciprocal, winners, word_of_slot
from svc.kit.errors import UnavailableError

__all__ = ["SLOTS", "Columns", "Member", "Ring", "RingEmptyError", "moves", "slot"]

CAPACITY_PERCENT = 111
"""A member's capacity over its fair share, so that max/mean <= 1.11 by construction. Measured at 100 members: 110 moved
1.08 times the ideal share, 111 moves 1.05; without a bound max/mean is 1.21."""


class RingEmptyError(UnavailableError):
    """No member is on the ring, so nobody owns the channel. Retrying later helps."""


@dataclass(frozen=True, slots=True)
class Member:
    """One instance of a ringed tier. Only `id` and `weight` place channels; the rest says how to reach it."""

    id: str
    weight: int = 1
    address: str = ""
    zone: str = ""

    def __post_init__(self) -> None:
        """Refuse an empty id and a weight outside 1 to WEIGHT_MAX."""
        if not self.id or not 1 <= self.weight <= WEIGHT_MAX:
            raise ValueError(f"a member needs an id and a weight from 1 to {WEIGHT_MAX}: {self.id!r}, {self.weight}")


def slot(key: str) -> int:
    """Return the slot of a channel id, 0 to SLOTS - 1: blake2b-64 of its UTF-8 form, modulo SLOTS."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little") % SLOTS


class Ring:
    """An immutable table from slots to members, a function of the members' ids and weights and nothing else.

    Holds 128 KiB, and as much again once every member's slots were asked for. Building it takes 50 ms at 100 members
    (all columns new: 80 ms) and 2 ms at 3.
    """

    __slots__ = ("_owners", "_slots", "fingerprint", "members")

    def __init__(self, members: Iterable[Member], columns: Columns | None = None) -> None:
        """Build the table; `columns` (see there) makes the next build after a small change cheaper.

        Raises ValueError when two members share an id or there are more than MEMBERS_MAX.
        """
        ordered = tuple(sorted(members, key=lambda member: member.id))
        ids = [member.id for member in ordered]
        if len(set(ids)) < len(ids) or len(ids) > MEMBERS_MAX:
            raise ValueError(f"a ring needs distinct ids, at most {MEMBERS_MAX}; got {len(ids)}")
        self.members: Mapping[str, Member] = {member.id: member for member in ordered}
        """The members by id, in the order of their ids."""
        self._slots: dict[str, tuple[int, ...]] = {}
        self.fingerprint: int = _fingerprint(ordered)
        """Unsigned 64-bit name of this placement: equal members and weights give equal fingerprints; 0 when empty."""
        self._owners = (
            tuple(map(ids.__getitem__, _place(ordered, Columns() if columns is None else columns))) if ids else ()
        )

    def __repr__(self) -> str:
        """Name the placement as logs and `parley ring` do."""
        return f"Ring({len(self.members)} members, {self.fingerprint:016x})"

    def owner(self, key: str) -> str:
        """Return the id of the member responsible for the channel `key`. One hash, one table read: 0.7 us.

        Raises RingEmptyError.
        """
        try:
            return self._owners[int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little") % SLOTS]
        except IndexError:
            raise _empty() from None

    def owner_of_slot(self, slot: int) -> str:
        """Return the id of the member that owns `slot` (0 to SLOTS - 1). Raises RingEmptyError."""
        try:
            return self._owners[slot]
        except IndexError:
            raise _empty() from None

    def owners(self) -> Iterator[tuple[int, str]]:
        """Yield every slot with its owner, in the order of slots; nothing when the ring is empty."""
        return enumerate(self._owners)

    def slots_of(self, member_id: str) -> tuple[int, ...]:
        """Return the slots that a member owns, ascending; none for a stranger. Remembered: lines come up often."""
        if member_id not in self._slots and member_id in self.members:
            self._slots[member_id] = tuple(compress(range(SLOTS), map(eq, self._owners, repeat(member_id))))
        return self._slots.get(member_id, ())


def moves(before: Ring, after: Ring) -> dict[int, tuple[str | None, str | None]]:
    """Return each slot that changed hands, with its old and new owner; None stands for an empty ring. Takes 1 ms."""
    nobody = (None,) * SLOTS
    old, new = before._owners or nobody, after._owners or nobody
    return {slot: (old[slot], new[slot]) for slot in compress(range(SLOTS), map(ne, old, new))}


def _fingerprint(ordered: Iterable[Member]) -> int:
    listing = "".join(f"{len(member.id)}:{member.id}={member.weight};" for member in ordered)
    return int.from_bytes(blake2b(listing.encode(), digest_size=8).digest(), "little") if listing else 0


def _empty() -> RingEmptyError:
    return RingEmptyError("the ring has no members")


def _place(ordered: tuple[Member, ...], columns: Columns) -> list[int]:
    """Return the rank of the owner of each slot: everyone's first choice, then what overflows is matched on."""
    weights = [member.weight for member in ordered]
    exponential = len(set(weights)) > 1
    words = [columns.words(member.id, exponential) for member in ordered]
    factors = [reciprocal(weight) if exponential else 1 for weight in weights]
    owners = winners(words, factors)
    _Matching(owners, words, factors, _capacities(weights)).settle()
    return owners


def _capacities(weights: list[int]) -> list[int]:
    """Return how many slots each member may hold: 1.11 fair shares, and never less than its fair share rounded up."""
    total = sum(weights)
    return [max(SLOTS * weight * CAPACITY_PERCENT // (100 * total), -(-SLOTS * weight // total)) for weight in weights]


class _Matching:
    """Deferred acceptance: a full member drops its worst slot, which proposes to its next choice, until all are held.

    Changes `owners` in place. Some 1 % of the slots propose a second time, so the rows of times of those alone are
    ever sorted.
    """

    def __init__(self, owners: list[int], words: "list[array[int]]", factors: list[int], capacities: list[int]) -> None:
        self._owners, self._words, self._factors, self._capacities = owners, words, factors, capacities
        self._held: list[list[int]] = [[] for _ in capacities]
        self._worst_first: dict[int, list[tuple[int, int]]] = {}
        self._choices: dict[int, Iterator[int]] = {}
        for place, rank in enumerate(owners):
            self._held[rank].append(place)

    def settle(self) -> None:
        """Move slots until no member is over its capacity. Terminates: a slot never proposes to a member twice."""
        proposals: list[int] = []
        for rank, held in enumerate(self._held):
            while len(held) > self._capacities[rank]:
                proposals.append(self._drop_worst(rank))
        while proposals:
            place = proposals.pop()
            rank = self._next_choice(place)
            self._take(rank, place)
            if len(self._held[rank]) > self._capacities[rank]:
                proposals.append(self._drop_worst(rank))

    def _time(self, rank: int, place: int) -> int:
        return self._words[rank][word_of_slot(place)] * self._factors[rank]

    def _next_choice(self, place: int) -> int:
        choices = self._choices.get(place)
        if choices is None:
            word = word_of_slot(place)
            times = [column[word] * factor for column, factor in zip(self._words, self._factors, strict=True)]
            choices = iter(sorted(range(len(times)), key=times.__getitem__))  # stable: ties go to the lower rank
            next(choices)  # the first choice is the member that has just dropped it
            self._choices[place] = choices
        return next(choices)

    def _take(self, rank: int, place: int) -> None:
        self._owners[place] = rank
        self._held[rank].append(place)
        heap = self._worst_first.get(rank)
        if heap is not None:
            heapq.heappush(heap, (-self._time(rank, place), -place))

    def _drop_worst(self, rank: int) -> int:
        heap = self._worst_first.get(rank)
        if heap is None:
            heap = self._worst_first[rank] = [(-self._time(rank, place), -place) for place in self._held[rank]]
            heapq.heapify(heap)
        place = -heapq.heappop(heap)[1]
        self._held[rank].remove(place)
        return place
