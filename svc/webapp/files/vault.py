"""Where bytes lie and by what rules they come there: the storage, the tickets and the limits, together."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from svc.kit.clock import Clock
from svc.kit.tokens import Signer
from svc.webapp.files.config import FileConfig
from svc.webapp.files.disk import DiskFiles
from svc.webapp.files.memory import MemoryFiles
from svc.webapp.files.storage import FileStorage
from svc.webapp.files.tickets import UploadTickets

__all__ = ["Vault", "closed_vault", "open_vault"]


@dataclass(frozen=True, slots=True)
class Vault:
    """See above. `is_open`: whether files are taken in at all."""

    storage: FileStorage
    tickets: UploadTickets
    config: FileConfig
    is_open: bool = True


def closed_vault(clock: Clock) -> Vault:
    """Return one that takes nothing in: for commands, and for installations without a folder for files."""
    return Vault(MemoryFiles(), UploadTickets(Signer(secrets.token_hex()), clock), FileConfig(), is_open=False)


@asynccontextmanager
async def open_vault(config: FileConfig, signer: Signer, clock: Clock) -> AsyncIterator[Vault]:
    """Yield what the settings say. Raises UnavailableError when the folder cannot be used."""
    if not config.directory:
        yield closed_vault(clock)
        return
    async with DiskFiles(Path(config.directory), config.free_bytes_min) as storage:
        yield Vault(storage, UploadTickets(signer, clock), config)
