"""The apps that this webapp owns by the ring: taken over, served, and given back when the ring moves or we leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol

from discovery.ring import Ring
from svc.kit.clock import Clock
from svc.kit.errors import NotOwnerError, ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks, background
from svc.webapp.apps.audience import Audience
from svc.webapp.apps.place_keeper import PlaceKeeper
from svc.webapp.apps.poster import Poster
from svc.webapp.apps.pump import Pump
from svc.webapp.apps.pump_rules import PumpRules
from svc.webapp.apps.sources import Sources
from svc.webapp.apps.tally import Tally
from svc.webapp.domain.apps.model import App, app_of
from svc.webapp.store.app_places import AppPlaceStore
from svc.webapp.store.app_rows import AppRow
from svc.webapp.store.apps import AppStore
from svc.webapp.store.user import UserStore

__all__ = ["AppOwner", "Parts"]

LOOK_S = 0.5
"""Between two looks for changed apps: they are noticed within a second."""
LATE_US = 60_000_000
"""Changes are looked for by the time of their revision, which another machine's clock gave before it was committed:
one that shows up this much later than its time is still noticed."""
APPS_A_READ = 500
AGAIN_S = 1.0
"""Until an app is taken over again that was lost while the ring says that it is ours."""

log = logging.getLogger(__name__)


class WebappRing(Protocol):
    """What is used of discovery.ring_watcher."""

    @property
    def ring(self) -> Ring:
        """The ring now."""
        ...

    def subscribe(self, callback: Callable[[Ring], None]) -> Callable[[], None]:
        """Call `callback` with each new ring; returns what ends that."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pumps stand on."""

    me: str
    ring: WebappRing
    apps: AppStore
    places: AppPlaceStore
    users: UserStore
    sources: Sources
    audience: Audience
    poster: Poster
    clock: Clock
    rules: PumpRules | None = None
    """Bounds of each app; None: the usual ones."""
    rng: Random | None = None
    """What waits between two tries are drawn from."""


@dataclass(slots=True, eq=False)
class _Home:
    """An app that is ours."""

    pump: Pump
    running: asyncio.Task[None]


