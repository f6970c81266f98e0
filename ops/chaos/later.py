"""Messages that are scheduled, some of them taken back, while what posts them is being killed."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from random import Random
from typing import Any

import aiohttp

from ops.chaos.record import Outcome, Scheduled
from ops.chaos.stage import Api, Person, Stage, StageError
from ops.chaos.streams import MARK
from svc.kit.lifecycle import Tasks

AHEAD_S = (6, 9)
"""How long they wait: more than the last seconds, in which none can be taken back."""
BACK_EVERY = 4
"""One of so many is taken back at once."""
TRY_TIMEOUT_S = 5.0
POSTED_S = 25.0
"""From the last one's time until all have to be posted."""


class Later:
    """Schedules, and keeps what became of it. No call is tried again: each would be another message."""

    def __init__(self, api: Api, stage: Stage, rng: Random) -> None:
        self._api = api
        self._stage = stage
        self._rng = rng
        self._tasks = Tasks("scheduled", 50)
        self.scheduled: list[Scheduled] = []

    async def run(self, rate: float, is_over: Callable[[], bool]) -> None:
        """Schedule `rate` times a second until told; return once nothing waits any more."""
        async with self._tasks:
            for number in itertools.count(1):
                if is_over():
                    break
                self._tasks.spawn(self._schedule(number))
                await asyncio.sleep(1.0 / rate)
            while len(self._tasks):
                await asyncio.sleep(0.05)
        due = max((each.post_at for each in self.scheduled), default=0)
        await asyncio.sleep(max(0.0, due - time.time()))
        deadline = time.monotonic() + POSTED_S
        for person in {person for members in self._stage.members.values() for person in members}:
            await self._posted(person, deadline)

    async def _posted(self, person: Person, deadline: float) -> None:
        """Wait until nothing of somebody's waits; after the deadline the judge says what is missing."""
        while (
            time.monotonic() < deadline
            and (await self._api.ok(person, "chat.scheduledMessages.list"))["scheduled_messages"]
        ):
            await asyncio.sleep(0.2)

    async def _schedule(self, number: int) -> None:
        channel_id = self._rng.choice(list(self._stage.members))
        person = self._rng.choice(self._stage.members[channel_id])
        key, post_at = f"later-{number:05d}", int(time.time()) + self._rng.randint(*AHEAD_S)
        arguments: dict[str, Any] = {"channel": channel_id, "text": MARK + key, "post_at": str(post_at)}
        outcome, is_wanted = Outcome.UNKNOWN, True
        try:
            answer = await self._api.call(person, "chat.scheduleMessage", TRY_TIMEOUT_S, **arguments)
            if answer.get("ok"):
                outcome = Outcome.ACKED
            if answer.get("ok") and number % BACK_EVERY == 0:
                outcome = Outcome.UNKNOWN  # until it is known whether it was taken back
                back: dict[str, Any] = {"channel": channel_id, "scheduled_message_id": answer["scheduled_message_id"]}
                answer = await self._api.call(person, "chat.deleteScheduledMessage", TRY_TIMEOUT_S, **back)
                if answer.get("ok"):
                    outcome, is_wanted = Outcome.ACKED, False
        except (OSError, TimeoutError, aiohttp.ClientError, StageError):
            pass  # it may be there, once
        self.scheduled.append(Scheduled(key, channel_id, post_at, outcome, is_wanted=is_wanted))
