"""Asking a node how it is, and emptying it: one short connection each, beside those that reads and deletions use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["NodeStats", "empty", "read_all", "read_stats"]

TIMEOUT_S = 0.5
"""A node answers in a millisecond; a stopped one takes the connection and says nothing."""
AT_ONCE = 64
LINES_MAX = 500
"""Lines of an answer; memcached 1.6 sends 90."""


@dataclass(frozen=True, slots=True)
class NodeStats:
    """What a node says of itself since it started."""

    hits: int = 0
    misses: int = 0
    items: int = 0
    used_bytes: int = 0
    limit_bytes: int = 0
    uptime_s: int = 0


async def read_stats(address: str) -> NodeStats | None:
    """Return how a node is; None when it does not answer within TIMEOUT_S."""
    lines = await _ask(address, b"stats\r\n", b"END\r\n")
    if lines is None:
        return None
    found = {words[1]: words[2] for line in lines if len(words := line.split()) == 3 and words[0] == b"STAT"}
    number = {name: int(value) for name, value in found.items() if value.isdigit()}
    return NodeStats(
        number.get(b"get_hits", 0),
        number.get(b"get_misses", 0),
        number.get(b"curr_items", 0),
        number.get(b"bytes", 0),
        number.get(b"limit_maxbytes", 0),
        number.get(b"uptime", 0),
    )


async def read_all(addresses: Iterable[str]) -> Mapping[str, NodeStats]:
    """Return how nodes are, those that answer, by address; AT_ONCE are asked together."""
    gate = asyncio.Semaphore(AT_ONCE)
    found: dict[str, NodeStats] = {}

    async def ask(address: str) -> None:
        async with gate:
            stats = await read_stats(address)
        if stats is not None:
            found[address] = stats

    async with asyncio.TaskGroup() as group:
        for address in addresses:
            group.create_task(ask(address))
    return found


async def empty(address: str) -> bool:
    """Delete everything that a node holds; return whether it said that it did."""
    return await _ask(address, b"flush_all\r\n", b"OK\r\n") is not None


async def _ask(address: str, request: bytes, last: bytes) -> list[bytes] | None:
    """Return the lines of an answer before the `last`; None when that does not come in time."""
    host, _, port = address.rpartition(":")
    lines: list[bytes] = []
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(request)
                while len(lines) < LINES_MAX and (line := await reader.readline()):
                    if line == last:
                        return lines
                    lines.append(line)
            finally:
                writer.close()
    except (OSError, ValueError):
        return None
    return None
