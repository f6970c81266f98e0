"""Keeping bytes: the contract that `disk` and its twin `memory` fulfil, and the ways in which it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from svc.kit.errors import InvalidArgumentError, ResourceExhaustedError
from svc.kit.ids import is_id

__all__ = ["FileKey", "FileStorage", "Incoming", "StorageFull", "Stored"]


@dataclass(frozen=True, slots=True)
class FileKey:
    """Which file: its workspace and its id. Raises InvalidArgumentError for what is no id, so that a path made of it
    stays where it belongs.
    """

    team_id: str
    file_id: str

    def __post_init__(self) -> None:
        if not is_id(self.team_id, "T") or not is_id(self.file_id, "F"):
            raise InvalidArgumentError("no file has such an id", subject="file")


class StorageFull(ResourceExhaustedError):
    """There is no space left for a file. Nothing of it was kept."""

    retryable = False


class Incoming(Protocol):
    """A file that comes in. Leaving its block before `keep` leaves nothing of it."""

    async def write(self, data: bytes) -> None:
        """Add bytes. Raises StorageFull; InvalidArgumentError beyond what was announced."""
        ...

    async def keep(self) -> bool:
        """Make it durable and give it its name. False: the same bytes were kept before.

        Raises AlreadyExistsError when other bytes have the name, StorageFull.
        """
        ...


class Stored(Protocol):
    """A file that is kept, open for reading: it can be read to its end even if it is removed meanwhile."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` to before `stop`, at most CHUNK_BYTES at a time."""
        ...


class FileStorage(Protocol):
    """Keeps files by key. UnavailableError when the storage itself does not work."""

    def receive(self, key: FileKey, bytes_max: int) -> AbstractAsyncContextManager[Incoming]:
        """Take in a file of at most `bytes_max`. Raises StorageFull at once where so much has no place."""
        ...

    def open(self, key: FileKey) -> AbstractAsyncContextManager[Stored]:
        """Open a file that was kept. Raises NotFoundError."""
        ...

    async def size(self, key: FileKey) -> int | None:
        """Return the bytes of a file that was kept; None when there is none."""
        ...

    async def remove(self, key: FileKey) -> None:
        """Remove a file; none is as good."""
        ...

    async def sweep(self) -> int:
        """Remove what writers that died have left, of whatever process; return how many."""
        ...
