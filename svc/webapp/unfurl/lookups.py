"""Names looked up on threads of their own: an answer that takes half a minute holds up neither the end of this process
nor anybody else's lookups, as it would in a pool that is shared.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from threading import Thread

__all__ = ["LOOKUPS_MAX", "Lookup", "Lookups"]

LOOKUPS_MAX = 16
"""Threads: as many as there are fetches. Of a resolver that does not answer they are all held for its own deadline."""

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Returns the numeric addresses of a host. Raises OSError."""


class Lookups:
    """Asks the system's resolver."""

    def __init__(self) -> None:
        self._under_way = 0

    async def addresses(self, host: str, port: int) -> list[str]:
        """See Lookup. Raises OSError also when LOOKUPS_MAX are under way."""
        if self._under_way >= LOOKUPS_MAX:
            raise OSError(f"{LOOKUPS_MAX} names are being looked up")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def done(found: list[str] | OSError) -> None:
            self._under_way -= 1
            if answer.done():
                return  # nobody waited so long
            if isinstance(found, OSError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look() -> None:
            found: list[str] | OSError
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = list(dict.fromkeys(str(row[4][0]) for row in rows))
            except (OSError, UnicodeError) as error:
                found = error if isinstance(error, OSError) else OSError(f"not a name: {error}")
            try:
                loop.call_soon_threadsafe(done, found)
            except RuntimeError:
                return  # the loop has ended, and with it whoever asked

        self._under_way += 1
        Thread(target=look, name="lookup", daemon=True).start()
        return await answer
