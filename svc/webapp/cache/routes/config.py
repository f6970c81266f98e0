"""Reading a configuration of routes: JSON, checked as a whole, every mistake named with its place.

    {"pools": ["gutter", "main"],
     "handles": {"careful": {"type": "failover", "child": "main", "gutter": "gutter", "ttl_s": 10}},
     "routes": {"prefixes": {"h1:": "main"}, "default": "careful"},
     "leases": true}

A handle is an object with a `type` (`fields` lists them), or the name of one of `handles`, or that of a pool. Fields
that nobody knows are mistakes: what is spelt wrong must not be taken for what was not said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from svc.webapp.cache.routes.fields import WRONG, Place, Reading, flag
from svc.webapp.cache.routes.reach import conflicts
from svc.webapp.cache.routes.spec import PrefixesSpec, RoutesConfig, Spec, Switches

__all__ = ["DEFAULT_FILE", "PLAIN_FILE", "RoutesError", "parse", "read_file"]

DEFAULT_FILE: Final = Path(__file__).parent / "default.json"
PLAIN_FILE: Final = Path(__file__).parent / "plain.json"
"""Hashing alone: no leases, no gutter, no warm-up; what the benchmarks compare with."""
BYTES_MAX = 64 * 1024
"""Of a configuration; a tenth of it is a large one."""
NAMED_MAX = 16
"""Pools, and named handles."""
NAME_CHARS_MAX = 64
_SWITCHES = tuple(field.name for field in fields(Switches))


class RoutesError(ValueError):
    """A configuration that nobody may use; `mistakes` has a sentence for each thing that is wrong."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def read_file(path: Path) -> RoutesConfig:
    """Return the configuration in a file. Raises OSError, RoutesError."""
    return parse(path.read_bytes())


def parse(data: bytes) -> RoutesConfig:
    """Return the configuration that `data` holds. Raises RoutesError with all mistakes."""
    reading = Reading()
    body = _body(data, reading)
    config = None if reading.mistakes else _config(body, reading)
    if config is None or reading.mistakes:
        # What is wrong with a named handle is found wherever it is used, and said once.
        raise RoutesError(tuple(dict.fromkeys(reading.mistakes)))
    return config


def _body(data: bytes, reading: Reading) -> dict[str, Any]:
    """Return the outermost object."""
    body: Any = None
    if len(data) > BYTES_MAX:
        reading.mistakes.append(f"{len(data)} bytes are too many; {BYTES_MAX} are allowed")
        return {}
    try:
        body = json.loads(data, object_pairs_hook=reading.without_doubles)
    except (ValueError, RecursionError) as error:
        reading.mistakes.append(f"not JSON: {error}")
    else:
        if not isinstance(body, dict):
            reading.mistakes.append("the whole is not an object")
    return body if isinstance(body, dict) else {}


def _config(body: dict[str, Any], reading: Reading) -> RoutesConfig | None:
    reading.only(Place(""), body, {"pools", "handles", "routes", *_SWITCHES}, "a configuration")
    reading.pools = _pools(body.get("pools"), reading)
    reading.handles = _handles(body.get("handles", {}), reading)
    for name, handle in reading.handles.items():
        reading.handle(handle, Place(f"handles.{name}", names=(name,)))
    switches = {name: flag(reading, body[name], Place(name)) for name in _SWITCHES if name in body}
    routes = body.get("routes")
    if not isinstance(routes, dict):
        reading.mistakes.append("routes: an object with `default` is needed")
        return None
    spec = reading.handle({"type": "prefixes", **routes}, Place("routes"))
    if not isinstance(spec, PrefixesSpec):
        if spec is not WRONG:
            reading.mistakes.append("routes: the outermost handle is of type prefixes")
        return None
    for path, branch in _branches(spec):
        reading.mistakes.extend(f"{path}: {conflict}" for conflict in conflicts(branch))
    return None if reading.mistakes else RoutesConfig(tuple(sorted(reading.pools)), spec, Switches(**switches))


def _branches(spec: PrefixesSpec) -> Iterator[tuple[str, Spec]]:
    """Yield what different keys go through, with its place."""
    yield "routes.default", spec.default
    for prefix, branch in spec.prefixes.items():
        yield f'routes.prefixes["{prefix}"]', branch


def _pools(value: Any, reading: Reading) -> frozenset[str]:
    if not isinstance(value, list) or not value or not all(map(_is_name, value)):
        reading.mistakes.append("pools: a list of the names of pools is needed")
        return frozenset()
    if len(value) > NAMED_MAX:
        reading.mistakes.append(f"pools: {len(value)} are too many; {NAMED_MAX} are allowed")
    return frozenset(value)


def _handles(value: Any, reading: Reading) -> dict[str, Any]:
    if not isinstance(value, dict):
        reading.mistakes.append("handles: an object of handles by name is needed")
        return {}
    if len(value) > NAMED_MAX:
        reading.mistakes.append(f"handles: {len(value)} are too many; {NAMED_MAX} are allowed")
    for name in value:
        if name in reading.pools:
            reading.mistakes.append(f"handles.{name}: a pool has that name already")
        elif not _is_name(name):
            reading.mistakes.append(f"handles: {name!r} is not a name")
    return value


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_CHARS_MAX and value.isprintable()
