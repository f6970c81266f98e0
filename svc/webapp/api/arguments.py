"""Arguments of a Web API call: declared once for each method, read from whatever form a client sends them in.

Clients send the same argument as a query string, a form field, a multipart part or JSON; booleans as `true`, `1`,
`"True"`; lists as CSV, as a JSON string or as an array; objects as JSON inside a form or as JSON itself. All of these
mean the same here, whatever the method. Pure: bytes are read by `bodies.py`, and nothing here knows HTTP.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from svc.kit.foreign_json import read_json

NAME_CHARS_MAX = 128
"""Longest argument name. Slack's longest is under 40; a JSON body that was labelled a form arrives as one long name."""

STAMP_US_MAX = 99_999_999_999_999_999
"""Largest timestamp, in microseconds: eleven digits of seconds, the year 5138, still within 64 bits."""

_NAME = re.compile(rf"[\w.\-\[\]]{{1,{NAME_CHARS_MAX}}}", re.ASCII)
_STAMP = re.compile(r"(\d{1,11})(?:\.(\d*))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0*)?", re.ASCII)
_TRUE = frozenset({"true", "1", "yes", "on", "t"})
_FALSE = frozenset({"false", "0", "no", "off", "f"})


class Kind(Enum):
    """How an argument's value is read."""

    TEXT = "a string"
    FLAG = "a boolean (true, false, 1 or 0)"
    NUMBER = "a whole number"
    LIST = "a list (comma separated, or a JSON array of strings)"
    STAMP = "a timestamp such as 1700000000.000100"
    ARRAY = "a JSON array"
    OBJECT = "a JSON object"


