"""What a MariaDB is asked: its own counter of SELECTs, read several times a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiomysql

from svc.kit.lifecycle import background
from svc.webapp.store.dsn import Dsn

INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """The counter at an instant (monotonic seconds)."""

    at: float
    selects: int


class DatabaseLoad:
    """Readings of one server's SELECT counter; those of our own, one each, are left out."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def rate(self, since: float, until: float) -> float:
        """Return SELECTs a second between two instants; 0 without two readings between them."""
        inside = [reading for reading in self.readings if since <= reading.at <= until]
        if len(inside) < 2:
            return 0.0
        return (inside[-1].selects - inside[0].selects) / (inside[-1].at - inside[0].at)

    def windows(self, since: float, until: float, width_s: float) -> list[tuple[float, float]]:
        """Return (end, SELECTs a second) of every window of this width within the bounds, one a reading."""
        ends = [reading.at for reading in self.readings if since + width_s <= reading.at <= until]
        return [(end, self.rate(end - width_s - INTERVAL_S / 2, end)) for end in ends]


@asynccontextmanager
async def watching(dsn: Dsn) -> AsyncIterator[DatabaseLoad]:
    """Yield what is read for as long as the block lasts."""
    load = DatabaseLoad()
    connection = await aiomysql.connect(  # type: ignore[no-untyped-call]
        host=dsn.host, port=dsn.port, user=dsn.user, password=dsn.password, db=dsn.database, autocommit=True
    )

    async def read() -> None:
        while True:
            async with connection.cursor() as cursor:
                await cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
                (_, count) = await cursor.fetchone()
            # SHOW is no SELECT to this counter: what it counts is the system's.
            load.readings.append(Reading(time.monotonic(), int(count)))
            await asyncio.sleep(INTERVAL_S)

    try:
        async with background("count SELECTs", read()):
            yield load
    finally:
        connection.close()
