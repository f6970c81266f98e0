"""Pure: keys of names by what they are and by length, each run of them in order: read in turn, they are ranked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from svc.edge.models.records import Records

HANDLE, NAME, WORD = range(3)
"""What a key is: all of a handle (a channel's name is one), all of another name, or from an inner word on."""

Rank = tuple[bool, int, int, bytes, int]
"""Not exact; what the key is; its length; the key; the number of the id. Lower is better."""


def rank_of(prefix: bytes, key: bytes, kind: int, number: int) -> Rank:
    """Return the place of a match among others."""
    return kind == WORD or len(key) > len(prefix), kind, len(key), key, number


class Shelf:
    """Keys by what they are and by length."""

    def __init__(self) -> None:
        self._records: tuple[dict[int, Records], ...] = ({}, {}, {})
        self.memory_bytes = 0
        """Bytes of memory."""

    def put(self, keys: Mapping[bytes, int], number: int, loading: bool) -> None:
        """Add the keys of an id, unsorted while everything is loaded."""
        for key, kind in keys.items():
            records = self._records[kind].get(len(key))
            if records is None:
                records = self._records[kind][len(key)] = Records(len(key))
            else:
                self.memory_bytes -= records.memory_bytes
            (records.append if loading else records.insert)(key, number)
            self.memory_bytes += records.memory_bytes

    def remove(self, keys: Iterable[tuple[bytes, int]], number: int) -> None:
        """Take out the keys of an id, each with what it is."""
        for key, kind in keys:
            records = self._records[kind][len(key)]
            self.memory_bytes -= records.memory_bytes
            records.remove(key, number)
            if records:
                self.memory_bytes += records.memory_bytes
            else:
                del self._records[kind][len(key)]

    def settle(self) -> bool:
        """Sort one run of records that needs it; False when none does."""
        unsorted = next((each for kind in self._records for each in kind.values() if not each.is_sorted), None)
        if unsorted is None:
            return False
        self.memory_bytes -= unsorted.memory_bytes
        unsorted.settle()
        self.memory_bytes += unsorted.memory_bytes
        return True

    def matches(self, prefix: bytes) -> Iterator[Rank]:
        """Yield matches in the order of ranks; an id comes once for each of its keys that match."""
        handles, names, words = self._records
        shortest = len(prefix)
        yield from _matches(prefix, HANDLE, [shortest], handles)
        yield from _matches(prefix, NAME, [shortest], names)
        yield from _matches(prefix, HANDLE, sorted(length for length in handles if length > shortest), handles)
        yield from _matches(prefix, NAME, sorted(length for length in names if length > shortest), names)
        yield from _matches(prefix, WORD, sorted(length for length in words if length >= shortest), words)


def _matches(prefix: bytes, kind: int, lengths: Iterable[int], records: Mapping[int, Records]) -> Iterator[Rank]:
    for length in lengths:
        if length in records:
            for key, number in records[length].from_prefix(prefix):
                yield rank_of(prefix, key, kind, number)
