"""Pure: whether the client of a connection is still there, by when it was sent something and when it was last heard.

A line that is dead without a word swallows envelopes until somebody notices: clients after 5 to 30 s, we, by the pings
of all connections, after 30 s. An owner that counted such tries would give events up after 12 s, before a client can be
back. So a connection that was given an envelope and says nothing, not even to a ping, is taken from its owner before.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["DOUBT_SHARE", "Silence", "Standing"]

DOUBT_SHARE = 0.4
"""Of the time after which a client counts as gone: without a word for as long, it is pinged."""


class Standing(Enum):
    """What is to be thought of a client."""

    THERE = "there"
    DOUBTED = "doubted"
    """To be pinged; said once."""
    SILENT = "silent"


class Silence:
    """Watches one connection. Times are monotonic seconds."""

    __slots__ = ("_is_pinged", "_silent_s", "_since")

    def __init__(self, silent_s: float) -> None:
        """A client counts as gone after `silent_s` without a word since it was sent something."""
        self._silent_s = silent_s
        self._since: float | None = None
        self._is_pinged = False

    def sent(self, now: float, heard_at: float) -> None:
        """Note that the client, last heard at `heard_at`, is sent something that it answers."""
        if self._since is None or heard_at > self._since:
            self._since = now
            self._is_pinged = False

    def look(self, now: float, heard_at: float) -> Standing:
        """Return how the client stands now."""
        if self._since is None or heard_at > self._since:
            return Standing.THERE
        if now - self._since >= self._silent_s:
            return Standing.SILENT
        if now - self._since >= self._silent_s * DOUBT_SHARE and not self._is_pinged:
            self._is_pinged = True
            return Standing.DOUBTED
        return Standing.THERE
