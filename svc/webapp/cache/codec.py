"""Between values and the bytes that memcached keeps."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Generic, TypeVar, get_type_hints

import orjson

from svc.webapp.store.decode import encode

__all__ = ["FLAG", "Codec", "row_codec"]

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


FLAG: Codec[bool] = Codec(lambda value: b"1" if value else b"0", _load_flag)
"""A truth value."""


def row_codec(row_type: type[_Value]) -> Codec[_Value]:
    """Return a codec of a dataclass of `rows`: its cells in order, as a JSON list; bytes as hex."""
    hints = get_type_hints(row_type)
    converters: list[Callable[[Any], Any] | None] = []
    for field in fields(row_type):  # type: ignore[arg-type]
        hint = hints[field.name]
        if hint is bytes:
            converters.append(bytes.fromhex)
        else:
            converters.append(hint if isinstance(hint, type) and issubclass(hint, Enum) else None)

    def load(data: bytes) -> _Value:
        cells = orjson.loads(data)
        if not isinstance(cells, list) or len(cells) != len(converters):
            raise ValueError(f"not a {row_type.__name__}")
        return row_type(*(cell if to is None else to(cell) for cell, to in zip(cells, converters, strict=True)))

    return Codec(lambda value: orjson.dumps(encode(value), default=bytes.hex), load)
