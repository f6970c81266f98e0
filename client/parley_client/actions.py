"""Pure: what a frame makes a client do, and what the application is handed; plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Moves = tuple[tuple[str, int | None], ...]
"""Positions that change: (channel, offset up to which all is had; None: the channel is followed no longer)."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Persisted ones come exactly once, in the order of their channel."""

    type: str
    """As in Slack's RTM: message, reaction_added, user_typing…"""
    json: Mapping[str, Any]
    """The whole event."""
    channel_id: str = ""
    """What it is routed by: a conversation, the workspace (T…) or the user (U…). Empty when transient."""
    offset: int = 0
    """Its place in that channel: 1, 2, 3…; 0 for transient events, which may be lost."""


@dataclass(frozen=True, slots=True)
class ResumeFailed:
    """Events were missed that can never be had: reload what is known of these channels.

    Everything after the offsets in `starts` follows. The user's own channel (U…) among them means that changes of
    membership may have been missed: reload the list of conversations.
    """

    starts: Mapping[str, int]

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels concerned."""
        return tuple(self.starts)


@dataclass(frozen=True, slots=True)
class Booted:
    """The workspace was told anew, before the connection that brings what happens from now on."""

    json: Mapping[str, Any]
    """The answer of client.boot."""

    @property
    def is_delta(self) -> bool:
        """Whether it tells only what changed."""
        return self.json.get("is_delta") is True


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing for the application: an event, a boot (or none), and what is had once it is handed over."""

    event: Event | ResumeFailed | Booted | None
    moves: Moves = ()


@dataclass(frozen=True, slots=True)
class Say:
    """Send a frame."""

    frame: Json


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the frame with this id."""

    number: int
    frame: Json


@dataclass(frozen=True, slots=True)
class Leave:
    """Close this connection and come back."""

    reason: str


Action = Step | Say | Answer | Leave
