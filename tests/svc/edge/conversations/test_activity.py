"""How far conversations have come: read once, told by events, read again only where nobody vouches for it."""

from __future__ import annotations

import asyncio

import pytest

from svc.edge.conversations.asking import IDS_MAX
from svc.edge.conversations.table import Far
from svc.edge.freshness import FRESH_S
from svc.kit.errors import UnavailableError
from svc.kit.ids import id_from_number
from tests.svc.edge.towns import town_of

C, D = "C0000000001", "D0000000002"


async def test_a_conversation_is_read_once_and_told_by_events_from_then_on() -> None:
    """A warm edge asks nobody."""
    async with town_of(C, D) as town:
        town[C].message()
        assert await town.far(C, D) == [town[C].far, Far(0, 0)]
        for _ in range(3):
            town[C].message()
            town[C].edit()
            town[D].message()
            town.feed.pump_all()
            await town.clock.advance(2 * FRESH_S)
            town.feed.pump_all()
            assert await town.far(D, C) == [town[D].far, town[C].far]
        assert town.webapp.reads == [(C, D)]
        assert town.activity.followed_count == 2


async def test_an_event_without_a_message_leaves_the_newest_message_alone() -> None:
    """Nobody has to read an edit."""
    async with town_of(C) as town:
        town[C].message()
        await town.far(C)
        town[C].edit()
        town.feed.pump_all()
        assert await town.far(C) == [Far(2, town[C].latest_us)]


async def test_who_takes_his_message_back_leaves_nobody_something_to_read() -> None:
    """The newest message is then the one before it, or none."""
    async with town_of(C) as town:
        town[C].message()
        await town.far(C)
        first_us = town[C].latest_us
        town[C].message()
        for left_us in (first_us, 0):
            town[C].remove(left_us)
            town.feed.pump_all()
            assert await town.far(C) == [Far(len(town[C].log), left_us)]
        assert town.webapp.reads == [(C,)]


async def test_those_who_ask_during_a_read_share_the_next_one() -> None:
    """A storm is two reads, and nobody is told what was read before he asked."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        town.webapp.gate.clear()
        first = askers.create_task(town.far(C))
        await town.turns()
        town[C].message()
        others = [askers.create_task(town.far(C)) for _ in range(100)]
        await town.turns()
        town.webapp.gate.set()
        assert (await first)[0].head in (0, 1)
        assert {tuple(await other) for other in others} == {(town[C].far,)}
        assert town.webapp.reads == [(C,), (C,)]


async def test_many_conversations_are_read_in_pieces_that_a_call_takes() -> None:
    """The largest user there is."""
    ids = [id_from_number("C", number) for number in range(IDS_MAX + 10)]
    async with town_of(conversations_max=10_000) as town:
        assert await town.far(*ids) == [Far(0, 0)] * len(ids)
        assert [len(read) for read in town.webapp.reads] == [IDS_MAX, 10]


async def test_what_nobody_vouches_for_is_read_again_and_refused_when_that_fails() -> None:
    """A partition between the edge and the owner: the webapp still knows."""
    async with town_of(C) as town:
        await town.far(C)
        town.feed.is_cut_off = True
        town[C].message()
        await town.clock.advance(FRESH_S / 2)
        assert await town.far(C) == [Far(0, 0)]
        await town.clock.advance(FRESH_S)
        assert await town.far(C) == [town[C].far]
        await town.clock.advance(2 * FRESH_S)
        town.webapp.failures = [UnavailableError("down")]
        with pytest.raises(UnavailableError):
            await town.far(C)
        assert await town.far(C) == [town[C].far]
        assert town.feed.channels[C].refs == 1


async def test_a_read_that_knows_more_than_the_feed_is_not_undone_by_late_events() -> None:
    """What the feed delivers up to there is had."""
    async with town_of(C) as town:
        await town.far(C)
        town[C].message()
        town[C].message()
        await town.clock.advance(2 * FRESH_S)
        assert await town.far(C) == [town[C].far]
        town.feed.pump(C, 1)
        assert await town.far(C) == [town[C].far]
        town[C].edit()
        town.feed.pump_all()
        assert await town.far(C) == [town[C].far]


async def test_what_was_lost_is_forgotten_and_read_again() -> None:
    """Unless a read had told it already."""
    async with town_of(C, D) as town:
        await town.far(C, D)
        town[C].message()
        town[D].message()
        await town.clock.advance(2 * FRESH_S)
        await town.far(D)
        town.feed.lose(C)
        town.feed.lose(D)
        assert town.activity.followed_count == 1
        assert await town.far(C, D) == [town[C].far, town[D].far]
        assert town.activity.forgotten == 1


async def test_the_idlest_are_forgotten_and_followed_no_longer() -> None:
    """By second chance: those asked for since stay."""
    ids = [id_from_number("C", number) for number in range(30)]
    async with town_of(*ids, conversations_max=10) as town:
        await town.far(*ids[:10])
        await town.far(ids[10])
        await town.far(*ids[5:8])
        for each in ids[11:17]:
            await town.far(each)
        assert set(ids[5:8]) <= town.feed.channels.keys()
        assert len(town.feed.channels) == town.activity.followed_count == 10
        assert town.activity.evicted == 7


async def test_more_than_there_is_room_for_is_answered_all_the_same() -> None:
    """What does not fit is not held."""
    ids = [id_from_number("C", number) for number in range(30)]
    async with town_of(*ids, conversations_max=7) as town:
        for each in ids:
            town[each].message()
        assert await town.far(*ids) == [town[each].far for each in ids]
        assert len(town.feed.channels) == 7


async def test_a_read_that_was_long_on_its_way_back_does_not_undo_what_events_told_meanwhile() -> None:
    """It is older than they are."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        await town.far(C)
        await town.clock.advance(2 * FRESH_S)
        town.webapp.way_back.clear()
        asking = askers.create_task(town.far(C))
        await town.turns()
        town[C].message()
        town.feed.pump_all()
        town.webapp.way_back.set()
        assert await asking == [town[C].far]
        town[C].message()
        town.feed.pump_all()
        assert await town.far(C) == [town[C].far]
        assert town.activity.forgotten == 0


async def test_a_read_that_took_too_long_is_made_again() -> None:
    """What it found is as old as its beginning; after three the caller is told to ask elsewhere."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        town.webapp.way_back.clear()
        asking = askers.create_task(town.far(C))
        await town.turns()
        town[C].message()
        await town.clock.advance(2 * FRESH_S)
        town.webapp.way_back.set()
        assert await asking == [town[C].far]
        assert len(town.webapp.reads) == 2
