"""Taking, saving and giving back the durable place of one app."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from random import Random

from google.protobuf.message import DecodeError

from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.webapp.apps.places import Places, pack, unpack
from svc.webapp.apps.tally import Tally
from svc.webapp.domain.apps.model import App
from svc.webapp.store.app_places import URL_CHARS_MAX, AppPlace, AppPlaceStore

__all__ = ["HANDOVER_S", "SAVE_EVERY_S", "PlaceKeeper"]

HANDOVER_S = 3.0
"""How long a living owner may take to give an app back: it waits for answers for 2 s, and then saves."""
POLL_S = 0.1
SAVE_EVERY_S = 1.0
PLACES_A_SECOND = 5_000
"""A bot in more channels is saved less often: no app's places are more than 100 KB a second."""

log = logging.getLogger(__name__)


class PlaceKeeper:
    """One app's place. `me`: our instance id; `living`: those who may own apps now."""

    def __init__(
        self,
        app: App,
        me: str,
        living: Callable[[], Collection[str]],
        store: AppPlaceStore,
        clock: Clock,
        tally: Tally,
        rng: Random | None = None,
    ) -> None:
        self._app = app
        self._me = me
        self._living = living
        self._store = store
        self._clock = clock
        self._tally = tally
        self._rng = rng
        self._taken: AppPlace | None = None
        self._place = b""

    @property
    def is_taken(self) -> bool:
        """Whether the place is ours, as far as we know."""
        return self._taken is not None

    @property
    def verified_url(self) -> str:
        """The request URL that answered the challenge."""
        return self._taken.verified_url if self._taken is not None else ""

    def interval_s(self, channel_count: int) -> float:
        """Return how long to wait between two saves."""
        return SAVE_EVERY_S * max(1.0, channel_count / PLACES_A_SECOND)

    async def take(self) -> None:
        """Make the place ours, once who has it has given it back, is gone, or has had enough time. Never fails."""
        backoff = Backoff(0.1, 2.0, self._rng)
        deadline = self._clock.now() + HANDOVER_S
        while True:
            try:
                if await self._is_free() or self._clock.now() >= deadline:
                    self._taken = await self._store.take_app_place(self._app.user_id, self._app.id, self._me)
                    self._place = self._taken.place
                    self._tally.taken += 1
                    return
                await self._clock.sleep(POLL_S)
            except ParleyError as error:
                log.warning("%s could not be taken over: %s", self._app.id, error)
                await self._clock.sleep(backoff.next_s())

    async def _is_free(self) -> bool:
        place = await self._store.app_place(self._app.user_id, self._app.id)
        return place.released or place.owner == self._me or place.owner not in self._living()

    def positions(self) -> dict[str, int] | None:
        """Return the saved positions; None when there are none, or none that can be read."""
        if not self._place:
            return None
        try:
            return unpack(self._place)
        except (zlib.error, DecodeError, ValueError):
            log.exception("the saved place of %s cannot be read: it begins anew", self._app.id)
            return None

    async def save(self, places: Places, *, is_released: bool = False) -> bool:
        """Save what was delivered; False when another has taken the place. Raises ParleyError: try again later."""
        assert self._taken is not None, "nothing is saved before it is taken"
        places.is_changed = False
        place = pack(places.positions()) if len(places) > 1 or not is_released else self._place
        try:
            is_mine = await self._store.save_app_place(
                self._app.user_id, self._app.id, self._taken.revision, place, is_released=is_released
            )
        except ParleyError:
            places.is_changed = True
            raise
        self._tally.unsaved += not is_mine
        self._place = place
        return is_mine

    async def forget(self) -> None:
        """The app hears nothing now: when it does again, it begins from there. Raises ParleyError."""
        if self._place and self._taken is not None:
            await self._store.save_app_place(self._app.user_id, self._app.id, self._taken.revision, b"")
        self._place = b""

    async def verify(self, url: str) -> None:
        """Note the request URL that answered the challenge. Raises ParleyError."""
        assert self._taken is not None, "nothing is saved before it is taken"
        if len(url) <= URL_CHARS_MAX:
            revision = self._taken.revision
            await self._store.verify_app_url(self._app.user_id, self._app.id, revision, url)
        self._taken = replace(self._taken, verified_url=url)
