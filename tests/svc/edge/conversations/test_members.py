"""Who is in conversations: streamed once, told by events, shown to those who may see it."""

from __future__ import annotations

import asyncio

import pytest

from svc.edge.conversations.members import LEVEL_TIMEOUT_S
from svc.edge.conversations.rosters import OVERHEAD
from svc.edge.freshness import FRESH_S
from svc.kit.errors import FailedPreconditionError, NotFoundError, UnavailableError
from svc.kit.ids import id_from_number
from tests.svc.edge.towns import TEAM, Town, town_of

C, G = "C0000000001", "G0000000002"
PEOPLE = [id_from_number("U", number * 7919) for number in range(20)]


async def refusal(town: Town, kind: type[Exception], channel_id: str, user_id: str = "", team_id: str = TEAM) -> str:
    """What is said instead of a page."""
    with pytest.raises(kind) as refused:
        await town.members.page(team_id, user_id, channel_id, "", 10, is_public=not user_id)
    return str(refused.value)


async def test_members_come_in_pages_in_order_of_id() -> None:
    """With the number of all, and whether there are more."""
    async with town_of(C) as town:
        town[C].join(*PEOPLE)
        page = await town.members.page(TEAM, "", C, PEOPLE[4], 3, is_public=True)
        assert (list(page.user_ids), page.has_more, page.total_count) == (PEOPLE[5:8], True, 20)
        for limit in (1, 3, 19, 20, 21):
            assert await town.who(C, limit=limit) == PEOPLE
        assert town.webapp.loads == [C]


async def test_joins_and_leaves_are_told_by_events() -> None:
    """No second load, however many."""
    async with town_of(C) as town:
        town[C].join(*PEOPLE[:10])
        await town.who(C)
        town[C].message()
        town[C].join(PEOPLE[15], PEOPLE[3])
        town[C].leave(PEOPLE[0], PEOPLE[19])
        town.feed.pump_all()
        assert await town.who(C) == sorted(town[C].members)
        assert town.webapp.loads == [C]


async def test_those_who_ask_together_share_one_load() -> None:
    """And a change during it is not missed."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        town[C].join(*PEOPLE[:10])
        town.webapp.gate.clear()
        asking = [askers.create_task(town.who(C)) for _ in range(50)]
        await town.turns()
        town.webapp.gate.set()
        await town.turns(3)
        town[C].leave(PEOPLE[0])
        town[C].join(PEOPLE[11])
        for each in asking:
            await each
        town.feed.pump_all()
        assert await town.who(C) == sorted(town[C].members)
        assert town.webapp.loads == [C]


async def test_whoever_may_not_see_a_conversation_hears_what_is_said_of_one_that_is_not() -> None:
    """Word for word; a member sees it, and one who left does no longer."""
    async with town_of(G) as town:
        town[G].join(*PEOPLE[:2])
        said = await refusal(town, NotFoundError, G, PEOPLE[5])
        assert said.replace(G, "X") == (await refusal(town, NotFoundError, "G0000000009", PEOPLE[5])).replace(
            "G0000000009", "X"
        )
        assert await town.who(G, PEOPLE[0]) == PEOPLE[:2]
        town[G].leave(PEOPLE[0])
        town.feed.pump_all()
        assert said == await refusal(town, NotFoundError, G, PEOPLE[0])


async def test_a_conversation_of_another_workspace_is_not_found() -> None:
    """Whether it is held here or not; and who asks wrongly spoils no answer for others."""
    async with town_of(C) as town:
        town[C].join(*PEOPLE)
        await refusal(town, NotFoundError, C, team_id="T0000000009")
        assert await town.who(C) == PEOPLE
        await refusal(town, NotFoundError, C, team_id="T0000000009")


async def test_what_nobody_vouches_for_is_compared_with_the_log_and_refused_if_it_goes_further() -> None:
    """A partition between the edge and the owner."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        town[C].join(*PEOPLE[:3])
        await town.who(C)
        town.feed.is_cut_off = True
        await town.clock.advance(2 * FRESH_S)
        assert await town.who(C) == PEOPLE[:3]
        town[C].join(PEOPLE[4])
        await town.clock.advance(2 * FRESH_S)
        refused = askers.create_task(refusal(town, UnavailableError, C))
        await town.turns()
        await town.clock.advance(2 * LEVEL_TIMEOUT_S)
        assert C in await refused
        town.feed.is_cut_off = False
        town.feed.pump_all()
        assert await town.who(C) == sorted(town[C].members)


async def test_a_load_that_breaks_is_tried_again_and_its_end_told_to_all() -> None:
    """Within its time; then the next one to ask begins anew."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        town[C].join(*PEOPLE)
        town.webapp.failures = [UnavailableError("down")]
        asking = askers.create_task(town.who(C))
        await town.turns()
        await town.clock.advance(1.0)
        assert await asking == PEOPLE
        assert town.webapp.loads == [C, C]


async def test_what_was_lost_is_loaded_again() -> None:
    """When someone asks."""
    async with town_of(C) as town:
        town[C].join(*PEOPLE[:3])
        await town.who(C)
        town[C].leave(PEOPLE[0])
        town.feed.lose(C)
        assert (len(town.members), town.members.cost, town.feed.channels) == (0, 0, {})
        assert await town.who(C) == PEOPLE[1:3]


async def test_members_are_bounded_in_all_and_the_idlest_conversation_goes_first() -> None:
    """By loads and by growth; one that alone is too large is not held."""
    ids = [id_from_number("C", number) for number in range(4)]
    async with town_of(*ids, members_max=3 * (OVERHEAD + 10)) as town:
        for each in ids:
            town[each].join(*PEOPLE[:10])
        for each in (ids[0], ids[1], ids[2], ids[0]):
            await town.who(each)
        assert town.members.cost == 3 * (OVERHEAD + 10)
        await town.who(ids[3])
        assert set(town.feed.channels) == {ids[0], ids[2], ids[3]}
        town[ids[2]].join(PEOPLE[11])
        town.feed.pump_all()
        assert set(town.feed.channels) == {ids[2], ids[3]}
        assert town.members.evicted == 2
        town[ids[1]].join(*(id_from_number("U", number) for number in range(1000, 1200)))
        await refusal(town, FailedPreconditionError, ids[1])
        assert town.members.cost == 2 * OVERHEAD + 21


async def test_a_conversation_of_which_activity_is_ahead_is_told_again_from_where_its_members_stand() -> None:
    """Both follow it once, each from an offset of its own."""
    async with town_of(C) as town, asyncio.TaskGroup() as askers:
        town[C].join(*PEOPLE[:9])
        await town.far(C)
        town.webapp.page = 1
        town.webapp.gate.clear()
        asking = askers.create_task(town.who(C))
        await town.turns()
        town.webapp.gate.set()
        await town.turns(4)
        town[C].leave(PEOPLE[0])
        town[C].message()
        town.feed.pump_all()
        await asking
        assert town.following.rewinds == 1
        town.feed.pump_all()
        assert await town.who(C) == PEOPLE[1:9]
        assert await town.far(C) == [town[C].far]
        assert town.feed.channels[C].refs == 2
