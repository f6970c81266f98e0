"""The load: posts at a steady rate, each tried again with the same client_msg_id until its outcome is known."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import aiohttp

from ops.chaos.readers import Reader
from ops.chaos.record import Outcome, Post
from ops.chaos.stage import Api, Json, Person, Stage
from ops.chaos.streams import MARK, place_of
from svc.kit.backoff import Backoff
from svc.kit.lifecycle import Tasks

IN_FLIGHT_MAX = 400
"""Posts that may be unanswered at a time: beyond, the load waits, as a crowd of people would."""

TRY_TIMEOUT_S = 5.0
GIVE_UP_S = 25.0
"""A post that nobody answered for this long is given up with its outcome unknown."""

BUSY = frozenset({"service_unavailable", "internal_error", "fatal_error", "request_timeout", "ratelimited"})
"""Answers that another try may change. They do not say that nothing was stored."""

RTM_EVERY = 10
"""One post in so many goes over a socket."""

TWICE_EVERY = 15
"""One post in so many is sent to two webapps at once: a client that did not wait for the answer. It is one message."""


class Load:
    """Posts, and keeps what became of each. `posts` grows by one for each post whose outcome is known."""

    def __init__(
        self,
        api: Api,
        stage: Stage,
        writers: Sequence[Reader],
        rng: Random,
        on_acked: Callable[[Person, Post], None] = lambda *_: None,
    ) -> None:
        self._api = api
        self._stage = stage
        self._writers = {writer.person.name: writer for writer in writers}
        self._rng = rng
        self._on_acked = on_acked
        self._numbers = itertools.count(1)
        self._tasks = Tasks("posts", IN_FLIGHT_MAX)
        self.posts: list[Post] = []
        self.failures: list[tuple[float, float]] = []
        """When each try that was not acknowledged began and ended."""

    @property
    def in_flight(self) -> int:
        """How many posts have no outcome yet."""
        return len(self._tasks)

    def acked(self) -> int:
        """Return how many posts were acknowledged."""
        return sum(post.outcome is Outcome.ACKED for post in self.posts)

    async def run(self, rate: float, is_over: Callable[[], bool]) -> None:
        """Post `rate` times a second, to each conversation in turn, until told; return once every outcome is known."""
        async with self._tasks:
            channels = itertools.cycle(self._stage.members)
            due = time.monotonic()
            while not is_over():
                if self.in_flight < IN_FLIGHT_MAX:
                    self._tasks.spawn(self._post(next(channels)))
                due = max(due + 1.0 / rate, time.monotonic() - 0.1)  # after a stall, no burst of what was missed
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            while self.in_flight:
                await asyncio.sleep(0.05)

    async def _post(self, channel: str) -> None:
        number = next(self._numbers)
        key = f"{number:06d}-{self._rng.getrandbits(48):012x}"
        person = self._rng.choice(self._stage.members[channel])
        writer = self._writers.get(person.name) if number % RTM_EVERY == 0 else None
        if writer is not None:
            post = await self._over_socket(writer, channel, key)
        else:
            post = await self._over_http(person, channel, key, twice=number % TWICE_EVERY == 1)
        self.posts.append(post)
        if post.outcome is Outcome.ACKED:
            self._on_acked(person, post)

    async def _over_http(self, person: Person, channel: str, key: str, *, twice: bool) -> Post:
        turns = itertools.count(self._api.turn())

        async def one_try() -> Json:
            arguments = {"channel": channel, "text": MARK + key, "client_msg_id": key}
            return await self._api.call(person, "chat.postMessage", TRY_TIMEOUT_S, next(turns), **arguments)

        async def two_tries() -> Json:
            return _better(await asyncio.gather(one_try(), one_try(), return_exceptions=True))

        return await self._settle(two_tries if twice else one_try, channel, key, "")

    async def _over_socket(self, writer: Reader, channel: str, key: str) -> Post:
        async def one_try() -> Json:
            return await writer.post(channel, MARK + key, key, TRY_TIMEOUT_S)

        return await self._settle(one_try, channel, key, writer.log.name)

    async def _settle(self, one_try: Callable[[], Awaitable[Json]], channel: str, key: str, writer: str) -> Post:
        """Try until there is an answer that no other try would change."""
        began = time.monotonic()
        backoff = Backoff(base_s=0.1, cap_s=1.0, rng=self._rng)
        is_unsure = False
        while time.monotonic() - began < GIVE_UP_S:
            tried_at = time.monotonic()
            try:
                answer = await one_try()
            except (OSError, TimeoutError, aiohttp.ClientError):
                is_unsure = True
            else:
                if answer.get("ok"):
                    place = place_of({"type": "", **answer})
                    offset = place.offset if place else 0
                    return Post(key, channel, began, time.monotonic(), Outcome.ACKED, answer["ts"], offset, writer)
                if _reason(answer) not in BUSY:
                    outcome = Outcome.UNKNOWN if is_unsure else Outcome.REFUSED
                    return Post(key, channel, began, time.monotonic(), outcome, writer=writer)
                is_unsure = True
            self.failures.append((tried_at, time.monotonic()))
            await asyncio.sleep(backoff.next_s())
        return Post(key, channel, began, time.monotonic(), Outcome.UNKNOWN, writer=writer)


def _better(answers: Sequence[Json | BaseException]) -> Json:
    """Return the answer that tells more: `ok`, else a refusal, else raise what went wrong."""
    said = [answer for answer in answers if isinstance(answer, dict)]
    if said:
        # A refusal beside a silence is no last word: the silent try may have been stored.
        silent = len(said) < len(answers)
        best = max(said, key=lambda answer: bool(answer.get("ok")))
        return best if best.get("ok") or not silent else {"ok": False, "error": "request_timeout"}
    raise next(answer for answer in answers if isinstance(answer, BaseException))


def _reason(answer: Json) -> str:
    error = answer.get("error")
    return str(error.get("msg")) if isinstance(error, dict) else str(error)
