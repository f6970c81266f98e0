"""One suite for the disk and its twin, and what only a disk can suffer."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from svc.kit.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, UnavailableError
from svc.webapp.files.config import CHUNK_BYTES
from svc.webapp.files.disk import DiskFiles
from svc.webapp.files.memory import MemoryFiles
from svc.webapp.files.storage import FileKey, FileStorage, StorageFull

KEY = FileKey("T0000000001", "F00000000AB")
OTHER = FileKey("T0000000001", "F00000000CD")


@pytest.fixture(params=["disk", "memory"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FileStorage]:
    """Each of the two."""
    if request.param == "memory":
        yield MemoryFiles()
        return
    async with DiskFiles(tmp_path / "files") as disk:
        yield disk


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[DiskFiles]:
    """One in `tmp_path / "files"`."""
    async with DiskFiles(tmp_path / "files") as found:
        yield found


async def put(storage: FileStorage, key: FileKey, *pieces: bytes) -> bool:
    """Take in a file."""
    async with storage.receive(key, sum(map(len, pieces))) as incoming:
        for piece in pieces:
            await incoming.write(piece)
        return await incoming.keep()


async def content(storage: FileStorage, key: FileKey, start: int = 0, stop: int | None = None) -> bytes:
    """Read a file, or a part of it."""
    async with storage.open(key) as stored:
        return b"".join([data async for data in stored.read(start, stored.size if stop is None else stop)])


def files_in(folder: Path) -> list[Path]:
    """Everything that is no folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_what_was_kept_is_read_back(storage: FileStorage) -> None:
    """Whole and in parts, over the borders of chunks."""
    data = os.urandom(CHUNK_BYTES * 2 + 17)
    assert await put(storage, KEY, data[:5], data[5:]) is True
    assert await storage.size(KEY) == len(data)
    assert await content(storage, KEY) == data
    assert (
        await content(storage, KEY, CHUNK_BYTES - 3, CHUNK_BYTES * 2 + 1) == data[CHUNK_BYTES - 3 : CHUNK_BYTES * 2 + 1]
    )
    assert await content(storage, KEY, 7, 7) == b""


async def test_what_was_not_kept_is_not_there(storage: FileStorage) -> None:
    """Not while it comes in, and not after its writer gave up."""
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with storage.receive(KEY, 10) as incoming:
            await incoming.write(b"half")
            assert await storage.size(KEY) is None
            raise RuntimeError
    assert await storage.size(KEY) is None
    with pytest.raises(NotFoundError):
        await content(storage, KEY)


async def test_only_the_first_takes_the_name(storage: FileStorage) -> None:
    """The same bytes again are fine, others change nothing."""
    assert await put(storage, KEY, b"one") is True
    assert await put(storage, KEY, b"one") is False
    with pytest.raises(AlreadyExistsError):
        await put(storage, KEY, b"two")
    assert await content(storage, KEY) == b"one"


async def test_two_at_once_are_one(storage: FileStorage) -> None:
    """Whoever is first; the other one is told that it was not."""
    found = await asyncio.gather(*(put(storage, KEY, b"x" * 100_000) for _ in range(4)))
    assert sorted(found) == [False, False, False, True]


async def test_more_than_was_announced_is_refused(storage: FileStorage) -> None:
    """By a byte."""
    with pytest.raises(InvalidArgumentError) as refused:  # noqa: PT012
        async with storage.receive(KEY, 3) as incoming:
            await incoming.write(b"123")
            await incoming.write(b"4")
    assert (refused.value.limit, refused.value.actual) == (3, 4)
    assert await storage.size(KEY) is None


async def test_a_removed_file_is_gone_and_read_to_its_end_by_who_has_it_open(storage: FileStorage) -> None:
    """Removing twice is as good as once; the name is free again."""
    await put(storage, KEY, b"a" * 1_000)
    async with storage.open(KEY) as stored:
        await storage.remove(KEY)
        await storage.remove(KEY)
        assert b"".join([data async for data in stored.read(0, stored.size)]) == b"a" * 1_000
    assert await storage.size(KEY) is None
    assert await put(storage, KEY, b"other") is True


async def test_files_of_one_workspace_are_not_those_of_another(storage: FileStorage) -> None:
    """An id is an id within its workspace."""
    await put(storage, KEY, b"mine")
    assert await storage.size(FileKey("T0000000002", KEY.file_id)) is None
    assert await storage.size(OTHER) is None


@pytest.mark.parametrize(
    ("team_id", "file_id"), [("T1", "F00000000AB"), ("../../../etc", "passwd"), (KEY.team_id, "F/../../X0")]
)
def test_what_is_no_id_is_no_key(team_id: str, file_id: str) -> None:
    """So no path can be made of it."""
    with pytest.raises(InvalidArgumentError):
        FileKey(team_id, file_id)


