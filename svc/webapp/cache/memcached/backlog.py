"""What a node must be told before it is read again: deletions that did not get through. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

__all__ = ["Backlog"]


class Backlog:
    """Keys to delete, at most `keys_max`; past that, the order to delete everything. Gone when the process is."""

    def __init__(self, keys_max: int) -> None:
        self._keys_max = keys_max
        self._keys: dict[str, None] = {}
        self._must_flush = False

    def __len__(self) -> int:
        """Return the number of keys remembered: none, when everything is to be deleted."""
        return len(self._keys)

    def add(self, keys: Iterable[str]) -> None:
        """Note keys that the node may still hold."""
        if self._must_flush:
            return
        self._keys.update(dict.fromkeys(keys))
        if len(self._keys) > self._keys_max:
            self.add_all()

    def add_all(self) -> None:
        """Note that the node may still hold anything."""
        self._keys.clear()
        self._must_flush = True

    def take_flush(self) -> bool:
        """Return whether to delete everything now; the caller does so, or adds it again."""
        taken, self._must_flush = self._must_flush, False
        return taken

    def take(self, keys_max: int) -> list[str]:
        """Return some keys to delete now; the caller does so, or adds them again."""
        taken = list(islice(self._keys, keys_max))
        for key in taken:
            del self._keys[key]
        return taken
