"""Pure: answers to clients' frames, encoded: what was done, and what is wrong.

`reply_to` is the same number that the client sent; it is left out when there was none. An error is always an object,
with a `code` for programs and a `msg` for people, since clients in typed languages decode exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from svc.gateway import frames


class RtmError(Enum):
    """What is wrong with a frame: `code` for programs, `msg` for people and for clients that read only that."""

    NO_TEXT = (2, "no_text")
    TOO_LONG = (3, "msg_too_long")
    NO_CHANNEL = (4, "channel_not_found")
    UNKNOWN_TYPE = (5, "unknown type")
    BAD_JSON = (5, "invalid json")
    RATE_LIMITED = (6, "ratelimited")
    UNAVAILABLE = (7, "service_unavailable")
    REFUSED = (8, "refused")
    INVALID = (9, "invalid_arguments")
    TOO_LARGE = (10, "answer_too_large")


def reply_to(frame: Mapping[str, Any]) -> Any:
    """Return the frame's id, as the number (or text) that it is; None when there is none to answer to."""
    number = frame.get("id")
    return number if isinstance(number, int | float | str) and not isinstance(number, bool) else None


def posted(number: Any, ts: str, text: str, position: str) -> bytes:
    """Return the acknowledgement of a stored post."""
    return answered(number, {"ts": ts, "text": text, "position": position})


def answered(number: Any, fields: Mapping[str, Any]) -> bytes:
    """Return the answer to a frame that was understood and done."""
    return frames.json_frame({**_head(number, is_ok=True), **fields})


def refused(number: Any, reason: str) -> bytes:
    """Return the answer to a post that was not stored; `reason` is the Web API's error code."""
    known = next((error for error in RtmError if error.value[1] == reason), None)
    code = known.value[0] if known is not None else RtmError.REFUSED.value[0]
    return _error_object(number, {"code": code, "msg": reason})


def error(number: Any, kind: RtmError, **more: Any) -> bytes:
    """Return the answer to a frame with which something is wrong.

    `more` goes into the error beside code and msg: `hint`, a sentence; `retry_after`, seconds.
    """
    code, msg = kind.value
    return _error_object(number, {"code": code, "msg": msg, **more})


def _error_object(number: Any, what: Mapping[str, Any]) -> bytes:
    return frames.json_frame(_head(number, is_ok=False) | {"error": what})


def _head(number: Any, *, is_ok: bool) -> dict[str, Any]:
    return {"ok": is_ok} if number is None else {"ok": is_ok, "reply_to": number}
