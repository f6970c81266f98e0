"""A feeder with everything around it in memory: messages, a log whose rows may come late, disks that may be full."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parley.event.v1 import event_pb2
from svc.kit.clock import ManualClock
from svc.kit.errors import UnavailableError
from svc.kit.ids import ts_from_us
from svc.webapp.search.config import FeedLimits
from svc.webapp.search.documents import Document, Key
from svc.webapp.search.feeder import Feeder
from svc.webapp.search.generations import Generations
from svc.webapp.search.index import Index, IndexState, IndexTroubleError
from svc.webapp.search.memory_index import MemoryIndex
from svc.webapp.store.feed_reads import LogPlace
from svc.webapp.store.rows import AnnotationRow, Conversation, Message
from tests.svc.webapp.search.samples import GENERAL, PUBLIC, message

LIMITS = FeedLimits(poll_s=0.1, commit_s=0.5, page_rows=5, overlap_s=30.0, retry_s=1.0)


@dataclass
class Town:
    """A Source in memory: messages, and a log whose rows may become visible late."""

    clock: ManualClock
    rows: dict[Key, Message] = field(default_factory=dict)
    log: dict[LogPlace, bytes] = field(default_factory=dict)
    is_down: bool = False

    def say(self, text: str, ts_us: int, *, commit_us: int = 0, is_hidden: bool = False) -> LogPlace:
        """Post or edit; the event is committed now, or at `commit_us`, and is not seen yet when `is_hidden`."""
        self.rows[GENERAL, ts_us] = message(text, ts_us)
        return self._tell({"type": "message", "ts": ts_from_us(ts_us)}, commit_us, is_hidden=is_hidden)

    def drop(self, ts_us: int) -> None:
        """Remove a message."""
        del self.rows[GENERAL, ts_us]
        self._tell({"subtype": "message_deleted", "deleted_ts": ts_from_us(ts_us)}, 0)

    def _tell(self, payload: dict[str, str], commit_us: int, *, is_hidden: bool = False) -> LogPlace:
        place = LogPlace(commit_us or self.clock.wall_us(), GENERAL, len(self.log) + 1)
        event = event_pb2.Event(
            channel_id=GENERAL, kind=event_pb2.EVENT_KIND_MESSAGE, payload=json.dumps(payload).encode()
        )
        self.log[place] = b"" if is_hidden else event.SerializeToString()
        if is_hidden:
            self._hidden = event.SerializeToString()
        return place

    def show(self, place: LogPlace) -> None:
        """Let a hidden event be seen: its transaction has committed."""
        self.log[place] = self._hidden

    def _check(self) -> None:
        if self.is_down:
            raise UnavailableError("the database is away")

    async def log_after(self, after: LogPlace, limit: int) -> list[LogPlace]:
        self._check()
        return sorted(place for place, event in self.log.items() if event and place > after)[:limit]

    async def log_count(self, since_us: int, until_us: int) -> int:
        self._check()
        return sum(bool(event) and since_us <= place.commit_us < until_us for place, event in self.log.items())

    async def events(self, places: Collection[LogPlace]) -> list[bytes]:
        return [self.log[place] for place in places if place in self.log]

    async def messages_after(self, channel_id: str, ts_us: int, limit: int) -> list[Message]:
        self._check()
        return [self.rows[key] for key in sorted(self.rows) if key > (channel_id, ts_us)][:limit]

    async def messages_by_key(self, keys: Collection[Key]) -> list[Message]:
        return [self.rows[key] for key in keys if key in self.rows]

    async def annotations(self, keys: Collection[Key]) -> list[AnnotationRow]:
        return []

    async def replied_among(self, keys: Collection[Key]) -> set[Key]:
        return set()

    async def conversations(self, channel_ids: Sequence[str]) -> dict[str, Conversation]:
        return {GENERAL: PUBLIC}


class Shelf:
    """Indexes in memory that outlive the generations, as folders do."""

    def __init__(self) -> None:
        self.made: dict[str, MemoryIndex] = {}

    def open(self, path: Path) -> Index:
        path.mkdir(parents=True, exist_ok=True)
        index = self.made.setdefault(str(path), Fragile())
        index.reset()
        return index


class Fragile(MemoryIndex):
    """An index whose disk may be full."""

    is_full = False

    def write(self, documents: Collection[Document], gone: Collection[Key]) -> None:
        self._check()
        super().write(documents, gone)

    def commit(self, state: IndexState) -> None:
        self._check()
        super().commit(state)

    def _check(self) -> None:
        if self.is_full:
            raise IndexTroubleError("the disk is full")


@dataclass
class Desk:
    """A feeder with everything around it."""

    folder: Path
    limits: FeedLimits = LIMITS
    clock: ManualClock = field(default_factory=lambda: ManualClock(wall_us=1_800_000_000_000_000))
    shelf: Shelf = field(default_factory=Shelf)
    lags: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.town = Town(self.clock)
        self.start()

    def start(self) -> None:
        """Begin as a process does, with what is committed."""
        self.generations = Generations(self.folder, self.shelf.open)
        self.feeder = Feeder(self.town, self.generations, self.clock, self.limits, lag=self.lags.append)

    async def settle(self) -> None:
        """Step until nothing is left to do, and past the next commit."""
        while await self.feeder.step():
            pass
        await self.clock.advance(1.0)
        while await self.feeder.step():
            pass

    async def wait(self, seconds: int) -> None:
        """Let time pass as the loop would."""
        for _ in range(seconds):
            await self.settle()

    def found(self) -> dict[int, str]:
        """Return the texts that can be found, by ts."""
        index = self.generations.current
        assert isinstance(index, MemoryIndex)
        return {ts_us: " ".join(index._there[key].words) for key in index._there for _, ts_us in [key]}

    def current(self) -> Fragile:
        """Return the index that answers."""
        assert isinstance(self.generations.current, Fragile)
        return self.generations.current

    @property
    def truth(self) -> dict[int, str]:
        """Return what should be found."""
        return {ts_us: row.text for (_, ts_us), row in self.town.rows.items()}
