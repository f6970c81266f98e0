"""Between values and the bytes that memcached keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Generic, TypeVar, get_type_hints

import orjson

from svc.webapp.store.decode import encode

__all__ = ["FLAG", "JSON", "NUMBER", "Codec", "cells_codec", "row_codec", "row_loader"]

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Codec(Generic[_Value]):
    """How a value is written and read. `load` raises ValueError or TypeError for anything it did not write."""

    dump: Callable[[_Value], bytes]
    load: Callable[[bytes], _Value]


def _load_flag(data: bytes) -> bool:
    if data not in (b"0", b"1"):
        raise ValueError(f"not a flag: {data[:16]!r}")
    return data == b"1"


def _load_object(data: bytes) -> dict[str, Any]:
    found = orjson.loads(data)
    if not isinstance(found, dict):
        raise TypeError(f"not an object: {data[:16]!r}")
    return found


FLAG: Codec[bool] = Codec(lambda value: b"1" if value else b"0", _load_flag)
"""A truth value."""

NUMBER: Codec[int] = Codec(lambda value: b"%d" % value, int)
"""A whole number."""

JSON: Codec[dict[str, Any]] = Codec(orjson.dumps, _load_object)
"""A JSON object."""


def row_codec(row_type: type[_Value]) -> Codec[_Value]:
    """Return a codec of a dataclass of `rows`: its cells in order, as a JSON list; bytes as hex."""
    load_row = row_loader(row_type)
    return Codec(
        lambda value: orjson.dumps(encode(value), default=bytes.hex), lambda data: load_row(orjson.loads(data))
    )


def cells_codec(
    value_type: type[_Value], dump: Callable[[_Value], Sequence[Any]], load: Callable[[list[Any]], _Value]
) -> Codec[_Value]:
    """Return a codec of a value made of a few parts: a JSON list of them, as `dump` gives and `load` takes it."""

    def load_cells(data: bytes) -> _Value:
        cells = orjson.loads(data)
        if not isinstance(cells, list):
            raise TypeError(f"not a {value_type.__name__}")
        return load(cells)

    return Codec(lambda value: orjson.dumps(dump(value), default=bytes.hex), load_cells)


def row_loader(row_type: type[_Value]) -> Callable[[Any], _Value]:
    """Return what makes a dataclass of `rows` from its cells as JSON has them. It raises ValueError or TypeError."""
    hints = get_type_hints(row_type)
    count = len(fields(row_type))  # type: ignore[arg-type]
    converters: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(fields(row_type)):  # type: ignore[arg-type]
        hint = hints[field.name]
        if hint is bytes:
            converters.append((place, bytes.fromhex))
        elif isinstance(hint, type) and issubclass(hint, Enum):
            converters.append((place, hint))

    def load(cells: Any) -> _Value:
        if not isinstance(cells, list) or len(cells) != count:
            raise ValueError(f"not a {row_type.__name__}")
        for place, convert in converters:
            cells[place] = convert(cells[place])
        return row_type(*cells)

    return load
