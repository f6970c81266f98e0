"""Rows against the log: what is wrong with the tables of a channel, by all of its events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ops.folding import Contradiction, Folded
from ops.sim.altered import MESSAGE_COLUMNS
from ops.sim.tables import Tables
from parley.event.v1 import event_pb2
from svc.kit.ids import us_from_ts
from svc.webapp.store.rows import AnnotationKind, ItemKind

_TEXT, _REVISION = MESSAGE_COLUMNS.index("text"), MESSAGE_COLUMNS.index("revision")


def payload_of(event: bytes) -> Mapping[str, Any]:
    """Return what clients get of an event; {} when that is nothing."""
    payload = event_pb2.Event.FromString(event).payload
    found: Mapping[str, Any] = orjson.loads(payload) if payload else {}
    return found


def complaints(tables: Tables, channel_id: str, payloads: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return how the rows of a channel differ from what its events amount to. Raises Contradiction."""
    folded = Folded()
    for offset, payload in enumerate(payloads, start=1):
        _check_edit(folded, payload)
        folded.take(offset, _as_told(payload))
    return [
        f"{subject}: {rows}, by the log {told}"
        for subject, rows, told in (
            ("messages", _messages(tables, channel_id), _told_messages(folded)),
            ("threads", _threads(tables, channel_id), _told_threads(folded)),
            ("annotations", _annotations(tables, channel_id), _told_annotations(folded)),
            ("items", _saved(tables, channel_id), folded.saved),
            ("newest to read", tables.heads[channel_id][2], _us(folded.newest_to_read)),
        )
        if rows != told
    ]


def _as_told(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what a join tells as a message: the simulation's are not stored."""
    is_stored = "text" in payload or "subtype" in payload or payload.get("type") != "message"
    return payload if is_stored else {}


def _check_edit(folded: Folded, payload: Mapping[str, Any]) -> None:
    if payload.get("subtype") != "message_changed" or "key" not in payload:
        return
    before = folded.messages.get(payload["message"]["ts"])
    expected = f"{before.text if before else ''}+{payload['key']}"
    if payload["message"]["text"] != expected:
        raise Contradiction(f"an edit undoes another: {payload['message']['text']} instead of {expected}")


def _saved(tables: Tables, channel_id: str) -> set[str]:
    return {key[2] for key in tables.items if key[:2] == (channel_id, ItemKind.SAVED)}


def _us(ts: str) -> int:
    return us_from_ts(ts) if ts else 0


def _messages(tables: Tables, channel_id: str) -> dict[int, tuple[str, int]]:
    rows = tables.messages.items()
    return {ts_us: (row[_TEXT], row[_REVISION]) for (channel, ts_us), row in rows if channel == channel_id}


def _told_messages(folded: Folded) -> dict[int, tuple[str, int]]:
    return {us_from_ts(ts): (said.text, said.revision) for ts, said in folded.messages.items()}


def _threads(tables: Tables, channel_id: str) -> dict[int, tuple[int, int]]:
    return {ts_us: row for (channel, ts_us), row in tables.threads.items() if channel == channel_id}


def _told_threads(folded: Folded) -> dict[int, tuple[int, int]]:
    return {us_from_ts(ts): (len(replies), us_from_ts(max(replies))) for ts, replies in folded.threads.items()}


def _annotations(tables: Tables, channel_id: str) -> dict[tuple[int, int, str, str], object]:
    """Return what is on messages: of reactions when they came, of pins who made them."""
    return {
        key[1:]: at_us if key[2] == AnnotationKind.REACTION else by_id
        for key, (by_id, at_us) in tables.annotations.items()
        if key[0] == channel_id
    }


def _told_annotations(folded: Folded) -> dict[tuple[int, int, str, str], object]:
    reactions: dict[tuple[int, int, str, str], object] = {
        (us_from_ts(ts), int(AnnotationKind.REACTION), name, user_id): us_from_ts(at)
        for (ts, name, user_id), at in folded.reactions.items()
    }
    return reactions | {(us_from_ts(ts), int(AnnotationKind.PIN), "", ""): by for ts, by in folded.pins.items()}
