"""What is told to a node: deletions, and single commands such as a fill or a probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.backlog import Backlog
from svc.webapp.cache.memcached.connection import Connection, Exchange

__all__ = ["Command", "Deletions"]


class _Told(Exchange):
    """Somebody may wait for it to be done."""

    __slots__ = ("future",)

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.future: asyncio.Future[bool] | None = None
        """Set it to learn whether all of it was done within the deadline."""

    def answered(self) -> bool:
        return self._resolve(is_done=wire.FAILED not in self.answers)

    def expire(self) -> None:
        self._resolve(is_done=False)

    def lost(self) -> None:
        self._resolve(is_done=False)

    def _resolve(self, *, is_done: bool) -> bool:
        if self.future is None or self.future.done():
            return False
        self.future.set_result(is_done)
        return True


class Command(_Told):
    """One request."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[bytes], bytes]) -> None:
        """`make`: returns the request, given its number."""
        super().__init__(1)
        self._make = make

    def request(self) -> bytes:
        return self._make(self.number)


class Deletions(_Told):
    """Keys to delete. Those that may not have been go to the backlog, whether anybody waits or not."""

    __slots__ = ("_backlog", "_connection", "_keys", "_stale_s")

    def __init__(self, connection: Connection, backlog: Backlog, keys: Sequence[str], stale_s: int = 0) -> None:
        """`stale_s`: see `wire.delete`."""
        super().__init__(len(keys))
        self._connection = connection
        self._backlog = backlog
        self._keys = keys
        self._stale_s = stale_s

    def request(self) -> bytes:
        return wire.delete(self._keys, self.number, self._stale_s)

    def answered(self) -> bool:
        if wire.FAILED in self.answers:
            self._backlog.add(self._keys)
            # What comes first on the next connection must not be read over this one before.
            self._connection.close()
        return super().answered()

    def lost(self) -> None:
        self._backlog.add(self._keys)
        super().lost()
