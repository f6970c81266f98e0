"""The two ways to an app: over its Socket Mode connections, or by HTTP requests to its URL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from svc.kit.errors import ResourceExhaustedError
from svc.kit.lifecycle import Tasks
from svc.webapp.apps.items import Item
from svc.webapp.apps.poster import Poster
from svc.webapp.apps.posting import Posting, PostingRules
from svc.webapp.domain.apps.model import App

__all__ = ["Done", "Outcome", "PostWay", "Way"]

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of an event."""

    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    """The app did not take it, however often it was offered."""
    TOO_OLD = "too_old"
    """It waited for longer than events are kept for apps."""


Done = Callable[[Item, Outcome], None]
"""Told of each event once, when it is no more on its way."""


class Way(Protocol):
    """How events reach an app. None of the calls wait."""

    @property
    def size(self) -> int:
        """What is waiting or under way takes in memory."""
        ...

    @property
    def under_way(self) -> int:
        """How many events the app has now, and has not answered."""
        ...

    def __len__(self) -> int:
        """Return how many events are waiting or under way."""
        ...

    def add(self, item: Item) -> None:
        """Take an event."""
        ...

    def turn(self, now: float) -> float | None:
        """Send what is to be sent now; return when that may be asked again, None: only after news."""
        ...

    def drop_older(self, before_us: int) -> None:
        """Forget what waits and was committed before then."""
        ...

    def clear(self) -> Sequence[Item]:
        """Forget what can still go another way, and return it."""
        ...


class PostWay:
    """By HTTP (see Way). `verified`: whether the URL has answered the challenge; until then everything waits."""

    def __init__(
        self,
        app: App,
        poster: Poster,
        tasks: Tasks,
        now: Callable[[], float],
        done: Done,
        rules: PostingRules | None = None,
    ) -> None:
        """Requests run in `tasks`; `done` hears of each event once."""
        self.app = app
        self.is_verified = False
        self.on_news: Callable[[], None] = lambda: None
        """Told when `turn` should be asked again."""
        self._posting = Posting(rules or PostingRules())
        self._poster = poster
        self._tasks = tasks
        self._now = now
        self._done = done

    @property
    def size(self) -> int:
        """See Way."""
        return self._posting.size

    @property
    def under_way(self) -> int:
        """See Way."""
        return self._posting.under_way

    def __len__(self) -> int:
        """See Way."""
        return len(self._posting)

    def add(self, item: Item) -> None:
        """See Way."""
        self._posting.add(item)

    def turn(self, now: float) -> float | None:
        """See Way."""
        if not self.is_verified:
            return None
        for item in self._posting.next(now):
            try:
                self._tasks.spawn(self._post(item), "post to an app")
            except ResourceExhaustedError as error:
                log.warning("%s: %s", self.app.id, error)
                self._failed(item, "unknown_error")
        return self._posting.next_due(now)

    def drop_older(self, before_us: int) -> None:
        """See Way."""
        for item in self._posting.drop_older(before_us):
            self._done(item, Outcome.TOO_OLD)

    def clear(self) -> Sequence[Item]:
        """See Way."""
        return self._posting.clear()

    async def _post(self, item: Item) -> None:
        again = {}
        if item.attempts:
            again = {"X-Slack-Retry-Num": str(item.attempts), "X-Slack-Retry-Reason": item.reason}
        posted = await self._poster.post_json(self.app.request_url, self.app.signing_secret, item.payload, again)
        if posted.is_ok:
            self._posting.delivered(item)
            self._done(item, Outcome.DELIVERED)
        elif posted.wants_no_retry:
            self._posting.delivered(item)
            self._done(item, Outcome.GIVEN_UP)
        else:
            self._failed(item, posted.reason)
        self.on_news()

    def _failed(self, item: Item, reason: str) -> None:
        was_failing = self._posting.is_failing
        is_over = self._posting.failed(item, reason, self._now())
        if self._posting.is_failing and not was_failing:
            # Said once for each time that it begins: an operator looks for the app's id.
            log.warning("the request URL of %s fails again and again: %s", self.app.id, reason)
        if is_over:
            self._done(item, Outcome.GIVEN_UP)
