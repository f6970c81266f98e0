"""Pure: the users and channels that a client has loaded, each with its version; the least used ones go first.

An object that may have changed is old: it can still be shown, and costs nothing to confirm, because the client says
which version it has. A version is the offset in the workspace's channel at which the object last changed, so a higher
one is newer whichever way it came: asked for, brought along, or in an event.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

OBJECTS_MAX = 20_000
"""Objects held; some 2 KB each."""


@dataclass(slots=True)
class Held:
    """An object as it was at a version."""

    version: int
    json: Json
    is_old: bool = False
    """Whether it has to be asked for before it is shown for long."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask for: ids, each with the version that is held, None for none. For `Holding.answered`."""

    ids: Mapping[str, int | None]
    generation: int


class Holding:
    """The objects of one client."""

    def __init__(self, objects_max: int = OBJECTS_MAX) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._objects_max = objects_max
        self._generation = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, object_id: str) -> Json | None:
        """Return an object, perhaps an old one."""
        held = self._held.get(object_id)
        if held is None:
            return None
        self._held.move_to_end(object_id)
        return held.json

    def version(self, object_id: str) -> int | None:
        """Return the version that is held."""
        held = self._held.get(object_id)
        return held.version if held is not None else None

    def is_fresh(self, object_id: str) -> bool:
        """Whether an object is held, and nothing says that it changed."""
        held = self._held.get(object_id)
        return held is not None and not held.is_old

    def ask(self, ids: Iterable[str]) -> Ask:
        """Return what has to be asked for so that all of these are fresh."""
        wanted = {each: self.version(each) for each in ids if not self.is_fresh(each)}
        return Ask(wanted, self._generation)

    def answered(self, ask: Ask, objects: Iterable[Json]) -> None:
        """Take the answer: what is in it is new, what is not has not changed."""
        for each in objects:
            self.put(each, version_of(each))
        if ask.generation != self._generation:
            return  # something was said to be old meanwhile, perhaps after the answer was made
        for object_id, version in ask.ids.items():
            held = self._held.get(object_id)
            if held is not None and version is not None and held.version >= version:
                held.is_old = False

    def put(self, json: Json, version: int) -> None:
        """Hold an object, unless a newer version is held."""
        object_id = str(json.get("id", ""))
        held = self._held.get(object_id)
        if not object_id or (held is not None and held.version > version):
            return
        # The same version again proves nothing about a change that was announced since.
        is_old = held is not None and held.version == version and held.is_old
        self._held[object_id] = Held(version, json, is_old)
        self._held.move_to_end(object_id)
        while len(self._held) > self._objects_max:
            self._held.popitem(last=False)

    def change(self, object_id: str, **fields: Any) -> None:
        """Change what is known to have changed; the rest is old until it is asked for."""
        held = self._held.get(object_id)
        if held is not None:
            held.json = {**held.json, **fields}
            self.age([object_id])

    def age(self, ids: Iterable[str] | None = None) -> None:
        """Note that these objects may have changed; all of them when none are named."""
        self._generation += 1
        for object_id in self._held if ids is None else ids:
            if object_id in self._held:
                self._held[object_id].is_old = True


def version_of(json: Mapping[str, Any]) -> int:
    """Return an object's version; 0 when it never changed, or says nothing."""
    version = json.get("v", 0)
    return version if isinstance(version, int) else 0
