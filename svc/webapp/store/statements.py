"""Statements on one connection, each under a deadline. They raise the driver's errors, see `failures`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from svc.webapp.store.sql import render

__all__ = ["Rows", "Statements"]

Rows = Sequence[Sequence[Any]]


class Statements:
    """A connection that was lent."""

    def __init__(self, connection: Any, statement_s: float) -> None:
        """`statement_s`: deadline of each. After TimeoutError the connection is of no use."""
        self._connection = connection
        self._statement_s = statement_s

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Run a statement that answers rows."""
        async with asyncio.timeout(self._statement_s), self._connection.cursor() as cursor:
            await cursor.execute(render(sql, args))
            found: Rows = await cursor.fetchall()
            return found

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        async with asyncio.timeout(self._statement_s), self._connection.cursor() as cursor:
            changed: int = await cursor.execute(render(sql, args))
            return changed
