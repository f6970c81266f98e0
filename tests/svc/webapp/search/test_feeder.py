"""The index is what the rows are: told late, twice, in any order, after any death, and beside a rebuild."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from svc.kit.errors import UnavailableError
from svc.webapp.search.config import FeedLimits
from svc.webapp.search.generations import Generations
from svc.webapp.search.index import IndexState, IndexTroubleError
from svc.webapp.search.tantivy_index import TantivyIndex
from tests.svc.webapp.search.desk import Desk, Fragile
from tests.svc.webapp.search.samples import GENERAL, asked, message


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


async def test_whatever_is_said_is_found_within_two_seconds(tmp_path: Path) -> None:
    """By the settings that it comes with, at whatever moment between two looks at the log it was said."""
    desk, rng = Desk(tmp_path, FeedLimits()), Random(7)
    await desk.settle()
    for ts_us in range(1, 201):
        pause_s = desk.limits.poll_s * rng.random()
        await desk.clock.advance(pause_s)
        desk.town.say(f"m{ts_us}", ts_us)
        await desk.clock.advance(desk.limits.poll_s - pause_s)
        while await desk.feeder.step():
            pass
    await desk.settle()
    assert len(desk.lags) == 200
    assert max(desk.lags) <= 2.0
    assert desk.found() == desk.truth


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
