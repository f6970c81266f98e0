"""Bytes that come in small pieces, gathered and written in larger ones: the same for every way in which they come."""

from __future__ import annotations

from svc.webapp.files.config import CHUNK_BYTES
from svc.webapp.files.storage import Incoming

__all__ = ["HELD_BYTES", "Filling"]

HELD_BYTES = 2 * CHUNK_BYTES
"""What one upload holds in memory: a chunk that is written, and what uvicorn has read meanwhile."""


class Filling:
    """Gathers up to CHUNK_BYTES, then writes. `size` counts what came."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._waiting = bytearray()
        self.size = 0

    async def add(self, data: bytes) -> None:
        """Take a piece. Raises as Incoming.write."""
        self.size += len(data)
        self._waiting += data
        if len(self._waiting) >= CHUNK_BYTES:
            await self._flush()

    async def keep(self) -> bool:
        """All of it is here. Raises as Incoming.keep."""
        await self._flush()
        return await self._incoming.keep()

    async def _flush(self) -> None:
        if self._waiting:
            data, self._waiting = bytes(self._waiting), bytearray()
            await self._incoming.write(data)
