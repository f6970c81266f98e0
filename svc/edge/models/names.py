"""Pure: search by prefix over the names of users and channels, right at every moment while they change.

A name is found by its beginning and by the beginning of each of its words: its keys are the folded name and what is
left of it from each word on, so "kar", "anna kar" and "akar" find Anna Karenina (akarenina). Keys are kept by what they
are (handle, name, word) and by length, in order: these are the ranks, so the best of ten thousand matches are the first
that are met, and none of the others is looked at.

Measured with 32,000 users and 10,000 channels (140,000 keys; 7.6 MB with the tables by id), both searched, inactive
ones too, on two cores with other work: 0.1 to 0.5 ms, the most when nothing is found; up to 1 ms with `AFFINITY_MAX`
weights. Sorted lists of texts would take 11 MB for the keys alone (65 bytes for a text, 16 to name it and its id).

Length is bytes of UTF-8, at most `KEY_BYTES_MAX`: beyond, keys and prefixes are cut, and all that agree so far match.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from svc.edge.models.folding import fold, word_starts
from svc.edge.models.numbers import id_of, number_of
from svc.edge.models.objects import held_bytes
from svc.edge.models.shelf import HANDLE, NAME, WORD, Rank, Shelf, rank_of
from svc.kit.errors import InvalidArgumentError

KEY_BYTES_MAX = 64
"""People have shorter names; channels may have longer ones (80), which nearly always differ before."""
WORDS_MAX = 8
"""Words of one name that find it."""
PREFIX_CHARS_MAX = 64
"""As much as a key holds."""
HITS_MAX = 20
"""A list that a person reads."""
AFFINITY_MAX = 200
"""Ids with weights in one search: 1 us each, 3 us each when all weigh the same and match."""

_KEY = re.compile(rb"([\x00-\x02])([^\x00-\x02]*)")
_ACTIVE, _INACTIVE = b"\x03", b"\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for."""

    prefix: str
    """Folded before it is compared; 1 to `PREFIX_CHARS_MAX` characters."""
    limit: int = HITS_MAX
    """The most ids to return; 1 to `HITS_MAX`."""
    affinity: Mapping[str, float] = field(default_factory=dict)
    """Ids of those whom the caller deals with, and how much: higher comes first, 0 and less is as not named. At most
    `AFFINITY_MAX`; those of other kinds, and of nobody, are passed over."""
    inactive: bool = False
    """Whether deactivated users and archived channels come too, after all others."""

    def check(self) -> bytes:
        """Return the prefix as keys are compared with it. Raises InvalidArgumentError with the bound and the number."""
        for subject, actual, limit in (
            ("prefix", len(self.prefix), PREFIX_CHARS_MAX),
            ("limit", self.limit, HITS_MAX),
            ("affinity", len(self.affinity), AFFINITY_MAX),
        ):
            if actual > limit:
                message = f"{subject}: {actual} is more than {limit}"
                raise InvalidArgumentError(message, subject=subject, limit=limit, actual=actual)
        if self.limit < 1:
            raise InvalidArgumentError("limit: at least 1", subject="limit", limit=1, actual=self.limit)
        prefix = _key(fold(self.prefix))
        if not prefix:
            raise InvalidArgumentError("prefix: has no letter to look for", subject="prefix")
        return prefix


