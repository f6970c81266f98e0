"""Pure: what a client's frames mean. A frame and the time go in, actions come out; sockets are somebody else's.

A client sends JSON text: posts, typing, pings, presence interests. Whatever it sends instead is answered with an error
object on its own connection, or closes it with a code that says why; nobody else notices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from svc.gateway import answers, frames
from svc.gateway.answers import RtmError
from svc.gateway.close_codes import CloseCode
from svc.gateway.lazy import queries
from svc.gateway.lazy.queries import Query, QueryRate
from svc.kit.bucket import TokenBucket
from svc.kit.config import setting
from svc.kit.foreign_json import read_json
from svc.kit.ids import is_id

PRESENCE_QUERY_MAX = 500
"""Users in one presence_query (SLACK-compatible)."""

CLIENT_MSG_ID_MAX = 64
"""Characters of a client_msg_id: a UUID has 36."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one connection may do."""

    frame_bytes_max: int = setting(
        "PARLEY_GATEWAY_FRAME_BYTES_MAX",
        default=20_480,
        minimum=1_024,
        maximum=65_536,
        help="bytes of a client's frame that are read; larger ones get msg_too_long (Slack: 16 kB)",
    )
    text_chars_max: int = setting(
        "PARLEY_GATEWAY_TEXT_CHARS_MAX", default=4_000, minimum=1, help="characters of a posted text"
    )
    frames_per_s: float = setting(
        "PARLEY_GATEWAY_FRAMES_PER_S", default=50.0, minimum=0.1, help="frames a second that a client may send"
    )
    frames_burst: int = setting(
        "PARLEY_GATEWAY_FRAMES_BURST", default=500, minimum=1, help="frames that a client may save up"
    )
    refusals_max: int = setting(
        "PARLEY_GATEWAY_REFUSALS_MAX",
        default=2_000,
        minimum=1,
        help="rate-limited frames in a row before the connection is closed",
    )
    presence_ids_max: int = setting(
        "PARLEY_GATEWAY_PRESENCE_IDS_MAX",
        default=1_400,
        minimum=1,
        help="users whose presence a client may follow; more do not fit into a frame of the default size",
    )
    presence_ids_per_s: float = setting(
        "PARLEY_GATEWAY_PRESENCE_IDS_PER_S",
        default=1_000.0,
        minimum=1.0,
        help="users a second whose presence a client may begin to follow or ask for; each costs the gateway 5 us and "
        "presence 3 us; a screen of 60 people that is scrolled all the time takes 600",
    )
    presence_ids_burst: int = setting(
        "PARLEY_GATEWAY_PRESENCE_IDS_BURST", default=5_000, minimum=1, help="such users that a client may save up"
    )
    queries: QueryRate = field(default_factory=QueryRate)


@dataclass(frozen=True, slots=True)
class Send:
    """Write an encoded frame."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close with this code; nothing follows."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class Post:
    """Post a message, then answer by `posted` or `refused` with this `reply_to`."""

    reply_to: Any
    channel_id: str
    text: str
    thread_ts: str
    reply_broadcast: bool
    client_msg_id: str


@dataclass(frozen=True, slots=True)
class Typing:
    """Tell the others in the channel that this user is typing."""

    channel_id: str
    thread_ts: str


@dataclass(frozen=True, slots=True)
class PresenceSub:
    """Follow the presence of exactly these users from now on, and tell their states."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresenceQuery:
    """Tell the states of these users once."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue where this token says; see resume.py."""

    token: str
    starts: str = ""
    """What came with the return ticket by which it connected, if it did; see returning.py."""


Action = Send | Close | Post | Typing | PresenceSub | PresenceQuery | Resume | Query


