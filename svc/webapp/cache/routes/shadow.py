"""`shadow`: another place is kept beside the one that answers, for a share of the keys, to see how it bears the load.

What is read there is filled from the child, through the shadow's own lease, so that it holds nothing that was deleted
and may become the place that answers some day. Nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any

from opentelemetry import metrics

from svc.kit.errors import ResourceExhaustedError
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered
from svc.webapp.cache.routes.warm_up import WarmUp

__all__ = ["SHADOW_TASKS_MAX", "Shadow"]

SHADOW_TASKS_MAX = 64
"""Reads of shadows under way at once; further ones are left out, and counted."""
UNDELETED_MAX = 10_000
"""Deletions that a shadow still has to hear of; with more, the next one waits for some of them."""
DELETED_AT_ONCE = 500


class Shadow:
    """Answers as the child does, and as fast."""

    def __init__(self, child: Route, shadow: Route, rate: float, tasks: Tasks) -> None:
        """`rate`: the share of keys, 0 to 1; a key is always in it, or never. `tasks`: what shadows do meanwhile."""
        self._child = child
        self._shadow = shadow
        self._rate = rate
        self._below = round(rate * (1 << 32))
        self._tasks = tasks
        self._copying = WarmUp(shadow, child)
        self._undeleted: dict[str, None] = {}
        self._is_sweeping = False
        meter = metrics.get_meter(__name__)
        self._left_out = meter.create_counter(
            "parley.webapp.cache.shadow.left_out", description="reads that a shadow did not get"
        )

    def is_sampled(self, key: str) -> bool:
        """Whether the shadow has this key. By another hash than the one that finds its seat: every seat has a share."""
        return int.from_bytes(blake2b(key.encode(), digest_size=4, person=b"shadow").digest()) < self._below

    def get(self, keys: Sequence[str], lease_s: int) -> Coroutine[Any, Any, list[Found | None]]:
        """See `Route.get`."""
        sampled = [key for key in keys if self.is_sampled(key)]
        if sampled and lease_s > 0:
            try:
                self._tasks.spawn(self._copy(sampled, lease_s), name="shadow")
            except ResourceExhaustedError:
                self._left_out.add(len(sampled))
        if self._undeleted:
            self._sweep()
        return self._child.get(keys, lease_s)

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`. What the shadow misses is done by its nodes later, and harms no answer: not returned."""
        sampled = [key for key in keys if self.is_sampled(key)]
        if not sampled:
            return await self._child.delete(keys, stale_s)
        if len(self._undeleted) >= UNDELETED_MAX:
            await self._delete_some()
        try:
            return await self._child.delete(keys, stale_s)
        finally:
            # After the child, from which the shadow copies, and whoever gives up waiting.
            self._undeleted.update(dict.fromkeys(sampled))
            self._sweep()

    def add(self, key: str, step: Step) -> Coroutine[Any, Any, Sum | None]:
        """See `Route.add`."""
        return self._child.add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        is_in = "is" if self.is_sampled(key) else "is not"
        note = f"the first; the second shadows {self._rate:.0%} of keys, and this one {is_in} among them"
        return Explained("shadow", note, (self._child.explain(key), self._shadow.explain(key)))

    async def _copy(self, keys: Sequence[str], lease_s: int) -> None:
        for found in await self._copying.get(keys, lease_s):
            if found is not None and found.lease is not None:
                found.lease.give_back()

    def _sweep(self) -> None:
        """Have the deletions done, unless that is happening already."""
        if self._is_sweeping:
            return
        try:
            self._tasks.spawn(self._delete_all(), name="shadow")
        except ResourceExhaustedError:
            return  # whoever comes next tries again
        self._is_sweeping = True

    async def _delete_all(self) -> None:
        try:
            while self._undeleted:
                await self._delete_some()
        finally:
            self._is_sweeping = False

    async def _delete_some(self) -> None:
        keys = tuple(islice(self._undeleted, DELETED_AT_ONCE))
        # Before, not after: one that is deleted once more meanwhile is to be done once more.
        for key in keys:
            del self._undeleted[key]
        try:
            await self._shadow.delete(keys, 0)
        except BaseException:
            self._undeleted.update(dict.fromkeys(keys))
            raise