class ArgumentError(Exception):
    """A call whose arguments cannot be used.

    `code` is the Web API's error, `messages` say what is wrong and what is allowed.
    """

    def __init__(self, code: str, messages: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {'; '.join(messages)}")
        self.code = code
        self.messages = tuple(messages)


@dataclass(frozen=True, slots=True)
class Arg:
    """Declares one argument.

    `missing` and `invalid` are the error codes when it is absent though `required`, or unreadable. A number outside
    `minimum`..`maximum` is moved to the nearer end when `clamp`, and is an error otherwise. `blank` lets "" count as
    given.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    blank: bool = False
    missing: str = "invalid_arguments"
    invalid: str = "invalid_arguments"
    default: int = 0
    minimum: int = 0
    maximum: int = 0
    clamp: bool = False


Value: TypeAlias = str | bool | int | tuple[str, ...] | list[object] | dict[str, object]


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of one call, as its method declared them.

    Reading one that is absent gives its kind's empty value.
    """

    given: Mapping[str, Value] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Tell whether the argument was given (an empty string counts only where it was declared `blank`)."""
        return name in self.given

    def text(self, name: str) -> str:
        """Return a TEXT, or ""."""
        value = self.given.get(name, "")
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Return a FLAG, or False."""
        return self.given.get(name) is True

    def number(self, name: str) -> int:
        """Return a NUMBER; its declared default when it was absent."""
        value = self.given.get(name, 0)
        return value if isinstance(value, int) else 0

    def names(self, name: str) -> tuple[str, ...]:
        """Return a LIST, in the client's order and without repetitions, or ()."""
        value = self.given.get(name, ())
        return value if isinstance(value, tuple) else ()

    def stamp(self, name: str) -> int | None:
        """Return a STAMP in microseconds since the Unix epoch, or None."""
        value = self.given.get(name)
        return value if isinstance(value, int) else None

    def array(self, name: str) -> list[object]:
        """Return an ARRAY, or []."""
        value = self.given.get(name)
        return value if isinstance(value, list) else []

    def mapping(self, name: str) -> dict[str, object]:
        """Return an OBJECT, or {}."""
        value = self.given.get(name)
        return value if isinstance(value, dict) else {}


def merge(*sources: Mapping[str, object]) -> dict[str, object]:
    """Return one mapping of the sources, later ones winning; an absent value (null) never hides a given one.

    Raises ArgumentError `invalid_arg_name` for a name that no method could have.
    """
    merged: dict[str, object] = {}
    for source in sources:
        for name, value in source.items():
            if not _NAME.fullmatch(name):
                shown = name if len(name) <= 40 else name[:40] + "…"
                raise ArgumentError("invalid_arg_name", [f"[ERROR] not an argument name: {shown}"])
            if value is not None:
                merged[name] = value
    return merged


def parse(declared: Sequence[Arg], raw: Mapping[str, object]) -> Args:
    """Read `declared` from `raw`; whatever is not declared is ignored.

    Raises ArgumentError with every mistake in `messages`, and the code of the first.
    """
    given: dict[str, Value] = {}
    faults: list[tuple[str, str]] = []
    for arg in declared:
        value = raw.get(arg.name)
        if value is None or (not arg.blank and _is_blank(value)):
            if arg.required:
                faults.append((arg.missing, f"[ERROR] missing required field: {arg.name}"))
            elif arg.kind is Kind.NUMBER:
                given[arg.name] = arg.default
            continue
        try:
            given[arg.name] = _read(arg, value)
        except ValueError as error:
            faults.append((arg.invalid, f"[ERROR] {error} [json-pointer:/{arg.name}]"))
    if faults:
        raise ArgumentError(faults[0][0], [message for _, message in faults])
    return Args(given, raw)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _read(arg: Arg, value: object) -> Value:
    match arg.kind:
        case Kind.TEXT:
            return _text(arg, value)
        case Kind.FLAG:
            return _flag(arg, value)
        case Kind.NUMBER:
            return _number(arg, value)
        case Kind.LIST:
            return _list(arg, value)
        case Kind.STAMP:
            return _stamp(arg, value)
        case Kind.ARRAY:
            return _array(arg, value)
        case Kind.OBJECT:
            return _object(arg, value)


def _wrong(arg: Arg, value: object) -> ValueError:
    shown = str(value)
    return ValueError(f"must be {arg.kind.value}, not {shown[:60]!r}")


def _text(arg: Arg, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _wrong(arg, value)


def _flag(arg: Arg, value: object) -> bool:
    word = _text(arg, value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _wrong(arg, value)


def _number(arg: Arg, value: object) -> int:
    if isinstance(value, bool):
        raise _wrong(arg, value)
    word = _text(arg, value).strip()
    if not _INTEGER.fullmatch(word):
        raise _wrong(arg, value)
    number = int(word.partition(".")[0])
    if arg.minimum == arg.maximum == 0 or arg.minimum <= number <= arg.maximum:
        return number
    if not arg.clamp:
        raise ValueError(f"must be from {arg.minimum} to {arg.maximum}, not {number}")
    # 0 means "no limit of mine" to several clients: they get the default, as when they say nothing.
    return arg.default if number == 0 else min(max(number, arg.minimum), arg.maximum)


def _list(arg: Arg, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _json(value) if value.lstrip().startswith("[") else value.split(",")
    elif isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list):
        raise _wrong(arg, value)
    items = [_text(arg, item).strip() for item in value]
    return tuple(dict.fromkeys(item for item in items if item))


def _stamp(arg: Arg, value: object) -> int:
    if isinstance(value, bool):
        raise _wrong(arg, value)
    if isinstance(value, float):
        value = f"{value:.6f}" if math.isfinite(value) else "nan"
    found = _STAMP.fullmatch(_text(arg, value).strip())
    if found is None:
        raise _wrong(arg, value)
    return int(found[1]) * 1_000_000 + int((found[2] or "")[:6].ljust(6, "0"))


def _array(arg: Arg, value: object) -> list[object]:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, list):
        raise _wrong(arg, value)
    return value


def _object(arg: Arg, value: object) -> dict[str, object]:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, dict):
        raise _wrong(arg, value)
    return value


def _json(text: str) -> object:
    try:
        parsed: object = read_json(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at character {error.pos})") from error
    return parsed
