"""Statements on one connection, each under a deadline. They raise the driver's errors, see `failures`.

Several may go in one packet: a round trip costs both ends a turn, a tenth of a millisecond and more, which is most of
what a transaction of one post is. The server does them in order and stops at the first that fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from svc.webapp.store.sql import render

__all__ = ["SEPARATOR", "Rows", "Statement", "Statements"]

Rows = Sequence[Sequence[Any]]
Statement: TypeAlias = tuple[str, Sequence[Any]]
"""Its text and the arguments."""

SEPARATOR = ";\n"
"""Between the statements of a packet. No literal has one in it: `render` escapes line ends."""
PACKET_CHARS_MAX = 2 * 1024 * 1024
"""Text that is joined in one packet, 8 MiB at the most; MySQL takes 16. Longer statements go by themselves."""


class Statements:
    """A connection that was lent."""

    def __init__(self, connection: Any, statement_s: float) -> None:
        """`statement_s`: deadline of each, or of those in a packet. After TimeoutError the connection is of no use."""
        self._connection = connection
        self._statement_s = statement_s

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Run a statement that answers rows."""
        return (await self.rows_of(((sql, args),)))[0]

    async def rows_of(self, statements: Sequence[Statement]) -> list[Rows]:
        """Run statements that answer rows, in order."""
        return [answer.rows or () for answer in await self._ask([render(*each) for each in statements])]

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        answers = await self._ask([render(sql, args)])
        return int(answers[-1].affected_rows)

    async def _ask(self, texts: Sequence[str]) -> list[Any]:
        """Send statements, and return the driver's answer to each."""
        answers = []
        for packet in _packets(texts):
            async with asyncio.timeout(self._statement_s):
                await self._connection.query(SEPARATOR.join(packet))
                answers.append(self._connection._result)  # what a cursor of the driver looks at
                while answers[-1].has_next:
                    await self._connection.next_result()
                    answers.append(self._connection._result)
        return answers


def _packets(texts: Sequence[str]) -> Iterator[list[str]]:
    packet: list[str] = []
    chars = 0
    for text in texts:
        if packet and chars + len(text) > PACKET_CHARS_MAX:
            yield packet
            packet, chars = [], 0
        packet.append(text)
        chars += len(text)
    yield packet