class Names:
    """The names of users, or of channels, by the numbers of their ids.

    A rename costs 0.2 ms at 32,000 users, a change that leaves the names alone 20 us.
    """

    def __init__(self) -> None:
        self._entries: dict[int, bytes] = {}
        self._shelves = {_ACTIVE: Shelf(), _INACTIVE: Shelf()}
        self._entry_bytes = 0
        self._loading = True

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def memory_bytes(self) -> int:
        """Estimated bytes of memory, without the numbers, which the table of objects holds already."""
        return (
            sys.getsizeof(self._entries)
            + self._entry_bytes
            + sum(shelf.memory_bytes for shelf in self._shelves.values())
        )

    def put(self, number: int, handle: str, names: Iterable[str] = (), active: bool = True) -> None:
        """Take the names that an id has now, in place of those that it had."""
        keys = keys_of(handle, names)
        state = _ACTIVE if active else _INACTIVE
        entry = state + b"".join(bytes((kind,)) + key for key, kind in keys.items())
        held = self._entries.get(number)
        if held == entry:
            return
        if held is not None:
            self._clear(number, held)
        self._entries[number] = entry
        self._entry_bytes += held_bytes(len(entry))
        self._shelves[state].put(keys, number, self._loading)

    def remove(self, number: int) -> None:
        """Forget an id's names; nothing happens when there are none."""
        held = self._entries.pop(number, None)
        if held is not None:
            self._clear(number, held)

    def settle(self) -> bool:
        """Put a part of what was loaded in order, 10 ms of work at 32,000 users; False when all is.

        Until then changes are cheap, and the first search does all of it.
        """
        self._loading = any(shelf.settle() for shelf in self._shelves.values())
        return self._loading

    def best(self, prefix: bytes, query: Query) -> list[tuple[bool, float, Rank]]:
        """Return the best matches with their places: inactive last, then by weight, then by rank."""
        while self._loading and self.settle():
            pass
        found = self._dear(prefix, query)
        dear = {rank[-1] for _, _, rank in found}
        for state in (_ACTIVE, _INACTIVE) if query.inactive else (_ACTIVE,):
            if sum(not inactive for inactive, _, _ in found) < query.limit:
                ranks = _first(query.limit, self._shelves[state].matches(prefix), dear)
                found += [(state == _INACTIVE, 0.0, rank) for rank in ranks]
        return sorted(found)[: query.limit]

    def _dear(self, prefix: bytes, query: Query) -> list[tuple[bool, float, Rank]]:
        """Return the matches among those with a weight, the heaviest first, until there are enough."""
        found: list[tuple[bool, float, Rank]] = []
        enough, least = 0, 0.0
        handle, name, word = (bytes((kind,)) + prefix for kind in (HANDLE, NAME, WORD))
        for identifier, weight in sorted(query.affinity.items(), key=itemgetter(1), reverse=True):
            if not weight > 0 or (enough >= query.limit and weight < least):
                break
            number = number_of(identifier)
            entry = None if number is None else self._entries.get(number)
            if number is None or entry is None or not (handle in entry or name in entry or word in entry):
                continue
            active = entry.startswith(_ACTIVE)
            if active or query.inactive:
                found.append((not active, -weight, _best_rank(prefix, entry, number)))
                enough, least = enough + active, weight
        return found

    def _clear(self, number: int, entry: bytes) -> None:
        self._entry_bytes -= held_bytes(len(entry))
        self._shelves[entry[:1]].remove(((key, kind[0]) for kind, key in _KEY.findall(entry)), number)


def search(query: Query, *indexes: Names) -> list[str]:
    """Return the ids that match best in any of the indexes, the best first: at most `query.limit`.

    Order: deactivated last; then by affinity; then what is exactly the prefix, handles, names, inner words; the
    shorter key; the key; the older id. Raises InvalidArgumentError.
    """
    prefix = query.check()
    found = sorted(chain.from_iterable(index.best(prefix, query) for index in indexes))
    return [id_of(rank[-1]) for _, _, rank in found[: query.limit]]


def keys_of(handle: str, names: Iterable[str]) -> dict[bytes, int]:
    """Return what finds an object, and what each key is; the best for a key that is several things."""
    texts = [(HANDLE, fold(handle)), *((NAME, fold(name)) for name in names)]
    keys: dict[bytes, int] = {}
    for kind, text in texts:
        keys.setdefault(_key(text), kind)
    for _, text in texts:
        for start in word_starts(text)[:WORDS_MAX]:
            keys.setdefault(_key(text[start:]), WORD)
    keys.pop(b"", None)
    return keys


def _key(folded: str) -> bytes:
    return folded.encode("utf-8", "surrogatepass")[:KEY_BYTES_MAX]


def _best_rank(prefix: bytes, entry: bytes, number: int) -> Rank:
    """Return the rank of an entry that matches by its best key."""
    return min(rank_of(prefix, key, kind[0], number) for kind, key in _KEY.findall(entry) if key.startswith(prefix))


def _first(count: int, ranks: Iterator[Rank], seen: set[int]) -> list[Rank]:
    """Return the first `count` ranks of ids that are not in `seen`, one an id."""
    first: dict[int, Rank] = {}
    for rank in ranks:
        if rank[-1] not in seen:
            first.setdefault(rank[-1], rank)
            if len(first) == count:
                break
    return list(first.values())
