"""The twins of the rows, and how frames for them are made."""

from __future__ import annotations

import importlib
from array import array
from typing import Any

import pytest

from discovery.ring import SLOTS
from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.event.v1 import event_pb2
from svc.channel.rows import plain


def native() -> Any:
    """The rows in C, or None."""
    try:
        return importlib.import_module("svc.channel.rows._rows")
    except ImportError:
        return None


TWINS = [
    pytest.param(plain, id="python"),
    pytest.param(native(), id="c", marks=pytest.mark.skipif(native() is None, reason="no compiler was here")),
]

PLENTY = 1 << 30


def everywhere(generation: int = 1) -> array[int]:
    """Every slot is ours since that generation."""
    return array("Q", [generation]) * SLOTS


def subscribe_frame(*positions: tuple[str, int]) -> bytes:
    """An encoded Subscribe."""
    return channel_pb2.Subscribe(
        request_number=3,
        ring_fingerprint=1 << 63,
        positions=[event_pb2.ChannelPosition(channel_id=name, offset=offset) for name, offset in positions],
    ).SerializeToString()


def unsubscribe_frame(*channel_ids: str) -> bytes:
    """An encoded Unsubscribe."""
    return channel_pb2.Unsubscribe(channel_ids=channel_ids).SerializeToString()


def follow(rows: Any, number: int, *positions: tuple[str, int], limit: int = PLENTY, is_refused: bool = False) -> Any:
    """Subscribe; return what is unproven with its head, what is refused, and what the caller has to answer for."""
    frame = subscribe_frame(*positions)
    rows.heading(frame)
    encoded, active = rows.subscribe(frame, number, limit, is_refused)
    answer = channel_pb2.Subscribed.FromString(encoded)
    unproven = [(each.channel_id, each.head_offset) for each in answer.unproven]
    return unproven, list(answer.refused_channel_ids), [tuple(each) for each in active]


def standing(rows: Any, place: int) -> list[tuple[Any, ...]]:
    """What stands in a slot and is not vouched for, in a definite order."""
    return sorted(tuple(each) for each in rows.standing(place)[1])
