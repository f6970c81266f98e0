"""Pure: the custom emoji of a workspace, held as they are sent."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as edge
from svc.edge.models.objects import held_bytes
from svc.edge.wire import fields

_TEXT_HEADER = 41
"""Bytes of a text beside its letters."""


class CustomEmoji:
    """Emoji by name, and the offset at which they last changed.

    The whole list is put together when someone asks for it after a change: 2 ms at 5,000, then nothing.
    """

    def __init__(self, version: int) -> None:
        """Hold none; `version` is the offset that the model is loaded at."""
        self.version = version
        self._held: dict[str, bytes] = {}
        self._data_bytes = 0
        self._listed: bytes | None = None

    def __len__(self) -> int:
        return len(self._held)

    @property
    def memory_bytes(self) -> int:
        """Estimated bytes of memory, with the list where it is put together."""
        return sys.getsizeof(self._held) + self._data_bytes + len(self._listed or b"")

    def put(self, emoji: Iterable[boot.Emoji]) -> None:
        """Take emoji as they are now."""
        for each in emoji:
            self._drop(each.name)
            data = self._held[each.name] = each.SerializeToString()
            self._data_bytes += _weight(each.name, data)
        self._listed = None

    def change(self, offset: int, emoji: Iterable[boot.Emoji], removed: Iterable[str]) -> None:
        """Take what the event at `offset` says of emoji."""
        for name in removed:
            self._drop(name)
        self.put(emoji)
        self.version = offset

    def clear(self) -> None:
        """Forget all: a load sends them from the beginning."""
        self._held.clear()
        self._data_bytes, self._listed = 0, None

    def names(self) -> list[str]:
        """Return all names, in order, to be read in pages."""
        return sorted(self._held)

    def serialized(self, names: Iterable[str]) -> Iterable[bytes]:
        """Yield emoji by name, serialized, as they are now; those that are gone are left out."""
        return (data for name in names if (data := self._held.get(name)) is not None)

    def since(self, version: int) -> edge.ListEmojiResponse:
        """Return all emoji in order of name; nothing but the version to who has this one, or a later one than ours.

        Version 0 is nobody's.
        """
        if version and version >= self.version:
            return edge.ListEmojiResponse(version=self.version, is_unchanged=True)
        if self._listed is None:
            self._listed = fields(edge.ListEmojiResponse.EMOJI_FIELD_NUMBER, self.serialized(self.names()))
        response = edge.ListEmojiResponse(version=self.version)
        response.MergeFromString(self._listed)
        return response

    def _drop(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is not None:
            self._data_bytes -= _weight(name, held)


def _weight(name: str, data: bytes) -> int:
    return len(name) + _TEXT_HEADER + held_bytes(len(data))