class AppOwner:
    """Owns apps while `owning` runs. Keeps every app of the installation in memory: 2 KB each."""

    def __init__(self, parts: Parts, tasks: Tasks) -> None:
        """Pumps, streams and requests run in `tasks`."""
        self.tally = Tally()
        self._parts = parts
        self._tasks = tasks
        self._apps: dict[str, App] = {}
        self._homes: dict[str, _Home] = {}
        self._leaving: set[str] = set()
        self._lost_at: dict[str, float] = {}
        self._is_owning = False
        self._looked_us = 0
        self._bell = asyncio.Event()

    @property
    def app_count(self) -> int:
        """How many apps are ours."""
        return len(self._homes)

    @property
    def connection_count(self) -> int:
        """How many Socket Mode connections our apps have."""
        return sum(home.pump.sockets.connection_count for home in self._homes.values())

    @property
    def pending(self) -> int:
        """How many events were read and are not delivered."""
        return sum(len(home.pump.sockets) + len(home.pump.posts) for home in self._homes.values())

    @asynccontextmanager
    async def owning(self) -> AsyncIterator[None]:
        """Own apps for the length of a block; give them back at its end. To be entered once we are on the ring."""
        self._is_owning = True
        unsubscribe = self._parts.ring.subscribe(lambda _: self._bell.set())
        try:
            async with background("apps", self._look()):
                yield
        finally:
            unsubscribe()
            self._is_owning = False
            await asyncio.gather(*(self._leave(app_id) for app_id in tuple(self._homes)))

    def _is_mine(self, app_id: str) -> bool:
        ring = self._parts.ring.ring
        return self._is_owning and bool(ring.members) and ring.owner(app_id) == self._parts.me

    # Which apps there are, and which are ours.

    async def _look(self) -> None:
        is_failing = False
        while True:
            self._bell.clear()
            try:
                await self._refresh()
                is_failing = False
            except ParleyError as error:
                log.log(logging.DEBUG if is_failing else logging.WARNING, "changed apps could not be read: %s", error)
                is_failing = True
            self._reconcile()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._bell.wait()
            except TimeoutError:
                pass  # time for the next look

    async def _refresh(self) -> None:
        """Read all apps once, then those that changed."""
        store = self._parts.apps
        now_us = self._parts.clock.wall_us()
        if not self._looked_us:
            after = ("", "")
            while True:
                rows = await store.all_apps(after, APPS_A_READ)
                self._note(rows)
                if len(rows) < APPS_A_READ:
                    break
                after = (rows[-1].team_id, rows[-1].id)
            self._looked_us = now_us
        since = self._looked_us - LATE_US
        while True:
            rows = await store.changed_since(since, APPS_A_READ)
            self._note(rows)
            if len(rows) < APPS_A_READ:
                break
            since = rows[-1].revision_us
        self._looked_us = now_us

    def _note(self, rows: list[AppRow]) -> None:
        for row in rows:
            known = self._apps.get(row.id)
            if known is not None and known.revision_us > row.revision_us:
                continue
            app = app_of(row)
            if _is_served(app):
                self._apps[row.id] = app
            else:
                self._apps.pop(row.id, None)

    def _reconcile(self) -> None:
        now = self._parts.clock.now()
        for app_id, home in tuple(self._homes.items()):
            app = self._apps.get(app_id)
            if app is None:
                home.pump.sockets.disable()
                self._give_back(app_id)
            elif not self._is_mine(app_id):
                self._give_back(app_id)
            else:
                home.pump.changed(app)
        for app_id, app in self._apps.items():
            is_held = app_id in self._homes or app_id in self._leaving
            if not is_held and self._is_mine(app_id) and now >= self._lost_at.get(app_id, now):
                self._lost_at.pop(app_id, None)
                self._adopt(app)

    def _adopt(self, app: App) -> None:
        parts = self._parts
        keeper = PlaceKeeper(
            app, parts.me, lambda: parts.ring.ring.members, parts.places, parts.clock, self.tally, parts.rng
        )
        pump = Pump(
            app,
            parts.sources,
            parts.audience,
            keeper,
            parts.poster,
            self._tasks,
            parts.clock,
            self.tally,
            parts.rules,
            parts.rng,
        )
        try:
            running = self._tasks.spawn(self._run(pump), f"app {app.id}")
        except ResourceExhaustedError as error:
            log.error("%s cannot be served: %s", app.id, error)
            return
        self._homes[app.id] = _Home(pump, running)

    async def _run(self, pump: Pump) -> None:
        app_id = pump.app.id
        try:
            await pump.run()
        except NotOwnerError as error:
            log.info("%s", error)
        except Exception:
            log.exception("serving %s failed; it begins again", app_id)
        finally:
            home = self._homes.get(app_id)
            if home is not None and home.pump is pump:
                del self._homes[app_id]
                self._lost_at[app_id] = self._parts.clock.now() + AGAIN_S

    def _give_back(self, app_id: str) -> None:
        try:
            self._tasks.spawn(self._leave(app_id), f"giving back {app_id}")
        except ResourceExhaustedError as error:
            log.warning("%s is given back later: %s", app_id, error)

    async def _leave(self, app_id: str) -> None:
        home = self._homes.pop(app_id, None)
        if home is None:
            return
        self._leaving.add(app_id)
        try:
            await home.pump.leave()
        except ParleyError as error:
            log.warning("the place of %s could not be saved: %s", app_id, error)
        finally:
            home.running.cancel()
            await asyncio.wait({home.running})
            self._leaving.discard(app_id)
            self._bell.set()

    async def pump(self, app_id: str) -> Pump | None:
        """Return the pump of an app of ours; None when there is no such app. Raises NotOwnerError."""
        if not self._is_mine(app_id) or app_id in self._leaving:
            raise NotOwnerError(f"{app_id} is not ours")
        if app_id not in self._homes:
            await self._refresh()
            self._reconcile()
        home = self._homes.get(app_id)
        if home is None and app_id in self._apps:
            raise NotOwnerError(f"{app_id} is not ours now")
        return home.pump if home is not None else None


def _is_served(app: App) -> bool:
    return not app.deleted and (app.is_socket_mode or app.hears_events)
