"""Challenges: a request URL has to say that it is an app's before anything is posted to it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random

from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.webapp.apps.place_keeper import PlaceKeeper
from svc.webapp.apps.poster import Poster
from svc.webapp.apps.ways import PostWay
from svc.webapp.apps.wrapping import envelope_id
from svc.webapp.domain.apps.model import App

__all__ = ["Verifier"]

LOOK_S = 0.2
"""Between two looks whether there is a URL to challenge."""

log = logging.getLogger(__name__)


class Verifier:
    """Challenges the request URL of one app whenever it is a new one, until it answers."""

    def __init__(
        self, posts: PostWay, keeper: PlaceKeeper, poster: Poster, clock: Clock, rng: Random | None = None
    ) -> None:
        self._posts = posts
        self._keeper = keeper
        self._poster = poster
        self._clock = clock
        self._rng = rng

    def refresh(self) -> None:
        """Go by the app's URL as it is now."""
        self._posts.is_verified = self._keeper.verified_url == self._posts.app.request_url

    async def run(self, is_leaving: Callable[[], bool]) -> None:
        """Challenge for ever: at once, then after a second and more, at most a minute apart."""
        backoff = Backoff(1.0, 60.0, self._rng)
        tried = ""
        while True:
            await self._clock.sleep(LOOK_S)
            app = self._posts.app
            if app.is_socket_mode or not app.request_url or self._posts.is_verified or is_leaving():
                continue
            if app.request_url != tried:
                tried = app.request_url
                backoff.reset()
            if not await self._challenge(app):
                await self._clock.sleep(backoff.next_s())

    async def _challenge(self, app: App) -> bool:
        challenge = envelope_id(app.id, app.request_url, app.revision_us, "challenge")
        answers = await self._poster.challenge(app.request_url, app.signing_secret, app.verification_token, challenge)
        if not answers:
            log.warning("the request URL of %s does not answer the challenge", app.id)
            return False
        try:
            await self._keeper.verify(app.request_url)
        except ParleyError as error:
            log.warning("that the URL of %s answers could not be saved: %s", app.id, error)
            return False
        self.refresh()
        self._posts.on_news()
        return True
