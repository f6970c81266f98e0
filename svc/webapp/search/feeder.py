"""From the log, and from the rows, into the indexes: one loop, so that nothing read earlier is ever written later.

The log is read by commit time. A commit becomes visible a moment after the time that it bears, and clocks differ, so
what lies back for `overlap_s` is looked at again (see `seen`). An event only says which messages to
read again: what they are by then is what goes into the index, and one that is gone leaves it. So everything may be told
twice and in any order, and what counts is that each message is read once after its last event.

A build reads all messages in the order of their keys, a page between two looks at the log, and puts them beside what
the log brings. Its place is committed with it, so that it goes on where it was when the process dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Protocol, TypeVar, TypeVarTuple, Unpack

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.webapp.search.changes import touched
from svc.webapp.search.config import FeedLimits
from svc.webapp.search.documents import Document, Key, document
from svc.webapp.search.generations import Generations
from svc.webapp.search.index import Index, IndexState, IndexTroubleError
from svc.webapp.search.seen import Looks, Seen
from svc.webapp.store.feed_reads import LogPlace
from svc.webapp.store.rows import AnnotationRow, Conversation, Message

__all__ = ["Feeder", "Source"]

log = logging.getLogger(__name__)

STATE_S = 20.0
"""How old the place in the log that an idle index remembers may become."""
LOG_TRUSTED = 0.8
"""Of the time for which the log is kept: who was away for longer may find a hole."""
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Source(Protocol):
    """What is read (store.FeedReads)."""

    async def log_after(self, after: LogPlace, limit: int) -> list[LogPlace]: ...
    async def log_count(self, since_us: int, until_us: int) -> int: ...
    async def events(self, places: Collection[LogPlace]) -> list[bytes]: ...
    async def messages_after(self, channel_id: str, ts_us: int, limit: int) -> list[Message]: ...
    async def messages_by_key(self, keys: Collection[Key]) -> list[Message]: ...
    async def annotations(self, keys: Collection[Key]) -> list[AnnotationRow]: ...
    async def replied_among(self, keys: Collection[Key]) -> set[Key]: ...
    async def conversations(self, channel_ids: Sequence[str]) -> dict[str, Conversation]: ...


class Feeder:
    """Keeps the generations' indexes up with the source."""

    def __init__(
        self,
        source: Source,
        generations: Generations,
        clock: Clock,
        limits: FeedLimits,
        thread: Executor | None = None,
        lag: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`thread` is where indexes are written to, which blocks; `lag` is told how many seconds after its commit each
        event was found.
        """
        self._source = source
        self._generations = generations
        self._clock = clock
        self._limits = limits
        self._thread = thread
        self._tell_lag = lag
        self._fed_until_us = generations.fed_until_us
        self.found_until_us = self._fed_until_us
        """What was committed to the log before this can be found; 0 when nothing is."""
        self._seen = Seen()
        self._looks = Looks(limits.overlap_s)
        self._fresh: list[int] = []
        """Commit times of events that wait for the commit by which they are found."""
        self._committed_at = clock.now()
        self._place_in_look: LogPlace | None = None
        self._is_dirty = False
        self._wanted = asyncio.Event()
        self._built: IndexState | None = None
        """How far the build has come, with what is not committed."""
        self.trouble = ""
        """Why nothing is added; "" when all is well."""
        self.troubles = 0

    @property
    def is_building(self) -> bool:
        """Whether an index is being built, or is about to be."""
        return self._generations.building is not None or self._wanted.is_set()

    @property
    def built(self) -> int:
        """Messages that the build under way has read; 0 without one."""
        return self._built.built if self._built is not None else 0

    def want_rebuild(self) -> bool:
        """Have a new index built; False when one is being built, or wanted, already."""
        if self.is_building:
            return False
        self._wanted.set()
        return True

    async def run(self) -> None:
        """Feed for ever; troubles are said, and tried again."""
        while True:
            try:
                is_busy = await self.step()
                self._say("")
            except ParleyError as error:
                self._say(f"the database does not answer: {error}")
                await self._clock.sleep(self._limits.retry_s)
            except IndexTroubleError as error:
                self._say(str(error))
                await self._clock.sleep(self._limits.retry_s)
                await self._begin_again()
            else:
                if not is_busy:
                    await self._clock.sleep(self._limits.poll_s)

    async def step(self) -> bool:
        """Take what the log has, a page of the build, and commit if it is time; return whether there is more to do.

        Raises ParleyError and IndexTroubleError.
        """
        await self._keep_trustworthy()
        is_behind = await self._take_log()
        is_building = await self._build() if self._generations.building is not None else False
        await self._commit_if_due()
        return is_behind or is_building

    async def _keep_trustworthy(self) -> None:
        """Begin a new index where one is wanted, or where the log may not reach back to where the old one is."""
        now_us = self._clock.wall_us()
        kept_us = int(self._limits.log_keep_s * LOG_TRUSTED * 1e6)
        is_first = not self._fed_until_us
        is_stale = not is_first and self._fed_until_us < now_us - kept_us
        if is_first:
            self._fed_until_us = now_us
        if is_stale:
            log.warning("the index was not fed for longer than the log may reach back: it is built anew")
            self._fed_until_us = now_us
            if self._generations.building is not None:
                self._built = replace(self._place(), built_until=("", 0), built=0)
        if is_stale or self._wanted.is_set():
            if await self._do(self._generations.rebuild, self._fed_until_us):
                log.info("building a new index")
            self._wanted.clear()

    async def _take_log(self) -> bool:
        """Feed what is new, a page of it; return whether there is more."""
        now, wall_us = self._clock.now(), self._clock.wall_us()
        if self._place_in_look is None:
            self._place_in_look = await self._beginning(now)
        while True:
            page = await self._source.log_after(self._place_in_look, self._limits.page_rows)
            fresh = self._seen.fresh(page)
            if fresh:
                await self._feed(fresh)
            if len(page) < self._limits.page_rows:
                break
            self._place_in_look = page[-1]
            self._fed_until_us = max(self._fed_until_us, min(page[-1].commit_us, wall_us))
            if fresh:
                return True
        self._place_in_look = None
        self._fed_until_us = max(self._fed_until_us, wall_us)
        if self._looks.is_whole:
            self._seen.forget_before(self._fed_until_us - int(self._limits.overlap_s * 1e6))
        return False

    async def _beginning(self, now: float) -> LogPlace:
        """Return where a look at the log begins."""
        span = self._looks.begin(self._fed_until_us, now)
        is_known = await self._source.log_count(*span) == self._seen.count(span)
        return LogPlace(span.until_us if is_known else span.since_us, "", 0)

    async def _feed(self, places: Sequence[LogPlace]) -> None:
        keys: set[Key] = set()
        for raw in await self._source.events(places):
            keys |= touched(event_pb2.Event.FromString(raw))
        for some in _cut(sorted(keys), self._limits.page_rows):
            documents = await self._documents(await self._source.messages_by_key(some))
            there = {each.key for each in documents}
            gone = [key for key in some if key not in there]
            await self._write(self._generations.each, documents, gone)
        self._seen.add(places)
        if keys:
            self._fresh.extend(each.commit_us for each in places)

    async def _build(self) -> bool:
        """Put the next page of all messages into the index that is being built; return whether there is more."""
        building = self._generations.building
        assert building is not None
        place = self._place()
        rows = await self._source.messages_after(*place.built_until, self._limits.page_rows)
        if rows:
            await self._write((building,), await self._documents(rows), ())
            last = rows[-1].channel_id, rows[-1].ts_us
            self._built = replace(place, built_until=last, built=place.built + len(rows))
        if len(rows) == self._limits.page_rows:
            return True
        state = replace(self._place(), fed_until_us=self._fed_until_us)
        await self._do(self._generations.complete, state)
        log.info("the index is whole: %d messages", self._generations.current.documents)
        self._built = None
        return False

    def _place(self) -> IndexState:
        building = self._generations.building
        assert building is not None
        return self._built or building.state

    async def _documents(self, rows: Sequence[Message]) -> list[Document]:
        """Return messages as they are indexed, those left out that nobody looks for."""
        if not rows:
            return []
        keys = [(row.channel_id, row.ts_us) for row in rows]
        conversations = await self._source.conversations([row.channel_id for row in rows])
        replied = await self._source.replied_among(keys)
        annotations: dict[Key, list[AnnotationRow]] = {}
        for each in await self._source.annotations(keys):
            annotations.setdefault((each.channel_id, each.ts_us), []).append(each)
        made = (
            document(row, conversations[row.channel_id], annotations.get(key, ()), has_replies=key in replied)
            for row, key in zip(rows, keys, strict=True)
            if row.channel_id in conversations
        )
        return [each for each in made if each is not None]

    async def _write(self, indexes: Iterable[Index], documents: Collection[Document], gone: Collection[Key]) -> None:
        for index in indexes:
            await self._do(index.write, documents, gone)
        self._is_dirty = True

    async def _commit_if_due(self) -> None:
        since_s = self._clock.now() - self._committed_at
        is_first = not self._generations.fed_until_us
        if not is_first and since_s < (self._limits.commit_s if self._is_dirty else STATE_S):
            if not self._is_dirty:
                self.found_until_us = self._fed_until_us
            return
        for index in self._generations.each:
            base = self._place() if index is self._generations.building else index.state
            state = replace(base, fed_until_us=self._fed_until_us)
            await self._do(index.commit, state)
        self._committed_at = self._clock.now()
        self._is_dirty = False
        self.found_until_us = self._fed_until_us
        fresh, self._fresh = self._fresh, []
        now_us = self._clock.wall_us()
        for commit_us in fresh:
            self._tell_lag(max(0, now_us - commit_us) / 1e6)

    async def _begin_again(self) -> None:
        """Go back to what is committed, for what was written since is lost."""
        try:
            for index in self._generations.each:
                await self._do(index.reset)
        except IndexTroubleError as error:
            self._say(str(error))
        self._fed_until_us = self._generations.fed_until_us
        self._seen.clear()
        self._fresh.clear()
        self._built = None
        self._is_dirty = False
        self._place_in_look = None
        self._looks.forget()

    async def _do(self, work: Callable[[Unpack[_Ts]], _T], *args: *_Ts) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.error("nothing is added to the index: %s", trouble)
            self.troubles += 1
        elif self.trouble and not trouble:
            log.info("the index is fed again")
        self.trouble = trouble


def _cut(keys: Sequence[Key], size: int) -> Iterable[Sequence[Key]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
