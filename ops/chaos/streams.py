"""What readers write down as it happens: sessions, arrivals, resets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.chaos.record import Arrival, Kind, Reset, Session, Stream

MARK = "chaos "
"""Begins the text of every message of a run; its key follows."""


class NotConnected(OSError):
    """There is no connection to post on, or it broke before the answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """A persisted event as a frame tells it."""

    channel_id: str
    offset: int
    ts: str
    key: str


def place_of(event: Mapping[str, Any]) -> Place | None:
    """Return a frame's place; None for frames that have none: hello, acknowledgements, typing."""
    channel_id, _, offset = str(event.get("position", "")).rpartition(":")
    if not channel_id or "type" not in event or not offset.isdigit():
        return None
    return Place(channel_id, int(offset), str(event.get("ts") or event.get("event_ts") or ""), key_of(event))


def key_of(message: Mapping[str, Any]) -> str:
    """Return the key of a message of the run, edited or not; "" for anything else."""
    text = message.get("text")
    return text[len(MARK) :].partition(" ")[0] if isinstance(text, str) and text.startswith(MARK) else ""


@dataclass(slots=True)
class StreamLog:
    """One reader's notes. Bounded by the run: some thousand posts."""

    name: str
    user_id: str
    kind: Kind
    arrivals: list[Arrival] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    """Highest offset that arrived, by channel."""
    _hellos: list[float] = field(default_factory=list)
    _ends: dict[int, float] = field(default_factory=dict)

    def greeted(self) -> None:
        """Note a connection's hello."""
        self._hellos.append(time.monotonic())

    def ended(self) -> None:
        """Note the end of the connection, if there was one."""
        if self._hellos:
            self._ends.setdefault(len(self._hellos) - 1, time.monotonic())

    @property
    def is_connected(self) -> bool:
        """Whether a connection was greeted and has not ended."""
        return bool(self._hellos) and len(self._hellos) - 1 not in self._ends

    @property
    def connections(self) -> int:
        """How many connections there were."""
        return len(self._hellos)

    def arrived(self, event: Mapping[str, Any]) -> None:
        """Note a frame that reached the application, if it is a persisted event."""
        place = place_of(event)
        if place is None:
            return
        number = max(0, len(self._hellos) - 1)
        self.arrivals.append(Arrival(place.channel_id, place.offset, place.ts, place.key, time.monotonic(), number))
        self.heads[place.channel_id] = max(self.heads.get(place.channel_id, 0), place.offset)

    def reset(self, channel_id: str, offset: int) -> None:
        """Note a `resume_failed` for a channel, with its new start."""
        self.resets.append(Reset(channel_id, offset, len(self.arrivals)))
        self.heads[channel_id] = max(self.heads.get(channel_id, 0), offset)

    def stream(self) -> Stream:
        """Return what was noted."""
        sessions = tuple(Session(hello, self._ends.get(number)) for number, hello in enumerate(self._hellos))
        return Stream(self.name, self.user_id, self.kind, sessions, tuple(self.arrivals), tuple(self.resets))
