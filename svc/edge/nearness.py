"""Pure: whom users deal with, as their boots said; what they search for is most often there."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable
from itertools import chain

from svc.edge.models.names import AFFINITY_MAX

_ENTRY_BYTES = 330
"""Bytes of an entry beside the two texts: its place in the table and in the order of use, measured."""


class Nearness:
    """The nearest of each user, at most `AFFINITY_MAX`; who booted or searched longest ago is forgotten first.

    Held as one text a user: 12 bytes an id, where a list of texts takes 68.
    """

    def __init__(self, users_max: int, bytes_max: int) -> None:
        """Remember nobody yet."""
        self._users_max = users_max
        self._bytes_max = bytes_max
        self._held: OrderedDict[str, str] = OrderedDict()
        self.bytes = 0
        """Estimated bytes of memory."""

    def __len__(self) -> int:
        return len(self._held)

    def remember(self, team_id: str, user_id: str, near_ids: Iterable[str]) -> None:
        """Take whom a user deals with, the nearest first, in place of what was known; none changes nothing."""
        near = " ".join(near_ids)
        if not near:
            return
        key = f"{team_id} {user_id}"
        self._drop(key)
        self._held[key] = near
        self.bytes += _weight(key, near)
        while self._held and (len(self._held) > self._users_max or self.bytes > self._bytes_max):
            self._drop(next(iter(self._held)))

    def weights(self, team_id: str, user_id: str, near_ids: Iterable[str] = ()) -> dict[str, float]:
        """Return at most `AFFINITY_MAX` ids with weights above 0: those given first, then those remembered. 20 us."""
        key = f"{team_id} {user_id}"
        known = self._held.get(key, "")
        if known:
            self._held.move_to_end(key)
        weights: dict[str, float] = {}
        for near_id in chain(near_ids, known.split()):
            weights.setdefault(near_id, float(AFFINITY_MAX - len(weights)))
            if len(weights) == AFFINITY_MAX:
                break
        return weights

    def _drop(self, key: str) -> None:
        near = self._held.pop(key, None)
        if near is not None:
            self.bytes -= _weight(key, near)


def _weight(key: str, near: str) -> int:
    return sys.getsizeof(key) + sys.getsizeof(near) + _ENTRY_BYTES
