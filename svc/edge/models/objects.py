"""Pure: the objects of one kind in a workspace's model, small."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from parley.boot.v1 import boot_pb2 as boot
from svc.edge.models.numbers import number_of
from svc.kit.errors import InternalError

_VERSION_BYTES = 8
_NUMBER_BYTES = 32
"""An int of 31 to 60 bits."""
_BYTES_HEADER = 33

Message = TypeVar("Message", boot.User, boot.Channel)


def held_bytes(length: int) -> int:
    """Return what a bytes object of this length takes: its header, rounded up as the allocator does."""
    return (length + _BYTES_HEADER + 15) & ~15


class Objects(Generic[Message]):
    """Objects of one kind by id, each with its version: a table from the id's number to version and serialized form."""

    def __init__(self, kind: type[Message]) -> None:
        self._kind: type[Message] = kind
        self._held: dict[int, bytes] = {}
        self._data_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Message]:
        """Yield every object, in the order of ids as loaded; new ones last."""
        return (self._kind.FromString(data[_VERSION_BYTES:]) for data in self._held.values())

    @property
    def memory_bytes(self) -> int:
        """Estimated bytes of memory: the table as it is, numbers and data as the allocator rounds them."""
        return sys.getsizeof(self._held) + len(self._held) * _NUMBER_BYTES + self._data_bytes

    def get(self, object_id: str) -> Message | None:
        """Return an object; None when there is none. O(1)."""
        data = self._find(object_id)
        return None if data is None else self._kind.FromString(data[_VERSION_BYTES:])

    def entry(self, object_id: str) -> tuple[int, bytes] | None:
        """Return an object's version and serialized form, unparsed; None when there is none. O(1), 1 us."""
        data = self._find(object_id)
        return None if data is None else (_version(data), data[_VERSION_BYTES:])

    def above(self, object_ids: Iterable[str], version: int) -> Iterator[bytes]:
        """Yield the serialized forms of those of the objects that are there, and of a higher version than `version`."""
        for object_id in object_ids:
            data = self._find(object_id)
            if data is not None and (version < 0 or _version(data) > version):
                yield data[_VERSION_BYTES:]

    def version(self, object_id: str) -> int | None:
        """Return an object's version without parsing it; None when there is none. O(1)."""
        data = self._find(object_id)
        return None if data is None else _version(data)

    def numbers(self) -> list[int]:
        """Return the numbers of all ids, to be read in pages. 0.3 MB of 42,000."""
        return list(self._held)

    def serialized(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """Yield the serialized forms of objects by number, as they are now; those that are gone are left out."""
        return (data[_VERSION_BYTES:] for number in numbers if (data := self._held.get(number)) is not None)

    def put(self, message: Message) -> int | None:
        """Take an object unless a higher version is held; return its number if it was taken, None if not.

        Raises InternalError for an object whose id has not an id's form.
        """
        number = number_of(message.id)
        if number is None:
            raise InternalError(f"an object has the id {message.id[:40]!r}", subject="id")
        held = self._held.get(number)
        if held is not None:
            if message.version < _version(held):
                return None
            self._data_bytes -= held_bytes(len(held))
        data = message.version.to_bytes(_VERSION_BYTES, "little") + message.SerializeToString()
        self._held[number] = data
        self._data_bytes += held_bytes(len(data))
        return number

    def remove(self, object_id: str) -> int | None:
        """Forget an object; return its number, None when there was none."""
        number = number_of(object_id)
        held = None if number is None else self._held.pop(number, None)
        if held is None:
            return None
        self._data_bytes -= held_bytes(len(held))
        return number

    def _find(self, object_id: str) -> bytes | None:
        number = number_of(object_id)
        return None if number is None else self._held.get(number)


def _version(data: bytes) -> int:
    return int.from_bytes(data[:_VERSION_BYTES], "little")
