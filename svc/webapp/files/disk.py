"""Files in a folder, which may be shared by several processes.

    <folder>/incoming/<team>-<file>-<random>      being written, locked by its writer
    <folder>/kept/<team>/<2 last characters>/<file>

A file gets its name by a hard link, which fails when the name is taken: of two who upload the same file only the first
succeeds. The lock (flock) ends with its process, so a sweep knows dead writers' files from those of slow ones.
Everything that waits for the disk is done by a few threads of its own.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import filecmp
import os
import secrets
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from svc.kit.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, UnavailableError
from svc.webapp.files.config import CHUNK_BYTES
from svc.webapp.files.storage import FileKey, StorageFull

__all__ = ["DiskFiles"]

T = TypeVar("T")

THREADS = 4
"""What one disk does at a time; more would only wait in it."""
NAMES_TRIED = 8
"""A fresh name is in somebody's way once in 2^64, or for the moment in which a sweep looks at it."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFiles:
    """See FileStorage. Use as an async context manager: its threads end with the block."""

    def __init__(self, folder: Path, free_bytes_min: int = 0) -> None:
        """`folder` is made when it is not there, for its owner alone. Raises nothing yet."""
        self._incoming = folder / "incoming"
        self._kept = folder / "kept"
        self._free_bytes_min = free_bytes_min
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")

    async def __aenter__(self) -> DiskFiles:
        """Raises UnavailableError when the folder cannot be made or written to."""

        def make() -> None:
            for folder in (self._incoming, self._kept):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self._incoming, os.W_OK | os.X_OK) or not os.access(self._kept, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._kept.parent))

        await self._run(make)
        return self

    async def __aexit__(self, *_: object) -> None:
        # Those who wait for a thread were cancelled before; what a thread does now ends in milliseconds.
        await asyncio.to_thread(self._threads.shutdown)

    @asynccontextmanager
    async def receive(self, key: FileKey, bytes_max: int) -> AsyncIterator[_Incoming]:
        """See FileStorage."""
        part = _Part(self._incoming, key)
        try:
            await self._run(lambda: self._make_room(bytes_max))
            await self._run(part.open)
            yield _Incoming(self, part, self._path(key), bytes_max)
        finally:
            # Also when it was cancelled while a thread was at it: the part's own lock lets this wait for that.
            await asyncio.shield(self._run(part.drop))

    def _make_room(self, size: int) -> None:
        free = shutil.disk_usage(self._incoming).free
        if free - size < self._free_bytes_min:
            raise StorageFull(
                "no space left for files", subject="files.disk", limit=self._free_bytes_min, actual=max(0, free - size)
            )

    @asynccontextmanager
    async def open(self, key: FileKey) -> AsyncIterator[_Stored]:
        """See FileStorage."""
        stored = _Stored(self, self._path(key))
        try:
            await self._run(stored.open)
            yield stored
        finally:
            await asyncio.shield(self._run(stored.close))

    async def size(self, key: FileKey) -> int | None:
        """See FileStorage."""

        def look() -> int | None:
            try:
                return self._path(key).stat().st_size
            except FileNotFoundError:
                return None

        return await self._run(look)

    async def remove(self, key: FileKey) -> None:
        """See FileStorage."""
        await self._run(lambda: self._path(key).unlink(missing_ok=True))

    async def sweep(self) -> int:
        """See FileStorage."""
        return await self._run(lambda: sum(map(_sweep, self._incoming.iterdir())))

    def _path(self, key: FileKey) -> Path:
        return self._kept / key.team_id / key.file_id[-2:] / key.file_id

    async def _run(self, work: Callable[[], T]) -> T:
        """Let a thread do `work`. What the disk says becomes an error of the kit."""

        def checked() -> T:
            with _translated():
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, checked)


class _Part:
    """A file that is being written. Threads take turns; once dropped it does nothing more."""

    def __init__(self, folder: Path, key: FileKey) -> None:
        self._folder = folder
        self._key = key
        self._lock = threading.Lock()
        self._fd = -1
        self._is_over = False
        self.path = folder

    def open(self) -> None:
        with self._lock:
            for _ in range(NAMES_TRIED):
                if self._is_over or self._claim():
                    return
        raise UnavailableError("no name for an upload was free")

    def _claim(self) -> bool:
        path = self._folder / f"{self._key.team_id}-{self._key.file_id}-{secrets.token_hex(8)}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = os.fstat(fd).st_nlink > 0
        except BlockingIOError:
            is_ours = False
        if is_ours:
            self._fd, self.path = fd, path
        else:  # a sweep saw it before it was locked
            os.close(fd)
        return is_ours

    def write(self, data: bytes) -> None:
        with self._lock:
            rest = memoryview(data)
            while rest and not self._is_over:
                rest = rest[os.write(self._fd, rest) :]

    def keep(self, final: Path) -> bool:
        with self._lock:
            if self._is_over:
                return False
            os.fsync(self._fd)
            made = _make_folders(final.parent, self._folder.parent)
            try:
                os.link(self.path, final)
            except FileExistsError:
                if filecmp.cmp(self.path, final, shallow=False):
                    return False
                raise AlreadyExistsError("other bytes were uploaded before", subject="file") from None
            for folder in made:
                _sync_folder(folder)
            return True

    def drop(self) -> None:
        """Remove the name that it was written under; the one that `keep` gave stays."""
        with self._lock:
            self._is_over = True
            if self._fd >= 0:
                self.path.unlink(missing_ok=True)
                os.close(self._fd)
                self._fd = -1


class _Incoming:
    """See Incoming."""

    def __init__(self, disk: DiskFiles, part: _Part, final: Path, bytes_max: int) -> None:
        self._run = disk._run
        self._part = part
        self._final = final
        self._bytes_max = bytes_max
        self._size = 0

    async def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._bytes_max:
            message = "more bytes than were announced"
            raise InvalidArgumentError(message, subject="file", limit=self._bytes_max, actual=self._size)
        await self._run(lambda: self._part.write(data))

    async def keep(self) -> bool:
        return await self._run(lambda: self._part.keep(self._final))


class _Stored:
    """See Stored."""

    def __init__(self, disk: DiskFiles, path: Path) -> None:
        self._run = disk._run
        self._path = path
        self._lock = threading.Lock()
        self._fd = -1
        self._is_over = False
        self.size = 0

    def open(self) -> None:
        with self._lock:
            if self._is_over:
                return
            try:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise NotFoundError("the file is not there", subject="file") from None
            self.size = os.fstat(self._fd).st_size

    def close(self) -> None:
        with self._lock:
            self._is_over = True
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        place = start
        while place < stop:
            data = await self._run(partial(self._read, place, min(CHUNK_BYTES, stop - place)))
            if not data:
                raise UnavailableError("a file is shorter than it was")
            place += len(data)
            yield data

    def _read(self, place: int, size: int) -> bytes:
        with self._lock:
            return b"" if self._is_over else os.pread(self._fd, size, place)


def _make_folders(folder: Path, root: Path) -> list[Path]:
    """Make a folder below `root`; return it and those above it that have a new entry, to be synced in this order."""
    changed = [folder]
    while not folder.exists() and folder != root:
        folder = folder.parent
        changed.append(folder)
    changed[0].mkdir(mode=0o700, parents=True, exist_ok=True)
    return changed


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sweep(path: Path) -> bool:
    """Remove a file in `incoming` that nobody holds; False when somebody does, or somebody else removed it."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(FileNotFoundError):
            path.unlink()
            return True
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return False


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"no space left for files: {error.strerror}", subject="files.disk") from error
        raise UnavailableError(f"files: {error}") from error
