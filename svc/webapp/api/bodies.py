"""From a request's bytes to its raw arguments: query string, urlencoded form, multipart form, JSON.

A body that cannot be read is the client's mistake and is named with the Web API's own codes; an empty body is never a
mistake, whatever its Content-Type (slack_sdk sends `application/json` with nothing, slackclient no type at all). Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from svc.kit.foreign_json import read_json
from svc.webapp.api.arguments import ArgumentError

FIELDS_MAX = 1_000
"""Fields of one form.

Slack's richest call has about 20; the bound keeps a hostile body from costing more than its bytes.
"""

CONTENT_TYPES_MAX = 64
"""Headers whose meaning is remembered; each form of several parts has a boundary of its own."""

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_JSON = "application/json"
_CHARSETS = {
    "": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
}


_SHAPES = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}


def read_query(query: bytes) -> dict[str, object]:
    """Return the arguments of a query string. Raises ArgumentError `invalid_form_data`."""
    return _urlencoded(query, "utf-8")


def read_body(content_type: str, body: bytes) -> Mapping[str, object]:
    """Return the arguments in a body.

    Raises ArgumentError: `invalid_json`, `json_not_object`, `invalid_form_data`, `invalid_post_type`,
    `missing_post_type`.
    """
    if not body.strip():
        return {}
    kind, boundary, named = _content_type(content_type)
    charset = _charset(named)
    if kind == _JSON or kind.endswith("+json"):
        return _json(body)
    if kind == _FORM:
        return _urlencoded(body, charset)
    if kind == _MULTIPART:
        return _multipart(body, boundary, charset)
    if kind:
        raise ArgumentError(
            "invalid_post_type", [f"[ERROR] Content-Type must be {_JSON}, {_FORM} or {_MULTIPART}, not {kind[:80]}"]
        )
    return _untyped(body)


@lru_cache(maxsize=CONTENT_TYPES_MAX)
def _content_type(header: str) -> tuple[str, bytes, str]:
    """Return the media type, the boundary and the charset's name that the header says; clients all say the same few."""
    media_type, options = parse_options_header(header)
    kind = media_type.decode("latin-1").strip().lower()
    return kind, options.get(b"boundary", b""), options.get(b"charset", b"").decode("latin-1")


def _charset(name: str) -> str:
    codec = _CHARSETS.get(name.strip().strip('"').lower())
    if codec is None:
        raise ArgumentError("invalid_form_data", [f"[ERROR] charset must be utf-8 or iso-8859-1, not {name[:40]}"])
    return codec


def _untyped(body: bytes) -> Mapping[str, object]:
    # Old clients send forms without a Content-Type; only what looks like neither JSON nor a form is refused.
    if body.lstrip().startswith(b"{"):
        return _json(body)
    if b"=" in body:
        return _urlencoded(body, "utf-8")
    raise ArgumentError("missing_post_type", ["[ERROR] a body needs a Content-Type"])


def _json(body: bytes) -> Mapping[str, object]:
    try:
        parsed = read_json(body.removeprefix(b"\xef\xbb\xbf"))
    except json.JSONDecodeError as error:
        raise ArgumentError("invalid_json", [f"[ERROR] {error.msg} at character {error.pos}"]) from error
    if not isinstance(parsed, dict):
        raise ArgumentError("json_not_object", [f"[ERROR] the body must be a JSON object, not {_SHAPES[type(parsed)]}"])
    return parsed


def _urlencoded(data: bytes, charset: str) -> dict[str, object]:
    try:
        pairs = parse_qsl(
            data.decode("ascii" if charset == "utf-8" and data.isascii() else charset),
            keep_blank_values=True,
            encoding=charset,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise ArgumentError("invalid_form_data", [f"[ERROR] the form cannot be read: {error}"]) from error
    return _fields(pairs)


def _fields(pairs: list[tuple[str, str]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        # The last of several wins, as in PHP, where Slack's rules come from; a blank one does not hide a value.
        if value or name not in fields:
            fields[name.strip()] = value
    fields.pop("", None)
    return fields


def _multipart(body: bytes, boundary: bytes, charset: str) -> dict[str, object]:
    pairs: list[tuple[str, str]] = []

    def on_field(found: Field) -> None:
        if len(pairs) >= FIELDS_MAX:
            raise ValueError(f"more than {FIELDS_MAX} fields")
        pairs.append(((found.field_name or b"").decode(charset), (found.value or b"").decode(charset)))

    def on_file(found: File) -> None:
        found.close()

    if not boundary or b"--" + boundary + b"--" not in body:
        # A cut-off body would otherwise be read as fewer arguments than were sent.
        raise ArgumentError("invalid_form_data", ["[ERROR] the multipart body does not end with its boundary"])
    try:
        parser = FormParser(
            _MULTIPART, on_field, on_file, boundary=boundary, config={"MAX_MEMORY_FILE_SIZE": len(body) + 1}
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise ArgumentError("invalid_form_data", [f"[ERROR] the form cannot be read: {error}"]) from error
    return _fields(pairs)