class Session:
    """The state of one connection that its frames depend on: token buckets, and whether it may resume. 200 bytes."""

    __slots__ = ("_frames", "_limits", "_presence", "_queries", "_refusals", "active_at", "awaits_resume")

    def __init__(self, limits: SessionLimits, now: float, awaits_resume: bool = False) -> None:
        """Start with a full bucket at `now` (monotonic seconds)."""
        self.awaits_resume = awaits_resume
        """Whether a resume frame is taken, which may be larger than any other; once, and not for long."""
        self.active_at = now
        """When the client last sent anything but a ping (monotonic seconds)."""
        self._limits = limits
        self._frames = TokenBucket(limits.frames_per_s, limits.frames_burst, now)
        self._queries: TokenBucket | None = None
        self._presence: TokenBucket | None = None
        self._refusals = 0

    def ping(self, payload: bytes, now: float) -> list[Action]:
        """Answer a protocol ping; beyond the rate it is left unanswered (RFC 6455 §5.5.3 allows it)."""
        return [Send(frames.pong_frame(payload))] if self._admit(now) else self._excess()

    def binary(self) -> list[Action]:
        """Refuse a binary message."""
        return [Close(CloseCode.UNSUPPORTED_DATA, "only JSON text is understood")]

    def text(self, payload: bytes, now: float) -> list[Action]:
        """Take a text message."""
        try:
            frame = read_json(payload)
        except orjson.JSONDecodeError:
            return self._not_json(payload, now)
        if not isinstance(frame, dict):
            return self._error(None, RtmError.BAD_JSON, now)
        if not self._admit(now):
            return self._excess() or [Send(answers.error(answers.reply_to(frame), RtmError.RATE_LIMITED))]
        kind = frame.get("type")
        if kind != "ping":
            self.active_at = now
        if len(payload) > self._limits.frame_bytes_max and not (self.awaits_resume and kind == "resume"):
            return [Send(answers.error(answers.reply_to(frame), RtmError.TOO_LONG))]
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is None:
            return [Send(answers.error(answers.reply_to(frame), RtmError.UNKNOWN_TYPE))]
        return reader(self, frame)

    def _not_json(self, payload: bytes, now: float) -> list[Action]:
        try:
            payload.decode()
        except UnicodeDecodeError:
            return [Close(CloseCode.INVALID_TEXT, "text must be UTF-8")]
        return self._error(None, RtmError.BAD_JSON, now)

    def _error(self, reply_to: Any, error: RtmError, now: float) -> list[Action]:
        return [Send(answers.error(reply_to, error))] if self._admit(now) else self._excess()

    def _admit(self, now: float) -> bool:
        if self._frames.take(now):
            return False
        self._refusals = 0
        return True

    def _excess(self) -> list[Action]:
        self._refusals += 1
        if self._refusals > self._limits.refusals_max:
            return [Close(CloseCode.POLICY, "too many frames")]
        return []

    def _message(self, frame: dict[str, Any]) -> list[Action]:
        reply_to = answers.reply_to(frame)
        channel_id, text, thread_ts = frame.get("channel"), frame.get("text"), frame.get("thread_ts") or ""
        key = frame.get("client_msg_id") or ""
        if not isinstance(channel_id, str) or not is_id(channel_id, "CDG"):
            return [Send(answers.error(reply_to, RtmError.NO_CHANNEL))]
        if not isinstance(text, str) or not text:
            return [Send(answers.error(reply_to, RtmError.NO_TEXT))]
        if len(text) > self._limits.text_chars_max:
            return [Send(answers.error(reply_to, RtmError.TOO_LONG))]
        if not isinstance(thread_ts, str) or not isinstance(key, str) or len(key) > CLIENT_MSG_ID_MAX:
            return [Send(answers.error(reply_to, RtmError.INVALID))]
        return [Post(reply_to, channel_id, text, thread_ts, _is_true(frame.get("reply_broadcast")), key)]

    def _ping(self, frame: dict[str, Any]) -> list[Action]:
        pong: dict[str, Any] = {"type": "pong"}
        reply_to = answers.reply_to(frame)
        if reply_to is not None:
            pong["reply_to"] = reply_to
        extras = {name: value for name, value in frame.items() if name not in ("id", "type", "reply_to")}
        return [Send(frames.json_frame(pong | extras))]

    def _typing(self, frame: dict[str, Any]) -> list[Action]:
        channel_id, thread_ts = frame.get("channel"), frame.get("thread_ts") or ""
        if not isinstance(channel_id, str) or not isinstance(thread_ts, str):
            return [Send(answers.error(answers.reply_to(frame), RtmError.INVALID))]
        return [Typing(channel_id, thread_ts[:20])]

    def _presence_sub(self, frame: dict[str, Any]) -> list[Action]:
        return self._looking(frame, PresenceSub, self._limits.presence_ids_max)

    def _presence_query(self, frame: dict[str, Any]) -> list[Action]:
        return self._looking(frame, PresenceQuery, PRESENCE_QUERY_MAX)

    def _looking(
        self, frame: dict[str, Any], action: type[PresenceSub] | type[PresenceQuery], ids_max: int
    ) -> list[Action]:
        number, now, limits, ids = answers.reply_to(frame), self.active_at, self._limits, frame.get("ids", [])
        if self._presence is None:
            self._presence = TokenBucket(limits.presence_ids_per_s, limits.presence_ids_burst, now)
        wait_s = self._presence.take(now, len(ids)) if isinstance(ids, list) else 0.0
        if wait_s:
            return [Send(answers.error(number, RtmError.RATE_LIMITED, retry_after=round(wait_s, 2)))]
        user_ids = _user_ids(frame)
        if user_ids is None or len(user_ids) > ids_max:
            return [Send(answers.error(number, RtmError.INVALID))]
        return [action(user_ids)]

    def _query(self, frame: dict[str, Any]) -> list[Action]:
        number, now, rate = answers.reply_to(frame), self.active_at, self._limits.queries
        if self._queries is None:
            self._queries = TokenBucket(rate.queries_per_s, rate.queries_burst, now)
        wait_s = self._queries.take(now)
        if wait_s:
            return [Send(answers.error(number, RtmError.RATE_LIMITED, retry_after=round(wait_s, 2)))]
        try:
            return [queries.read(frame["type"], number, frame)]
        except ValueError as error:
            return [Send(answers.error(number, RtmError.INVALID, hint=str(error)))]

    def _resume(self, frame: dict[str, Any]) -> list[Action]:
        if not self.awaits_resume:
            return [Send(answers.error(answers.reply_to(frame), RtmError.UNKNOWN_TYPE))]
        self.awaits_resume = False
        token, starts = frame.get("token"), frame.get("starts")
        return [Resume(token if isinstance(token, str) else "", starts if isinstance(starts, str) else "")]

    def _tickle(self, _frame: dict[str, Any]) -> list[Action]:
        return []


_READERS: dict[str, Callable[[Session, dict[str, Any]], list[Action]]] = {
    "message": Session._message,
    "ping": Session._ping,
    "typing": Session._typing,
    "presence_sub": Session._presence_sub,
    "presence_query": Session._presence_query,
    "tickle": Session._tickle,
    "resume": Session._resume,
    **dict.fromkeys(queries.KINDS_OF_QUERY, Session._query),
}


def _is_true(value: Any) -> bool:
    """Read a flag in any of the forms that clients send."""
    return value is True or value == 1 or (isinstance(value, str) and value.lower() in ("1", "true"))


def _user_ids(frame: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the users named, without what cannot be one; None when it is not a list."""
    ids = frame.get("ids", [])
    if not isinstance(ids, list):
        return None
    return tuple(dict.fromkeys(each for each in ids if isinstance(each, str) and is_id(each, "UW")))
