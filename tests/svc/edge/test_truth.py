"""Any mixture of joins, leaves, messages, losses, evictions, partitions and failures: what the edge says is true."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from svc.edge.conversations.rosters import OVERHEAD
from svc.edge.freshness import FRESH_S
from svc.kit.errors import ParleyError, UnavailableError
from svc.kit.ids import id_from_number
from tests.svc.edge.towns import Town, town_of

CHANNELS = [id_from_number("C", number * 7919) for number in range(12)]
PEOPLE = [id_from_number("U", number * 104_729) for number in range(40)]
STEPS = 400
SLACK_S = 1e-6
"""For rounding of sums of times."""


class Walk:
    """One run."""

    def __init__(self, town: Town, rng: Random) -> None:
        self.town = town
        self.rng = rng
        self.answers = 0
        self.refusals = 0

    async def ask_far(self) -> None:
        """Ask how far some have come; it is the truth of FRESH_S before the answer, or later."""
        town, ids = self.town, self.rng.sample(CHANNELS, self.rng.randint(1, 6))
        try:
            fars = await town.far(*ids)
        except ParleyError:
            self.refusals += 1
            return
        for channel_id, far in zip(ids, fars, strict=True):
            truth = town[channel_id]
            assert far == truth.fars[far.head], "not the newest message as of that head"
            assert far.head >= truth.as_of(town.clock.now() - FRESH_S - SLACK_S)
        self.answers += 1

    async def ask_who(self) -> None:
        """Ask who is in one; it is the truth of some time since FRESH_S before the answer, for each of them."""
        town, channel_id = self.town, self.rng.choice(CHANNELS)
        asked_at = town.clock.now()
        try:
            page = await town.members.page("T0000000001", "", channel_id, "", 1000, is_public=True)
        except ParleyError:
            self.refusals += 1
            return
        truth, said = town[channel_id], set(page.user_ids)
        rosters = truth.rosters[truth.as_of(min(asked_at, town.clock.now() - FRESH_S) - SLACK_S) :]
        assert said <= set().union(*rosters), "someone who was not in it"
        assert said >= set.intersection(*map(set, rosters)), "someone is missing"
        self.answers += 1

    async def step(self, tasks: asyncio.TaskGroup) -> None:
        """Something happens."""
        await self.rng.choices((self.change, self.hear, self.fail, self.ask, self.wait), (40, 20, 7, 23, 10))[0](tasks)

    async def change(self, _: asyncio.TaskGroup) -> None:
        """In a conversation."""
        conversation = self.town[self.rng.choice(CHANNELS)]
        some = self.rng.sample(PEOPLE, self.rng.randint(1, 5))
        self.rng.choice(
            (
                conversation.message,
                conversation.edit,
                lambda: conversation.join(*some),
                lambda: conversation.leave(*some),
            )
        )()

    async def hear(self, _: asyncio.TaskGroup) -> None:
        """The feed delivers some events of one conversation, or all there are."""
        if self.rng.random() < 0.3:
            self.town.feed.pump_all()
        self.town.feed.pump(self.rng.choice(CHANNELS), self.rng.randint(1, 4))

    async def fail(self, _: asyncio.TaskGroup) -> None:
        """Events are lost, owners are cut off or heard again, or the webapp is away for a moment."""
        what = self.rng.randrange(3)
        if what == 0:
            self.town.feed.lose(self.rng.choice(CHANNELS))
        elif what == 1:
            self.town.feed.is_cut_off = not self.town.feed.is_cut_off
        else:
            self.town.webapp.failures = [UnavailableError("down")] * self.rng.randint(1, 3)

    async def ask(self, tasks: asyncio.TaskGroup) -> None:
        """Beside everything else."""
        tasks.create_task(self.rng.choice((self.ask_far, self.ask_who))())

    async def wait(self, _: asyncio.TaskGroup) -> None:
        """Time goes by."""
        await self.town.clock.advance(self.rng.choice([0.01, 0.1, 0.5]))

    async def settle(self) -> None:
        """Everything is heard, and time goes by: now the edge must say the truth as it is."""
        town = self.town
        town.feed.is_cut_off, town.webapp.failures = False, []
        for _ in range(3):
            town.feed.pump_all()
            await town.clock.advance(FRESH_S + SLACK_S)
            await town.turns()
        town.feed.pump_all()
        assert await town.far(*CHANNELS) == [town[each].far for each in CHANNELS]
        for channel_id in CHANNELS:
            await town.who(channel_id)
            town.feed.pump(channel_id)
            assert await town.who(channel_id) == sorted(town[channel_id].members)
        held = {channel_id: followed.refs for channel_id, followed in town.feed.channels.items()}
        assert sum(held.values()) == town.activity.followed_count + len(town.members)


@pytest.mark.parametrize("seed", range(40))
async def test_what_the_edge_says_is_true_whatever_happens(seed: int) -> None:
    """As of FRESH_S ago at any time, and as of now when everything has been heard. The seed repeats a run."""
    rng = Random(seed)
    conversations_max = rng.choice([4, 8, 100])
    members_max = rng.choice([4, 100]) * (OVERHEAD + len(PEOPLE) // 2)
    async with town_of(*CHANNELS, conversations_max=conversations_max, members_max=members_max) as town:
        walk = Walk(town, rng)
        for _ in range(4):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(STEPS // 4):
                    await walk.step(tasks)
                    await town.turns(rng.randint(0, 3))
                town.webapp.failures = []
                for _ in range(20):
                    await town.clock.advance(0.5)
                    await town.turns()
            await walk.settle()
        assert walk.answers > 20
