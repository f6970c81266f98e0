"""What is removed by and by: uploads that nobody completed, bytes of deleted files, what dead processes left.

Every webapp sweeps; all of it may be done twice, or half and then again.
"""

from __future__ import annotations

import logging
from random import Random

from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.webapp.files.config import PENDING_S
from svc.webapp.files.storage import FileKey
from svc.webapp.files.vault import Vault
from svc.webapp.priority import Priority, at
from svc.webapp.store.file_rows import File, FileState
from svc.webapp.store.files import FileStore

__all__ = ["sweep", "sweep_files"]

log = logging.getLogger(__name__)

FILES_A_SWEEP = 200
"""Rows of each kind; the rest waits for the next one."""


async def sweep_files(vault: Vault, files: FileStore, clock: Clock, rng: Random) -> None:
    """Sweep now and every `sweep_s` or so, until cancelled. What fails is logged and done the next time."""

    async def loop() -> None:
        while True:
            try:
                await sweep(vault, files, clock.wall_us() // 1_000_000)
            except ParleyError as error:
                log.warning("files were not swept: %s", error)
            await clock.sleep(vault.config.sweep_s * (0.5 + rng.random()))

    await at(Priority.BACKGROUND, loop())


async def sweep(vault: Vault, files: FileStore, now_s: int) -> int:
    """Sweep once; return how many uploads and files went. Raises the kit's errors, with the rest left for the next."""
    count = await vault.storage.sweep()
    for file in await files.unfinished(FileState.PENDING, now_s - PENDING_S, FILES_A_SWEEP):
        # The row first: whoever looks in between finds neither, and bytes without a row can be read by nobody.
        if await files.forget_pending(file.team_id, file.id):
            await _remove(vault, file)
            count += 1
    for file in await files.unfinished(FileState.DELETED, now_s + 1, FILES_A_SWEEP):
        await _remove(vault, file)
        await files.note_gone(file.team_id, file.id)
        count += 1
    return count


async def _remove(vault: Vault, file: File) -> None:
    await vault.storage.remove(FileKey(file.team_id, file.id))
