"""The latest value of something that changes: readers see every change or, when slow, skip to the newest.

What a queue of changes would be, without the queue: nothing here grows with the number of changes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


class Latest(Generic[T]):
    """One value, replaced by its single writer, followed by any number of readers on the same event loop."""

    def __init__(self) -> None:
        """Start without a value."""
        self._value: T | None = None
        self._changed = asyncio.Event()
        self._callbacks: list[Callable[[T], None]] = []

    @property
    def value(self) -> T | None:
        """The newest value; None before the first."""
        return self._value

    def set(self, value: T) -> None:
        """Replace the value: run the callbacks in the order they came, then wake the readers.

        A callback that fails is logged, and keeps nothing from the others.
        """
        self._value = value
        changed, self._changed = self._changed, asyncio.Event()
        for callback in tuple(self._callbacks):
            try:
                callback(value)
            except Exception:
                log.exception("a subscriber failed on a change")
        changed.set()

    def subscribe(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Call `callback` at once with the value, if there is one, and on every change; return what ends that."""
        self._callbacks.append(callback)
        if self._value is not None:
            callback(self._value)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    async def first(self) -> T:
        """Wait for the first value and return the newest."""
        while self._value is None:
            await self._changed.wait()
        return self._value

    async def changes(self) -> AsyncIterator[T]:
        """Yield the value, when there is one, and then each newer one; whoever is slow sees only the newest."""
        seen: T | None = None
        while True:
            changed = self._changed
            if self._value is not None and self._value is not seen:
                seen = self._value
                yield seen
            else:
                await changed.wait()
