"""The index is what the rows are: told late, twice, in any order, after any death, and beside a rebuild."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

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
from svc.webapp.search.tantivy_index import TantivyIndex
from svc.webapp.store.feed_reads import LogPlace
from svc.webapp.store.rows import AnnotationRow, Conversation, Message
from tests.svc.webapp.search.samples import GENERAL, PUBLIC, asked, message

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
    clock: ManualClock = field(default_factory=lambda: ManualClock(wall_us=1_800_000_000_000_000))
    shelf: Shelf = field(default_factory=Shelf)
    lags: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.town = Town(self.clock)
        self.start()

    def start(self) -> None:
        """Begin as a process does, with what is committed."""
        self.generations = Generations(self.folder, self.shelf.open)
        self.feeder = Feeder(self.town, self.generations, self.clock, LIMITS, lag=self.lags.append)

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


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A feeder over an empty installation."""
    return Desk(tmp_path)


async def test_what_is_there_is_built_and_what_comes_is_added(desk: Desk) -> None:
    """First all messages, then the log; the index is whole when all were read."""
    for ts_us in range(1, 13):
        desk.town.say(f"m{ts_us}", ts_us, commit_us=1)
    await desk.settle()
    assert desk.generations.current.state.is_whole
    assert desk.found() == desk.truth
    desk.town.say("new", 99)
    desk.town.say("edited", 3)
    desk.town.drop(4)
    await desk.settle()
    assert desk.found() == desk.truth
    assert desk.lags
    assert max(desk.lags) <= 2.0


async def test_an_empty_installation_is_whole_at_once(desk: Desk) -> None:
    """There is nothing to wait for."""
    await desk.feeder.step()
    assert desk.generations.current.state.is_whole
    assert not desk.feeder.built


async def test_what_becomes_visible_late_is_found(desk: Desk) -> None:
    """A slow transaction, or a webapp's clock that is behind, within the overlap."""
    await desk.settle()
    late = desk.town.say("late", 5, commit_us=desk.clock.wall_us(), is_hidden=True)
    await desk.wait(20)
    assert desk.found() == {}
    desk.town.show(late)
    await desk.wait(4)
    assert desk.found() == {5: "late"}


async def test_many_events_of_one_instant_are_all_seen(desk: Desk) -> None:
    """A batch has one commit time, and may be larger than a page."""
    await desk.settle()
    now_us = desk.clock.wall_us()
    for ts_us in range(1, 40):
        desk.town.say(f"m{ts_us}", ts_us, commit_us=now_us)
    await desk.settle()
    assert desk.found() == desk.truth


async def test_a_killed_feeder_misses_nothing(desk: Desk) -> None:
    """Whatever was not committed to the index is read again."""
    rng = Random(4)
    for ts_us in range(1, 30):
        desk.town.say(f"m{ts_us}", ts_us, commit_us=1)
    for round_ in range(40):
        for _ in range(rng.randrange(4)):
            ts_us = rng.randrange(1, 40)
            if (GENERAL, ts_us) in desk.town.rows and rng.random() < 0.3:
                desk.town.drop(ts_us)
            else:
                desk.town.say(f"r{round_}", ts_us)
        for _ in range(rng.randrange(4)):
            await desk.feeder.step()
            await desk.clock.advance(rng.random())
        desk.start()
    await desk.wait(4)
    assert desk.found() == desk.truth


async def test_a_rebuild_answers_all_the_while_and_heals(desk: Desk) -> None:
    """The old index is fed and asked until the new one has everything; what was wrong in it is gone then."""
    for ts_us in range(1, 23):
        desk.town.say(f"m{ts_us}", ts_us, commit_us=1)
    await desk.settle()
    old = desk.current()
    del old._there[GENERAL, 7]
    old._there[GENERAL, 500] = replace(old._there[GENERAL, 8], ts_us=500)
    assert desk.feeder.want_rebuild()
    assert not desk.feeder.want_rebuild()
    await desk.feeder.step()
    assert desk.feeder.is_building
    desk.town.say("during", 600)
    await desk.feeder.step()
    await desk.clock.advance(1.0)
    await desk.feeder.step()
    assert desk.current() is old
    assert desk.found()[600] == "during"
    assert desk.feeder.built > 0
    desk.start()
    assert desk.feeder.is_building, "a rebuild goes on where it was"
    await desk.settle()
    assert desk.current() is not old
    assert desk.generations.building is None
    assert desk.found() == desk.truth


async def test_an_index_that_was_away_for_longer_than_the_log_is_built_anew(desk: Desk) -> None:
    """What retention took is read from the rows."""
    desk.town.say("old", 1)
    await desk.settle()
    await desk.clock.advance(8 * 86_400)
    desk.town.rows[GENERAL, 2] = message("told by nothing any more", 2)
    del desk.town.rows[GENERAL, 1]
    desk.start()
    await desk.wait(3)
    assert desk.found() == desk.truth == {2: "told by nothing any more"}


async def test_a_full_disk_is_said_and_gone_on_from(desk: Desk) -> None:
    """Answers come from what was committed; with room again, what was missed is added."""
    desk.town.say("first", 1)
    await desk.settle()
    index = desk.generations.current
    assert isinstance(index, Fragile)
    index.is_full = True
    desk.town.say("second", 2)
    for _ in range(3):
        with pytest.raises(IndexTroubleError):
            await desk.feeder.step()
        await desk.feeder._begin_again()
    assert desk.found() == {1: "first"}
    index.is_full = False
    await desk.settle()
    assert desk.found() == desk.truth


async def test_a_database_that_is_away_loses_nothing(desk: Desk) -> None:
    """For as long as the log is kept."""
    await desk.settle()
    desk.town.is_down = True
    desk.town.say("meanwhile", 1)
    for _ in range(100):
        with pytest.raises(UnavailableError):
            await desk.feeder.step()
        await desk.clock.advance(10.0)
    desk.town.is_down = False
    await desk.wait(3)
    assert desk.found() == {1: "meanwhile"}


def test_an_index_that_cannot_be_read_is_thrown_away(tmp_path: Path) -> None:
    """It is built anew: it owned nothing."""
    first = Generations(tmp_path, TantivyIndex)
    first.current.commit(IndexState(fed_until_us=7, is_whole=True))
    first.complete(first.current.state) if first.building else None
    first.close()
    assert Generations(tmp_path, TantivyIndex).current.state.is_whole
    (folder,) = tmp_path.iterdir()
    (folder / "meta.json").write_text("{")
    again = Generations(tmp_path, TantivyIndex)
    assert again.current.state == IndexState()
    assert again.building is again.current
    assert again.current.newest(asked("x"), 1, 0, is_loose=False).total == 0
    again.close()


async def test_an_idle_index_is_not_behind(desk: Desk) -> None:
    """Having looked and found nothing is to be up to date, whether that was worth a commit or not."""
    await desk.settle()
    for _ in range(30):
        await desk.clock.advance(1.0)
        await desk.feeder.step()
        assert desk.feeder.found_until_us == desk.clock.wall_us()
    desk.town.say("new", 1)
    now_us = desk.clock.wall_us()
    await desk.feeder.step()
    assert desk.feeder.found_until_us == now_us
    await desk.clock.advance(0.1)
    desk.town.say("newer", 2)
    await desk.feeder.step()
    assert desk.feeder.found_until_us == now_us, "what waits for a commit is not found yet"
