"""Hand-made records: one conversation, four acknowledged posts, and readers that received what a test says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ops.chaos.record import Arrival, Entry, Kind, Outcome, Post, Record, Reset, Session, Stream, Told

CHANNEL = "C1"
MEMBERS = frozenset({"UANN", "UBOB"})
LENGTH = 4
ENDED_AT = 100.0


def ts(offset: int) -> str:
    """Return the ts of the message at an offset."""
    return f"1700000000.00000{offset}"


def post(offset: int, **changes: Any) -> Post:
    """Return the acknowledged post at an offset: begun at 10 s and its offset, answered half a second later."""
    made = Post(f"k{offset}", CHANNEL, 10.0 + offset, 10.5 + offset, Outcome.ACKED, ts(offset), offset)
    return replace(made, **changes)


def arrival(offset: int, **changes: Any) -> Arrival:
    """Return the arrival of the message at an offset, a second after its post was begun."""
    return replace(Arrival(CHANNEL, offset, ts(offset), f"k{offset}", 11.0 + offset), **changes)


def stream(*offsets: int, kind: Kind = Kind.RESUMING, **changes: Any) -> Stream:
    """Return ann's stream that received these offsets, in this order, on one connection since the beginning."""
    arrivals = tuple(arrival(offset) for offset in offsets)
    return replace(Stream("ann", "UANN", kind, (Session(0.0),), arrivals), **changes)


def entries(*offsets: int) -> tuple[Entry, ...]:
    """Return log entries with the messages at these offsets."""
    return tuple(Entry(offset, ts(offset), f"k{offset}") for offset in offsets)


def record(*streams: Stream, **changes: Any) -> Record:
    """Return a record in which everything acknowledged is stored, with some of it changed."""
    every = range(1, LENGTH + 1)
    made = Record(
        members={CHANNEL: MEMBERS},
        base={CHANNEL: 0},
        posts=tuple(post(offset) for offset in every),
        streams=streams,
        log={CHANNEL: entries(*every)},
        history={CHANNEL: tuple(Told(ts(offset), f"k{offset}") for offset in every)},
        ended_at=ENDED_AT,
    )
    return replace(made, **changes)


def reset(offset: int, after: int) -> Reset:
    """Return a resume_failed of the conversation."""
    return Reset(CHANNEL, offset, after)
