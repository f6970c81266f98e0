"""Visitors who come and go, and conversations that get other topics and names, beside the load."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from random import Random

from ops.chaos.changing import settle
from ops.chaos.record import Change
from ops.chaos.stage import Api, Stage
from svc.kit.lifecycle import Tasks

VERBS = ("join", "join", "leave", "invite", "kick", "topic", "rename")


class Moving:
    """Does it in public conversations, and keeps what became of each thing."""

    def __init__(self, api: Api, stage: Stage, rng: Random) -> None:
        self._api = api
        self._stage = stage
        self._rng = rng
        self._numbers = itertools.count(1)
        self._tasks = Tasks("moves", 50)
        self.changes: list[Change] = []

    async def run(self, rate: float, is_over: Callable[[], bool]) -> None:
        """Move somebody `rate` times a second until told; return once every outcome is known."""
        async with self._tasks:
            while not is_over():
                if len(self._tasks) < 50:
                    self._tasks.spawn(self._move())
                await asyncio.sleep(1.0 / rate)
            while len(self._tasks):
                await asyncio.sleep(0.05)

    async def _move(self) -> None:
        visitor, channel_id = self._rng.choice(self._stage.visitors), self._rng.choice(self._stage.open_channels)
        maker, number, place = self._stage.members[channel_id][0], next(self._numbers), {"channel": channel_id}
        match self._rng.choice(VERBS):
            case "join":
                what = (visitor, "conversations.join", place, f"joined {visitor.user_id}")
            case "leave":
                what = (visitor, "conversations.leave", place, f"left {visitor.user_id}")
            case "invite":
                arguments = {**place, "users": ",".join(each.user_id for each in self._stage.visitors)}
                what = (maker, "conversations.invite", {**arguments, "force": "true"}, "")
            case "kick":
                what = (maker, "conversations.kick", {**place, "user": visitor.user_id}, f"left {visitor.user_id}")
            case "topic":
                topic = f"topic {number}"
                what = (maker, "conversations.setTopic", {**place, "topic": topic}, f"topic {topic}")
            case _:
                name = f"name-{number}"
                what = (maker, "conversations.rename", {**place, "name": name}, f"name {name}")
        self.changes.append(await settle(self._api, self._rng, *what))
