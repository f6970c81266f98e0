"""Pure: what a client has of each channel, and what a frame of the gateway means for that. Sockets are somebody else's.

Offsets of a channel are dense, so everything is arithmetic:

    offset <= had        seen before: dropped
    offset == had + 1    handed on
    offset >  had + 1    something is missing: leave, come back, and resume from what is had

A post of our own on this connection is answered by an acknowledgement instead of its event, and the two travel by
different ways. So an offset that was acknowledged counts as had once those below it are, even when the answer came
before the word that its channel is followed; and while an answer is outstanding an event above a gap is held, not
doubted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from parley_client import tokens
from parley_client.actions import Action, Answer, Event, Json, Leave, ResumeFailed, Say, Step

HELD_MAX = 256
"""Events of a channel held above a gap that an answer will close; beyond, leaving is cheaper."""

LEFT_MAX = 1_000
"""Channels remembered after they were left, so that coming back to one repeats nothing."""

UNAVAILABLE = 7
"""Error code of a post whose outcome the gateway does not know."""


class Return(Enum):
    """What to do after a connection ended."""

    AT_ONCE = "come back"
    LATER = "come back after a while"
    NEVER = "the user is gone"


class Session:
    """What one client has, over all its connections."""

    def __init__(self, resume_token: str = "") -> None:
        """Begin with what a token says, or with nothing. Raises tokens.TokenMalformed."""
        self._had = tokens.decode(resume_token)
        self._left: dict[str, int] = {}
        self._ahead: dict[str, set[int]] = {}
        self._held: dict[str, dict[int, Event | None]] = {}
        self._posts: dict[int, str] = {}
        self._failed: set[str] = set()
        self._listed: set[str] | None = None
        """What this connection was told to follow, until that is known to be all."""
        self._is_resuming = False
        self._is_trusted = True
        self._is_returning = bool(self._had)
        self.is_ready = False
        """Whether the gateway has said from where this connection delivers: whatever is committed now will come."""
        self.duplicates = 0
        self.holes = 0

    @property
    def positions(self) -> Mapping[str, int]:
        """The offset up to which each channel has been received."""
        return self._had

    def connecting(self, *, has_boot: bool = False) -> dict[str, int]:
        """Begin a connection; return the arguments of its rtm.connect, or with `has_boot` of its client.boot.

        A boot says up to where it is true, so that even a first connection resumes: from there (see `booted`).
        """
        self._held.clear()
        self._posts.clear()
        self._failed.clear()
        self._listed = set()
        self.is_ready = False
        self._is_resuming = (has_boot or bool(self._had)) and self._is_trusted
        arguments = {"resume_aware": 1}
        if self._is_resuming:
            arguments["resume"] = 1
        elif self._is_returning:
            arguments["reconnect"] = 1
        self._is_returning = True
        return arguments

    def booted(self, positions: Mapping[str, int]) -> Step | None:
        """Take the positions of the boot that this connection begins with: who has nothing continues from them."""
        if self._had:
            return None
        self._had = dict(positions)
        return Step(None, tuple(self._had.items()))

    def closed(self, code: int | None) -> Return:
        """Learn that the connection ended, with a close code or without."""
        if code == 4004 or (code == 1009 and self._is_resuming and not self.is_ready):
            # What we follow is not known there any more, or our token is too large: begin from the heads, and say so.
            self._is_trusted = False
        if code is not None and 4100 <= code <= 4199:
            return Return.NEVER
        is_our_fault = code in (1002, 1003, 1007, 1008, 1009)
        return Return.LATER if is_our_fault or code == 4003 else Return.AT_ONCE

    def posting(self, number: int, channel_id: str) -> None:
        """Note a post of our own on this connection: its answer takes the place of its event."""
        self._posts[number] = channel_id

    def gave_up(self, number: int) -> list[Action]:
        """Note that nobody waits for an answer any more."""
        channel_id = self._posts.pop(number, "")
        return self._settled(channel_id) if channel_id else []

    def take(self, frame: Json) -> list[Action]:
        """Take a frame; return what follows from it, in order."""
        kind = frame.get("type")
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is not None:
            return reader(self, frame)
        if "reply_to" in frame or "ok" in frame:
            return self._answer(frame)
        event_type = kind if isinstance(kind, str) else ""
        channel_id, offset = _place(frame)
        if not offset:
            return [Step(Event(event_type, frame))]
        return self._arrived(channel_id, offset, Event(event_type, frame, channel_id, offset))

    def _hello(self, _: Json) -> list[Action]:
        return [Say({"type": "resume", "token": tokens.encode(self._had)})] if self._is_resuming else []

    def _goodbye(self, _: Json) -> list[Action]:
        return [Leave("the gateway is leaving")]

    def _error(self, frame: Json) -> list[Action]:
        return [Leave(f"the gateway refuses: {frame.get('error')}")]

    def _resumed(self, _: Json) -> list[Action]:
        self.is_ready = True
        self._listed = None
        return []

    def _resume_failed(self, frame: Json) -> list[Action]:
        # Where the channels begin anew is said by the positions that follow.
        channels = frame.get("channels")
        self._failed.update(channels if isinstance(channels, list) else ())
        return []

    def _dropped(self, frame: Json) -> list[Action]:
        channels = [each for each in frame.get("channels", ()) if each in self._had]
        for channel_id in channels:
            self._left[channel_id] = self._had.pop(channel_id)
            self._held.pop(channel_id, None)
        while len(self._left) > LEFT_MAX:
            del self._left[next(iter(self._left))]
        return [Step(None, tuple((channel_id, None) for channel_id in channels))] if channels else []

    def _positions(self, frame: Json) -> list[Action]:
        try:
            starts = tokens.decode(str(frame.get("token", "")))
        except tokens.TokenMalformed as error:
            return [Leave(f"positions: {error}")]
        self.is_ready = True
        self._is_trusted = True
        moves: list[tuple[str, int | None]] = []
        failed: dict[str, int] = {}
        for channel_id, start in starts.items():
            had = self._had.get(channel_id)
            if channel_id in self._failed or (had is not None and start > had):
                failed[channel_id] = start
                self._failed.discard(channel_id)
                self._forget(channel_id)
            elif had is None:
                start = max(start, self._left.pop(channel_id, 0))
            else:
                continue  # we have all that, and more
            self._had[channel_id] = start
            moves.append((channel_id, start))
        steps: list[Action] = [Step(ResumeFailed(failed) if failed else None, tuple(moves))] if moves else []
        for channel_id, _ in moves:
            self._ahead[channel_id] = {each for each in self._ahead.get(channel_id, ()) if each > self._had[channel_id]}
            steps += self._follow_up(channel_id)
        return steps + self._unlisted(starts, is_last=frame.get("complete") is True)

    def _unlisted(self, starts: Iterable[str], *, is_last: bool) -> list[Action]:
        """Leave what a connection that begins anew does not follow, once it has said everything that it does."""
        if self._listed is None:
            return []
        self._listed.update(starts)
        if not is_last:
            return []
        left = [channel_id for channel_id in self._had if channel_id not in self._listed]
        self._listed = None
        return self._dropped({"channels": left})

    def _position(self, frame: Json) -> list[Action]:
        channel_id, offset = _place(frame)
        return self._arrived(channel_id, offset, None) if offset else []

    def _answer(self, frame: Json) -> list[Action]:
        number = frame.get("reply_to")
        if not isinstance(number, int):
            return []
        actions: list[Action] = [Answer(number, frame)]
        channel_id = self._posts.pop(number, "")
        place, offset = _place(frame)
        if offset:
            actions += self._acknowledged(place, offset)
        elif channel_id and isinstance(error := frame.get("error"), dict) and error.get("code") == UNAVAILABLE:
            # Perhaps it was stored, and its event left out for us: resuming brings it.
            return [*actions, Leave("the outcome of a post is not known")]
        return actions + self._settled(channel_id)

    def _arrived(self, channel_id: str, offset: int, event: Event | None) -> list[Action]:
        had = self._had.get(channel_id)
        if had is None:
            had = self._left.get(channel_id, 0)
            had = had if offset <= had else offset - 1
        if offset <= had or offset in self._ahead.get(channel_id, ()):
            self.duplicates += 1
            return []
        if offset > had + 1:
            return self._beyond(channel_id, offset, event)
        self._had[channel_id] = offset
        step = Step(event, ((channel_id, offset),))
        if channel_id in self._ahead or channel_id in self._held:
            return [step, *self._follow_up(channel_id)]
        return [step]

    def _beyond(self, channel_id: str, offset: int, event: Event | None) -> list[Action]:
        held = self._held.get(channel_id, {})
        if channel_id in self._posts.values() and len(held) < HELD_MAX:
            held[offset] = event
            self._held[channel_id] = held
            return []
        self.holes += 1
        return [Leave(f"events of {channel_id} before {offset} are missing")]

    def _acknowledged(self, channel_id: str, offset: int) -> list[Action]:
        had = self._had.get(channel_id)
        if had is not None and offset <= had:
            return []
        self._ahead.setdefault(channel_id, set()).add(offset)
        while len(self._ahead) > LEFT_MAX:
            del self._ahead[next(iter(self._ahead))]
        return self._follow_up(channel_id) if had is not None else []

    def _follow_up(self, channel_id: str) -> list[Action]:
        """Pass over what was acknowledged, and hand on what was held, as far as there is no gap."""
        ahead, held = self._ahead.get(channel_id, set()), self._held.get(channel_id, {})
        steps: list[Action] = []
        while (following := self._had[channel_id] + 1) in ahead or following in held:
            ahead.discard(following)
            self._had[channel_id] = following
            steps.append(Step(held.pop(following, None), ((channel_id, following),)))
        if not ahead:
            self._ahead.pop(channel_id, None)
        if not held:
            self._held.pop(channel_id, None)
        return steps

    def _settled(self, channel_id: str) -> list[Action]:
        """No answer is outstanding for a channel any more: what is still held is above a hole."""
        if channel_id in self._held and channel_id not in self._posts.values():
            self.holes += 1
            return [Leave(f"events of {channel_id} are missing")]
        return []

    def _forget(self, channel_id: str) -> None:
        self._held.pop(channel_id, None)
        self._left.pop(channel_id, None)


def _place(frame: Mapping[str, Any]) -> tuple[str, int]:
    """Return (channel, offset) of a frame; ("", 0) when it has none."""
    position = frame.get("position")
    if not isinstance(position, str):
        return "", 0
    channel_id, _, offset = position.rpartition(":")
    return (channel_id, int(offset)) if offset.isascii() and offset.isdigit() and channel_id else ("", 0)


_READERS: dict[str, Callable[[Session, Json], list[Action]]] = {
    "hello": Session._hello,
    "goodbye": Session._goodbye,
    "error": Session._error,
    "resumed": Session._resumed,
    "resume_failed": Session._resume_failed,
    "positions": Session._positions,
    "positions_dropped": Session._dropped,
    "position": Session._position,
    "pong": Session._answer,
}
