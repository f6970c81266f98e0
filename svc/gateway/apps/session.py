"""Pure: what an app's client may say over Socket Mode: acknowledgements, and pings of the protocol.

Whatever else comes is left unanswered, and nothing that is merely odd closes the connection: an app must not lose its
connection, and with it a moment of its events, over a frame that means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.session import Close, Send
from svc.kit.bucket import TokenBucket
from svc.kit.foreign_json import read_json

ENVELOPE_ID_CHARS_MAX = 100
FRAMES_PER_S = 2_000.0
FRAMES_BURST = 4_000
"""More than an owner has under way: only what acknowledges nothing of ours can be over it."""
REFUSALS_MAX = 100_000
"""Frames over the rate until a client counts as an attack."""


@dataclass(frozen=True, slots=True)
class AppAck:
    """The app has taken an envelope."""

    envelope_id: str
    payload: bytes
    """What it answers, an encoded JSON object; b"" for nothing."""


class AppSession:
    """The state of one connection that its frames depend on (see svc.gateway.talk.Talk)."""

    __slots__ = ("_refusals", "_tokens", "active_at", "awaits_resume")

    def __init__(self, now: float) -> None:
        """Start with a full bucket at `now` (monotonic seconds)."""
        self.awaits_resume = False
        self.active_at = now
        self._tokens = TokenBucket(FRAMES_PER_S, FRAMES_BURST, now)
        self._refusals = 0

    def ping(self, payload: bytes, now: float) -> list[Send | Close]:
        """Answer a protocol ping."""
        return [Send(frames.pong_frame(payload))] if self._admit(now) else self._excess()

    def binary(self) -> list[Send | Close]:
        """Pass over a binary message."""
        return []

    def text(self, payload: bytes, now: float) -> list[Send | Close | AppAck]:
        """Take a text message."""
        if not self._admit(now):
            return [*self._excess()]
        try:
            frame = read_json(payload)
        except orjson.JSONDecodeError:
            return []
        if not isinstance(frame, dict):
            return []
        self.active_at = now
        id_, answer = frame.get("envelope_id"), frame.get("payload")
        if not isinstance(id_, str) or not 0 < len(id_) <= ENVELOPE_ID_CHARS_MAX:
            return []
        return [AppAck(id_, orjson.dumps(answer) if isinstance(answer, dict) and answer else b"")]

    def _admit(self, now: float) -> bool:
        if self._tokens.take(now):
            return False
        self._refusals = 0
        return True

    def _excess(self) -> list[Send | Close]:
        self._refusals += 1
        return [Close(CloseCode.POLICY, "too many frames")] if self._refusals > REFUSALS_MAX else []
