"""Whether apps hear what happens: every event of what their bots are in, that they subscribe to, at least once each.

Who drops what came before, by event_id, has each exactly once. What one connection or one webapp brings at its first
try, and nobody else did, comes in the order of its conversation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.sim.database import MemoryMysql
from ops.sim.lookups import TEAM
from ops.sim.programs import APPS
from ops.sim.world import World
from parley.event.v1 import event_pb2
from svc.webapp.apps.audience import Told
from svc.webapp.apps.hearing import Listener, hears
from svc.webapp.apps.wrapping import event_id
from svc.webapp.domain.apps.model import App
from svc.webapp.store.rows import ConversationKind

_FROM, _ACTIVE = 7, 9
"""Places in a row of memberships."""


class _Ear:
    """One app."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.listener = Listener(app.user_id, frozenset(app.event_types))
        self.since: Mapping[str, int] | None = None
        """How far each channel had come when everything was heard from then on; None before."""
        self.places: dict[str, tuple[str, int]] = {}
        """By event_id, of everything that it could hear."""
        self.owed: dict[str, dict[int, list[str]]] = {}
        """By channel and offset, the ids of what is heard of it."""
        self.known: dict[str, int] = {}
        """Up to where each channel was looked at."""
        self.had: set[str] = set()
        self.lasts: dict[tuple[str, str], int] = {}
        """By source and channel, the latest of what came first."""


class EarLedger:
    """See the module; also what programs tell (see programs.Hearing)."""

    def __init__(self, mysql: MemoryMysql, trimmed: Mapping[str, int]) -> None:
        """`trimmed`: up to where retention has cut logs."""
        self._tables = mysql.tables
        self._world: World = mysql.world
        self._trimmed = trimmed
        self._ears = {app.id: _Ear(app) for app in APPS}

    def heard(self, app: App, source: str, callback: Mapping[str, Any]) -> None:
        """See programs.Hearing."""
        ear = self._ears[app.id]
        self._look(ear)
        id_ = str(callback["event_id"])
        place = ear.places.get(id_)
        self._world.trace(f"app {app.name}", "hears", callback["event"].get("type"), *(place or (id_,)), source)
        self._world.counts["apps: heard"] += 1
        if place is None:
            self._violate("an event has one event_id", f"{app.name} hears {callback['event']} as {id_}")
            return
        if id_ in ear.had:
            self._world.counts["apps: heard again"] += 1
            return
        ear.had.add(id_)
        if source:
            self._check_order(ear, source, place)

    def _check_order(self, ear: _Ear, source: str, place: tuple[str, int]) -> None:
        channel_id, offset = place
        # One webapp may own an app twice, and begins anew each time.
        revision = self._tables.app_places[ear.app.user_id, ear.app.id]["revision"] if ear.app.request_url else 0
        line = (f"{source}/{revision}", channel_id)
        if offset < ear.lasts.get(line, 0):
            self._violate(
                "an app hears in order", f"{ear.app.name} hears {place} after {ear.lasts[line]} from {source}"
            )
        ear.lasts[line] = offset

    def waiting(self) -> str:
        """Return what an app has still to hear; "" when nothing is."""
        for ear in self._ears.values():
            self._look(ear)
            missing = [place for place, id_ in self._owed(ear) if id_ not in ear.had]
            if missing:
                return f"app {ear.app.name} has not heard {missing[:5]}"
        return ""

    def final(self) -> None:
        """Check what can only be checked at the end: that they have begun at all."""
        for ear in self._ears.values():
            if ear.since is None:
                self._violate("everything arrives in the end", f"app {ear.app.name} is served by nobody")

    def _look(self, ear: _Ear) -> None:
        """Learn what happened since the last time."""
        history = self._tables.history
        if ear.since is None and self._is_begun(ear.app):
            ear.since = {channel_id: len(events) for channel_id, events in history.items()}
        for channel_id, events in history.items():
            known = ear.known.get(channel_id, 0)
            for offset in range(known + 1, len(events) + 1):
                self._note(ear, channel_id, offset, events[offset - 1])
            ear.known[channel_id] = len(events)

    def _is_begun(self, app: App) -> bool:
        row = self._tables.app_places.get((app.user_id, app.id))
        return row is not None and bool(row["place"])

    def _note(self, ear: _Ear, channel_id: str, offset: int, event: bytes) -> None:
        kind = ConversationKind.PUBLIC if channel_id.startswith("C") else None
        for heard in hears(ear.listener, Told(event_pb2.Event.FromString(event)).json, kind):
            id_ = event_id(ear.app.id, channel_id, offset, heard.name)
            ear.places[id_] = (channel_id, offset)
            ear.owed.setdefault(channel_id, {}).setdefault(offset, []).append(id_)

    def _owed(self, ear: _Ear) -> Iterator[tuple[tuple[str, int], str]]:
        """Yield the places of what an app must hear, with their ids."""
        if ear.since is None:
            return
        starts = {ear.app.user_id: 0, TEAM: 0}
        for (user_id, channel_id), row in self._tables.memberships.items():
            if user_id == ear.app.user_id and row[_ACTIVE]:
                starts[channel_id] = row[_FROM]
        for channel_id, start in starts.items():
            start = max(start, ear.since.get(channel_id, 0), self._trimmed.get(channel_id, 0))
            for offset, ids in ear.owed.get(channel_id, {}).items():
                if offset > start:
                    yield from (((channel_id, offset), id_) for id_ in ids)

    def _violate(self, invariant: str, detail: str) -> None:
        self._world.violate(invariant, detail)