async def test_a_full_memory_takes_nothing() -> None:
    """The twin has a size, too."""
    small = MemoryFiles(capacity=10)
    await put(small, OTHER, b"12345678")
    with pytest.raises(StorageFull):
        await put(small, KEY, b"123")


async def test_nothing_but_the_file_is_left_on_the_disk(disk: DiskFiles, tmp_path: Path) -> None:
    """Neither of one that was kept nor of one that was not; and nobody else may read it."""
    await put(disk, KEY, b"kept")
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with disk.receive(OTHER, 10) as incoming:
            await incoming.write(b"half")
            raise RuntimeError
    [only] = files_in(tmp_path / "files")
    assert only == tmp_path / "files" / "kept" / KEY.team_id / "AB" / KEY.file_id
    assert only.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "files" / "kept").stat().st_mode & 0o077 == 0


async def test_a_writer_that_is_cancelled_leaves_nothing(disk: DiskFiles, tmp_path: Path) -> None:
    """Whatever its thread was doing."""
    began = asyncio.Event()

    async def write() -> None:
        async with disk.receive(KEY, 1 << 30) as incoming:
            while True:
                began.set()
                await incoming.write(b"x" * CHUNK_BYTES)

    for _ in range(5):
        began.clear()
        writer = asyncio.create_task(write())
        await began.wait()
        writer.cancel()
        await asyncio.wait({writer})
        assert writer.cancelled()
        assert files_in(tmp_path / "files") == []


async def test_free_space_for_others_is_left(tmp_path: Path) -> None:
    """A disk that has less than that is full, before a byte came."""
    async with DiskFiles(tmp_path / "files", free_bytes_min=1 << 60) as disk:
        with pytest.raises(StorageFull, match="no space left"):
            await put(disk, KEY, b"a")
    assert files_in(tmp_path / "files") == []


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`: what a full disk says, for one who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_fills_up_in_the_middle_is_named_and_nothing_is_left(disk: DiskFiles, tmp_path: Path) -> None:
    """The write fails half-way; the next smaller file is taken."""
    with file_size_limit(100_000), pytest.raises(StorageFull):
        await put(disk, KEY, b"a" * 90_000, b"b" * 90_000)
    assert files_in(tmp_path / "files") == []
    assert await put(disk, KEY, b"small") is True


async def test_a_folder_that_cannot_be_used_is_said_so(tmp_path: Path) -> None:
    """At start-up, not with the first upload."""
    (tmp_path / "files").write_text("I am no folder")
    with pytest.raises(UnavailableError, match="files"):
        async with DiskFiles(tmp_path / "files"):
            pass


DYING = """
import asyncio, os, sys
from pathlib import Path
from svc.webapp.files.disk import DiskFiles
from svc.webapp.files.storage import FileKey

async def write():
    key = FileKey("T0000000001", "F00000000AB")
    async with DiskFiles(Path(sys.argv[1])) as disk, disk.receive(key, 100) as incoming:
        await incoming.write(b"half")
        print("written", flush=True)
        await asyncio.Event().wait()

asyncio.run(write())
"""


async def test_what_a_dead_process_left_is_swept_and_what_a_slow_one_writes_is_not(
    disk: DiskFiles, tmp_path: Path
) -> None:
    """The lock says which: it ends with its process."""
    command = [sys.executable, "-c", DYING, str(tmp_path / "files")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:  # noqa: ASYNC220
        assert writer.stdout is not None
        assert await asyncio.to_thread(writer.stdout.readline) == b"written\n"
        async with disk.receive(OTHER, 10) as slow:
            await slow.write(b"slow")
            assert await disk.sweep() == 0
            assert len(files_in(tmp_path / "files")) == 2
            writer.kill()
            await asyncio.to_thread(writer.wait)
            assert await disk.sweep() == 1
            assert await disk.sweep() == 0
            assert await slow.keep() is True
    assert await content(disk, OTHER) == b"slow"
    assert await disk.size(KEY) is None


async def test_who_is_being_looked_at_by_a_sweep_takes_another_name(disk: DiskFiles, tmp_path: Path) -> None:
    """Between making a file and locking it a sweep may have it: many sweeps and writers at once lose nothing."""

    async def sweeping() -> None:
        while True:
            await disk.sweep()

    async with DiskFiles(tmp_path / "files") as other:
        sweeper = asyncio.create_task(sweeping())
        keys = [FileKey(KEY.team_id, f"F0000000{number:03d}") for number in range(60)]
        kept = await asyncio.gather(*(put(other, key, key.file_id.encode()) for key in keys))
        sweeper.cancel()
        await asyncio.wait({sweeper})
        assert all(kept)
        assert [await content(other, key) for key in keys] == [key.file_id.encode() for key in keys]
    assert len(files_in(tmp_path / "files" / "incoming")) == 0


def test_a_lock_is_what_the_sweep_thinks_it_is(tmp_path: Path) -> None:
    """Of the file's opening, so a second opening in this very process meets it."""
    path = tmp_path / "file"
    with path.open("w") as first, path.open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
