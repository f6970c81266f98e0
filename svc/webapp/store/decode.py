"""Between rows and values: column lists and converters derived from the dataclasses of `rows`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, get_type_hints

__all__ = ["columns", "decode", "decode_all", "encode"]

_Row = TypeVar("_Row")


@lru_cache(maxsize=64)
def columns(row_type: type, *without: str) -> str:
    """Return the quoted column list of a row type, in field order, `without` some."""
    return ", ".join(f"`{field.name}`" for field in fields(row_type) if field.name not in without)


@lru_cache(maxsize=64)
def _converters(row_type: type) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """Positions that MySQL answers in another type than the field's: bool and enums."""
    hints = get_type_hints(row_type)
    found = []
    for index, field in enumerate(fields(row_type)):
        hint = hints[field.name]
        if hint is bool or (isinstance(hint, type) and issubclass(hint, Enum)):
            found.append((index, hint))
    return tuple(found)


def decode(row_type: type[_Row], row: Sequence[Any]) -> _Row:
    """Return the value of a row selected with `columns(row_type)`."""
    cells = list(row)
    for index, convert in _converters(row_type):  # type: ignore[arg-type]
        cells[index] = convert(cells[index])
    return row_type(*cells)


def decode_all(row_type: type[_Row], rows: Iterable[Sequence[Any]]) -> list[_Row]:
    """Return the values of many rows."""
    return [decode(row_type, row) for row in rows]


def encode(value: object, *without: str) -> list[Any]:
    """Return a value's cells in the order of `columns(type(value), *without)`, enums as what they stand for."""
    cells = []
    for field in fields(value):  # type: ignore[arg-type]
        if field.name not in without:
            cell = getattr(value, field.name)
            cells.append(cell.value if isinstance(cell, Enum) else cell)
    return cells
