"""Messages that wait to be looked at, and what makes their previews, in a webapp process."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import Tasks, background
from svc.webapp.domain import shapes
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority, at
from svc.webapp.store.rows import Message
from svc.webapp.unfurl.config import PreviewConfig
from svc.webapp.unfurl.fetching import run_fetcher
from svc.webapp.unfurl.finding import ASKED_MAX, Finder
from svc.webapp.unfurl.links import LINKS_MAX, previewed_links
from svc.webapp.unfurl.lookups import Lookup
from svc.webapp.unfurl.offers import Offered
from svc.webapp.unfurl.previews import Json, wanted

__all__ = ["WAITING_MAX", "Line", "Previewer", "run_previews"]

log = logging.getLogger(__name__)

WAITING_MAX = 1_000
"""Messages in the line, of some hundred bytes each; those beyond get no preview."""
WORKERS = 16
"""Messages looked at together: each waits for its slowest link."""

Read = Callable[[str, int], Awaitable[Message | None]]
"""Returns a message by channel and ts. Raises the kit's errors."""
Add = Callable[[str, int, Mapping[str, Json]], Awaitable[bool]]
"""Adds attachments by address to a message; False when none is wanted any more. Raises Refused and the kit's errors."""


class Line:
    """Messages that wait, the oldest first."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._waiting_max = waiting_max
        self._waiting: deque[Offered] = deque()
        self._came = asyncio.Event()
        self.outcomes: Counter[str] = Counter()
        """Messages with links: `shown`, `nothing`, `dropped` (the line was full), `failed`."""

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, offered: Offered) -> None:
        """See Offer."""
        if len(self._waiting) >= self._waiting_max:
            self.outcomes["dropped"] += 1
            return
        self._waiting.append(offered)
        self._came.set()

    async def next(self) -> Offered:
        """Return the first, as soon as there is one."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        return self._waiting.popleft()


class Previewer:
    """Looks at messages, and adds to them what their links lead to."""

    def __init__(self, line: Line, read: Read, finder: Finder, add: Add) -> None:
        self._line = line
        self._read = read
        self._finder = finder
        self._add = add

    async def run(self) -> None:
        """Look at one message after the other, for ever."""
        while True:
            offered = await self._line.next()
            try:
                outcome = await self._look(offered)
            except (ParleyError, Refused) as error:
                # Left, archived, removed meanwhile, or a database that has no time: nobody was promised anything.
                log.debug("no preview in %s:%d: %r", offered.channel_id, offered.ts_us, error)
                outcome = "failed"
            self._line.outcomes[outcome] += 1

    async def _look(self, offered: Offered) -> str:
        row = await self._read(offered.channel_id, offered.ts_us)
        if row is None:
            return "nothing"
        urls = previewed_links(row.text, shapes.decode_extra(row.extra).get("blocks", ()))
        new = [url for url in urls if url not in offered.known]
        found = await asyncio.gather(*(self._finder.find(url) for url in new))
        shown = {
            url: preview.attachment
            for url, preview in zip(new, found, strict=True)
            if preview is not None and wanted(preview, offered.wish)
        }
        if shown and await self._add(offered.channel_id, offered.ts_us, shown):
            return "shown"
        return "nothing"


@asynccontextmanager
async def run_previews(
    config: PreviewConfig, line: Line, read: Read, add: Add, clock: Clock, lookup: Lookup | None = None
) -> AsyncIterator[Finder | None]:
    """Make previews while the block runs; None, and nothing, when they are off."""
    if not config.is_on:
        yield None
        return
    async with AsyncExitStack() as up:
        fetcher = await up.enter_async_context(run_fetcher(config.reach, lookup))
        tasks = await up.enter_async_context(Tasks("previews", ASKED_MAX + LINKS_MAX))
        finder = Finder(fetcher, clock, tasks)
        _observe(line, finder)
        previewer = Previewer(line, read, finder, add)
        for number in range(WORKERS):
            # What was posted, and what is read, comes first.
            work = at(Priority.BACKGROUND, previewer.run())
            await up.enter_async_context(background(f"previews {number}", work))
        yield finder


def _observe(line: Line, finder: Finder) -> None:
    meter = metrics.get_meter("parley.previews")

    def messages(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"outcome": outcome}) for outcome, count in tuple(line.outcomes.items())]

    def links(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"outcome": outcome}) for outcome, count in tuple(finder.outcomes.items())]

    meter.create_observable_counter(
        "parley_previews_messages", [messages], description="messages with links, by outcome"
    )
    meter.create_observable_counter("parley_previews_links", [links], description="links of messages, by outcome")
    meter.create_observable_gauge(
        "parley_previews_waiting", [lambda _: [Observation(len(line))]], description="messages in the line"
    )
