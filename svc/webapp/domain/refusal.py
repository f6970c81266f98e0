"""The ways in which a rule says no."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """The rules do not allow it. `code` is the Web API's error code; `extra` goes into the answer beside it.

    Not a fault: nothing was changed, nobody is to be woken, and the same request gives the same answer.
    """

    def __init__(self, code: str, extra: Mapping[str, object] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Mapping[str, object] = extra or {}


class RateLimited(Refused):
    """Too often: the same request is welcome again after `retry_after_s` (whole seconds are told, at least 1)."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("ratelimited")
        self.retry_after_s = retry_after_s
