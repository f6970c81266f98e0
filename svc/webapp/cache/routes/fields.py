"""Which types of handles there are in a configuration, with which fields, and what each field may be. Pure.

Mistakes are collected, never raised; what is wrong becomes WRONG, and whatever contains it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from svc.webapp.cache.routes.reach import may_hold, reaches
from svc.webapp.cache.routes.spec import (
    AllSyncSpec,
    FailoverSpec,
    MissFailoverSpec,
    NullSpec,
    OperationsSpec,
    PoolSpec,
    PrefixesSpec,
    ShadowSpec,
    Spec,
    WarmUpSpec,
)

__all__ = ["WRONG", "Place", "Reading"]

DEPTH_MAX = 8
"""Of handles within handles; each is one more step of every get."""
HANDLES_MAX = 200
"""In the whole tree, those with names counted wherever they are used."""
CHILDREN_MAX = 8
PREFIXES_MAX = 100
PREFIX_CHARS_MAX = 64
GUTTER_TTL_S_MAX = 60
"""A dead node's keys live in the gutter; longer, and it is not a gutter but a pool of its own."""
WRONG: Final = object()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a configuration something is."""

    path: str
    depth: int = 0
    names: tuple[str, ...] = ()
    """The named handles that it is inside of."""

    def into(self, step: str) -> Place:
        """Return the place of a field, of the same handle."""
        return replace(self, path=f"{self.path}{step}")

    def below(self) -> Place:
        """Return the place of a handle inside this one."""
        return replace(self, depth=self.depth + 1)


class Reading:
    """A configuration being read: what it may refer to, and what was wrong so far."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []
        self.pools: frozenset[str] = frozenset()
        self.handles: Mapping[str, Any] = {}
        self._count = 0

    def wrong(self, place: Place, what: str) -> Any:
        """Note a mistake and return WRONG."""
        self.mistakes.append(f"{place.path}: {what}" if place.path else what)
        return WRONG

    def without_doubles(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Make an object of its pairs, noting names given twice; a hook for `json`."""
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                self.mistakes.append(f'"{name}" is given twice in one object')
            found[name] = value
        return found

    def only(self, place: Place, body: Mapping[str, Any], allowed: Iterable[str], what: str) -> None:
        """Note fields that are not allowed."""
        for name in body:
            if name not in allowed:
                self.wrong(place, f'"{name}" is not a field of {what}; allowed: {", ".join(sorted(allowed))}')

    def handle(self, value: Any, place: Place) -> Any:
        """Return the spec of a handle: an object, or the name of one, or of a pool."""
        self._count += 1
        if self._count > HANDLES_MAX:
            # Said once, and nothing further is looked at: names may multiply without end.
            return (
                self.wrong(Place(""), f"more than {HANDLES_MAX} handles") if self._count == HANDLES_MAX + 1 else WRONG
            )
        if place.depth >= DEPTH_MAX:
            return self.wrong(place, f"handles are nested deeper than {DEPTH_MAX}")
        if isinstance(value, str):
            return self._named(value, place)
        if not isinstance(value, dict):
            return self.wrong(place, "a handle is needed: an object with a type, or a name")
        kind = value.get("type")
        shape = _SHAPES.get(kind) if isinstance(kind, str) else None
        if shape is None:
            return self.wrong(place, f"no type {kind!r}; there are {', '.join(sorted(_SHAPES))}")
        return self._shaped(kind, shape, value, place)

    def _named(self, name: str, place: Place) -> Any:
        if name in place.names:
            return self.wrong(place, f"{' -> '.join((*place.names, name))} goes round in a circle")
        if name in self.handles:
            return self.handle(self.handles[name], Place(f"handles.{name}", place.depth, (*place.names, name)))
        if name in self.pools:
            return PoolSpec(name)
        return self.wrong(place, f'no pool is named "{name}", and no handle; there are {self._names()}')

    def _shaped(self, kind: Any, shape: _Shape, body: Mapping[str, Any], place: Place) -> Any:
        self.only(place, body, {"type", *shape.fields}, kind)
        values: dict[str, Any] = {}
        for name, (read, is_optional) in shape.fields.items():
            if name in body:
                values[name] = read(self, body[name], place.into(f".{name}" if place.path else name))
            elif not is_optional:
                values[name] = self.wrong(place, f'"{name}" is missing in {kind}')
        if any(value is WRONG for value in values.values()):
            return WRONG
        spec = shape.spec(**values)
        if isinstance(spec, OperationsSpec) and (missing := may_hold(spec.get) - reaches(spec.delete)):
            return self.wrong(
                place, f"gets may find what deletions do not surely reach: pool {', '.join(sorted(missing))}"
            )
        return spec

    def _names(self) -> str:
        return ", ".join(sorted({*self.pools, *self.handles})) or "none"


def child(reading: Reading, value: Any, place: Place) -> Any:
    """A handle inside a handle."""
    return reading.handle(value, place.below())


def children(reading: Reading, value: Any, place: Place) -> Any:
    """A list of handles."""
    if not isinstance(value, list) or not 0 < len(value) <= CHILDREN_MAX:
        return reading.wrong(place, f"a list of 1 to {CHILDREN_MAX} handles is needed")
    found = [child(reading, each, place.into(f"[{number}]")) for number, each in enumerate(value)]
    return WRONG if WRONG in found else tuple(found)


def by_prefix(reading: Reading, value: Any, place: Place) -> Any:
    """Handles by prefix."""
    if not isinstance(value, dict) or len(value) > PREFIXES_MAX:
        return reading.wrong(place, f"an object of at most {PREFIXES_MAX} handles by prefix is needed")
    found: dict[str, Any] = {}
    for prefix, each in value.items():
        at = place.into(f'["{prefix}"]')
        if not 0 < len(prefix) <= PREFIX_CHARS_MAX or not prefix.isascii() or not prefix.isprintable() or " " in prefix:
            reading.wrong(at, f"a prefix has 1 to {PREFIX_CHARS_MAX} printable ASCII characters")
        found[prefix] = child(reading, each, at)
    return WRONG if WRONG in found.values() else MappingProxyType(found)


def pool(reading: Reading, value: Any, place: Place) -> Any:
    """The name of a pool."""
    if isinstance(value, str) and value in reading.pools:
        return value
    return reading.wrong(place, f"no pool is named {value!r}; there are {', '.join(sorted(reading.pools)) or 'none'}")


def flag(reading: Reading, value: Any, place: Place) -> Any:
    """True or false."""
    return value if isinstance(value, bool) else reading.wrong(place, f"{value!r} is neither true nor false")


def seconds(reading: Reading, value: Any, place: Place) -> Any:
    """How long a gutter's values live."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= GUTTER_TTL_S_MAX:
        return value
    return reading.wrong(place, f"{value!r} is not a whole number of seconds from 1 to {GUTTER_TTL_S_MAX}")


def share(reading: Reading, value: Any, place: Place) -> Any:
    """A share of keys."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return reading.wrong(place, f"{value!r} is not a share from 0 to 1")


_Read: TypeAlias = Callable[[Reading, Any, Place], Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    """A type of handle: what it becomes, and its fields: how each is read, and whether it may be left out."""

    spec: type[Spec]
    fields: Mapping[str, tuple[_Read, bool]]


_SHAPES: Mapping[str, _Shape] = {
    "pool": _Shape(PoolSpec, {"pool": (pool, False), "warm_up": (flag, True)}),
    "failover": _Shape(FailoverSpec, {"child": (child, False), "gutter": (child, False), "ttl_s": (seconds, True)}),
    "warm_up": _Shape(WarmUpSpec, {"cold": (child, False), "warm": (child, False)}),
    "all_sync": _Shape(AllSyncSpec, {"children": (children, False)}),
    "miss_failover": _Shape(MissFailoverSpec, {"children": (children, False)}),
    "shadow": _Shape(ShadowSpec, {"child": (child, False), "shadow": (child, False), "rate": (share, False)}),
    "operations": _Shape(OperationsSpec, {"get": (child, False), "delete": (child, False)}),
    "prefixes": _Shape(PrefixesSpec, {"default": (child, False), "prefixes": (by_prefix, True)}),
    "null": _Shape(NullSpec, {}),
}
