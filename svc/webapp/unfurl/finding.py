"""What links lead to, fetched once for all who ask: remembered for a while, and politely to each host."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from urllib.parse import urlsplit

from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks
from svc.webapp.unfurl.fetching import Fetcher, FetchError
from svc.webapp.unfurl.previews import Picture, Preview, of_page, of_picture
from svc.webapp.unfurl.shelf import Paces, Shelf

__all__ = ["FETCHES_MAX", "Finder"]

log = logging.getLogger(__name__)

FETCHES_MAX = 16
"""At a time: a page is read in about a millisecond, so that many hosts that do not answer are what this waits for."""
FETCHES_A_HOST_MAX = 2
BURST_OF_A_HOST, INTERVAL_OF_A_HOST_S = 20, 1.0
"""Of one host by one webapp; what comes more often gets no preview."""
KNOWN_MAX, KNOWN_S, UNKNOWN_S = 1_000, 1_800.0, 300.0
"""Addresses that are remembered, each with some kilobytes; a page that had nothing to say may have been mended soon."""
HOSTS_MAX = 10_000
ASKED_MAX = 256
"""Fetches under way or waiting for their turn; further ones are not made."""


class Finder:
    """The previews of one process."""

    def __init__(self, fetcher: Fetcher, clock: Clock, tasks: Tasks) -> None:
        """`tasks`: in which fetches run, so that one goes on when the first who asked for it does not."""
        self._fetcher = fetcher
        self._clock = clock
        self._tasks = tasks
        self._known: Shelf[Preview | None] = Shelf(KNOWN_MAX)
        self._paces = Paces(BURST_OF_A_HOST, INTERVAL_OF_A_HOST_S, HOSTS_MAX)
        self._asked: dict[str, asyncio.Task[Preview | None]] = {}
        self._turns = asyncio.Semaphore(FETCHES_MAX)
        self._hosts: dict[str, _Host] = {}
        self.outcomes: Counter[str] = Counter()
        """Addresses that were asked for: `found`, `nothing`, `failed`, `forbidden`, `known`, `joined`, `refused`."""

    async def find(self, url: str) -> Preview | None:
        """Return what an address leads to; None for nothing that can be shown. Never raises but when cancelled."""
        known = self._known.get(url, self._clock.now())
        if known is not None:
            self.outcomes["known"] += 1
            return known[0]
        under_way = self._asked.get(url)
        if under_way is not None:
            self.outcomes["joined"] += 1
            return await asyncio.shield(under_way)
        host = urlsplit(url).hostname or ""
        if len(self._asked) >= ASKED_MAX or not self._paces.may_ask(host, self._clock.now()):
            self.outcomes["refused"] += 1
            return None
        task = self._tasks.spawn(self._fetch(url, host), "a link's preview")
        self._asked[url] = task
        task.add_done_callback(lambda _: self._asked.pop(url, None))
        return await asyncio.shield(task)

    async def _fetch(self, url: str, host: str) -> Preview | None:
        found: Preview | None = None
        async with self._hosts.setdefault(host, _Host(self._hosts, host)), self._turns:
            try:
                what = await self._fetcher.fetch(url)
            except FetchError as error:
                # Whatever strangers' servers do is no news to an operator; the counter tells of it.
                log.debug("no preview of %s: %s", url, error)
                outcome = "forbidden" if error.is_forbidden else "failed"
            except Exception:
                # One page that we cannot read must not end the making of all others.
                log.exception("the preview of %s failed", url)
                outcome = "failed"
            else:
                found = of_picture(url, what) if isinstance(what, Picture) else of_page(url, what, self._fetcher.reach)
                outcome = "found" if found else "nothing"
        self.outcomes[outcome] += 1
        self._known.put(url, found, self._clock.now() + (KNOWN_S if found else UNKNOWN_S))
        return found


class _Host:
    """The turns of one host; forgotten when nobody asks it."""

    def __init__(self, hosts: dict[str, _Host], name: str) -> None:
        self._hosts = hosts
        self._name = name
        self._turns = asyncio.Semaphore(FETCHES_A_HOST_MAX)
        self._users = 0

    async def __aenter__(self) -> None:
        self._users += 1
        try:
            await self._turns.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._turns.release()
        self._leave()

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            self._hosts.pop(self._name, None)
