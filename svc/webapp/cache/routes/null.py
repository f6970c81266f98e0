"""`null`: keeps nothing. Its keys are always loaded."""

from __future__ import annotations

from collections.abc import Sequence

from svc.webapp.cache.routes.asking import NOTHING_UNDELIVERED
from svc.webapp.cache.routes.route import Explained, Found, Step, Sum, Undelivered

__all__ = ["Null"]

_MISS = Found()


class Null:
    """Misses, without a lease: whoever asks loads."""

    __slots__ = ()

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`."""
        return [_MISS] * len(keys)

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`."""
        return NOTHING_UNDELIVERED

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`. There is nobody to ask."""
        return None

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        return Explained("null", "always a miss")
