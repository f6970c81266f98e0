"""The address that takes bytes, without a server: what it answers when things go wrong, and what it leaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.kit.tokens import Signer
from svc.webapp.files.config import FileConfig
from svc.webapp.files.filling import HELD_BYTES
from svc.webapp.files.memory import MemoryFiles
from svc.webapp.files.storage import FileKey
from svc.webapp.files.tickets import Upload, UploadTickets
from svc.webapp.files.uploads import UPLOAD_PREFIX, Places, Uploads
from svc.webapp.files.vault import Vault
from svc.webapp.gate import Gate

KEY = FileKey("T0000000001", "F00000000AB")


@dataclass
class Awaited:
    """Knows that the file is awaited, unless it is told otherwise."""

    answer: bool = True
    error: Exception | None = None

    async def is_awaited(self, upload: Upload) -> bool:
        if self.error is not None:
            raise self.error
        return self.answer


@dataclass
class Desk:
    """An upload address with nothing behind it."""

    storage: MemoryFiles = field(default_factory=MemoryFiles)
    awaited: Awaited = field(default_factory=Awaited)
    gate: Gate = field(default_factory=Gate)
    idle_s: float = 30.0
    held: list[int] = field(default_factory=list)

    async def upload(
        self, size: int, *messages: dict[str, Any], ticket: str = "", ends: bool = True
    ) -> tuple[int, str]:
        """Send messages as a client's body; return status and text, (0, "") when nothing was answered."""
        config = FileConfig(idle_s=self.idle_s, upload_s=60.0)
        vault = Vault(self.storage, UploadTickets(Signer("a secret of sixteen"), SystemClock()), config)
        app = Uploads(vault, self.awaited, Places("upload", 2), self.gate)
        sent: list[dict[str, Any]] = []
        waiting = list(messages)

        async def receive() -> dict[str, Any]:
            self.held.append(self.gate.bytes)
            if not waiting and not ends:
                await asyncio.Event().wait()
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        path = UPLOAD_PREFIX + (ticket or vault.tickets.sign(Upload(KEY, "U0000000001", size)))
        await app({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
        assert (self.gate.bytes, self.gate.arriving_count, self.gate.under_way) == (0, 0, 0)
        return (sent[0]["status"], sent[1]["body"].decode()) if sent else (0, "")


def part(data: bytes, *, more: bool = False) -> dict[str, Any]:
    """Return a piece of a body."""
    return {"type": "http.request", "body": data, "more_body": more}


async def test_an_upload_is_counted_with_what_it_holds_not_with_what_it_brings() -> None:
    """So a few large ones do not keep posts out."""
    desk = Desk()
    size = HELD_BYTES * 3
    pieces = [part(bytes(HELD_BYTES), more=number < 2) for number in range(3)]
    assert await desk.upload(size, *pieces) == (200, f"OK - {size}")
    assert set(desk.held) == {HELD_BYTES}
    assert await desk.storage.size(KEY) == size


async def test_who_sends_nothing_for_too_long_is_given_up() -> None:
    """And what came is not kept."""
    desk = Desk(idle_s=0.05)
    status, text = await desk.upload(10, part(b"half", more=True), ends=False)
    assert (status, text) == (408, "the bytes came too slowly; nothing was kept")
    assert await desk.storage.size(KEY) is None


async def test_who_hangs_up_is_told_nothing() -> None:
    """And what came is not kept."""
    desk = Desk()
    assert await desk.upload(10, part(b"half", more=True)) == (0, "")
    assert await desk.storage.size(KEY) is None


@pytest.mark.parametrize(
    ("desk", "status", "says"),
    [
        (Desk(storage=MemoryFiles(capacity=3)), 507, "no space left for files; nothing was kept"),
        (Desk(awaited=Awaited(answer=False)), 404, "awaited no longer"),
        (Desk(awaited=Awaited(error=UnavailableError("no database"))), 503, "try again"),
        (Desk(gate=Gate(bytes_max=100)), 429, "overloaded (webapp.bytes)"),
        (Desk(gate=Gate(requests_max=0)), 429, "overloaded (webapp.arriving)"),
    ],
)
async def test_what_goes_wrong_is_said(desk: Desk, status: int, says: str) -> None:
    """In words, with a status by which clients know whether to come back."""
    found, text = await desk.upload(5, part(b"12345"))
    assert found == status
    assert says in text
    assert await desk.storage.size(KEY) is None


async def test_a_refused_body_is_read_so_that_the_answer_arrives() -> None:
    """Within bounds: most of what a client had to say has been sent by then."""
    desk = Desk()
    assert (await desk.upload(5, part(b"x", more=True), part(b"y"), ticket="nonsense"))[0] == 404
    assert len(desk.held) == 2
