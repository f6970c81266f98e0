"""Files in memory: the twin of `disk`, for tests and for commands that store none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from svc.kit.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from svc.webapp.files.config import CHUNK_BYTES
from svc.webapp.files.storage import FileKey, StorageFull

__all__ = ["MemoryFiles"]


class MemoryFiles:
    """See FileStorage. Everything is lost with the process."""

    def __init__(self, capacity: int = 1 << 30) -> None:
        """`capacity`: bytes that it has space for."""
        self._capacity = capacity
        self._files: dict[FileKey, bytes] = {}

    @asynccontextmanager
    async def receive(self, key: FileKey, bytes_max: int) -> AsyncIterator[_Incoming]:
        """See FileStorage."""
        self.make_room(bytes_max)
        yield _Incoming(self, key, bytes_max)

    def make_room(self, size: int) -> None:
        """Raise StorageFull unless there is space for so much."""
        used = sum(map(len, self._files.values()))
        if used + size > self._capacity:
            raise StorageFull("no space left for files", subject="files.disk", limit=self._capacity, actual=used + size)

    def put(self, key: FileKey, data: bytes) -> bool:
        """Keep bytes; False when the same were there. Raises AlreadyExistsError for others."""
        if key in self._files and self._files[key] != data:
            raise AlreadyExistsError("other bytes were uploaded before", subject="file")
        is_new = key not in self._files
        self._files[key] = data
        return is_new

    @asynccontextmanager
    async def open(self, key: FileKey) -> AsyncIterator[_Stored]:
        """See FileStorage."""
        if key not in self._files:
            raise NotFoundError("the file is not there", subject="file")
        yield _Stored(self._files[key])

    async def size(self, key: FileKey) -> int | None:
        """See FileStorage."""
        return len(self._files[key]) if key in self._files else None

    async def remove(self, key: FileKey) -> None:
        """See FileStorage."""
        self._files.pop(key, None)

    async def sweep(self) -> int:
        """See FileStorage. Whoever dies here takes everything along."""
        return 0


class _Incoming:
    def __init__(self, files: MemoryFiles, key: FileKey, bytes_max: int) -> None:
        self._files = files
        self._key = key
        self._bytes_max = bytes_max
        self._data = bytearray()

    async def write(self, data: bytes) -> None:
        if len(self._data) + len(data) > self._bytes_max:
            actual = len(self._data) + len(data)
            message = "more bytes than were announced"
            raise InvalidArgumentError(message, subject="file", limit=self._bytes_max, actual=actual)
        self._data += data

    async def keep(self) -> bool:
        return self._files.put(self._key, bytes(self._data))


class _Stored:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        for place in range(start, min(stop, self.size), CHUNK_BYTES):
            yield self._data[place : min(place + CHUNK_BYTES, stop)]
