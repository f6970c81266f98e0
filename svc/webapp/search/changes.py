"""Which messages an event says something of. Pure.

Nothing else is taken from an event: what became of a message is read from its row. So it does no harm to name one too
many, and whatever names a message in a place where messages are named is taken.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from parley.event.v1 import event_pb2
from svc.kit.ids import us_from_ts
from svc.webapp.commit.log import Json
from svc.webapp.search.documents import Key

__all__ = ["touched"]

_WITHIN = ("message", "previous_message", "item")
_NAMES = ("ts", "deleted_ts", "thread_ts")
DEPTH_MAX = 2
"""A pin names its message within an item."""


def touched(event: event_pb2.Event) -> set[Key]:
    """Return the messages that may be others since an event; none for what is about no message."""
    if event.kind != event_pb2.EVENT_KIND_MESSAGE and not event.message_ts_us:
        return set()
    stamps = {event.message_ts_us} if event.message_ts_us else set()
    if event.payload:
        payload = orjson.loads(event.payload)
        if isinstance(payload, dict):
            stamps.update(_stamps(payload))
    return {(event.channel_id, ts_us) for ts_us in stamps}


def _stamps(shape: Json, depth: int = 0) -> Iterator[int]:
    for name in _NAMES:
        try:
            yield us_from_ts(str(shape.get(name, "")))
        except ValueError:
            continue
    for name in _WITHIN:
        inner = shape.get(name)
        if isinstance(inner, dict) and depth < DEPTH_MAX:
            yield from _stamps(inner, depth + 1)
