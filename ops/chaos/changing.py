"""Edits, reactions and removals of what was posted, beside the load: each tried until its outcome is known.

Each change has a claim, which says what it does in the words of its event: whoever is told `ok` finds it in the log. Of
removals and reactions that are tried again the first try may have succeeded: then the refusal says that it is done.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import aiohttp

from ops.chaos.record import Change, Outcome, Post
from ops.chaos.stage import Api, Json, Person, Stage
from ops.chaos.streams import MARK
from svc.kit.backoff import Backoff
from svc.kit.lifecycle import Tasks

IN_FLIGHT_MAX = 100
TARGETS_MAX = 40
"""The newest messages, to which things happen: few, so that several happen to one at once."""
TRY_TIMEOUT_S = 5.0
GIVE_UP_S = 25.0
BUSY = frozenset({"service_unavailable", "internal_error", "fatal_error", "request_timeout", "ratelimited"})
DONE = frozenset(
    {"already_reacted", "no_reaction", "message_not_found", "already_in_channel", "not_in_channel", "name_taken"}
)
"""Refusals that an earlier try of the same change may have brought about."""
IDLE = ("already_in_channel", "not_in_channel")
"""What answers say that are `ok` although nothing was to be done."""
EMOJI = ("tada", "eyes", "rocket")
VERBS = ("edit",) * 8 + ("react",) * 8 + ("unreact",) * 3 + ("remove",)


@dataclass(frozen=True, slots=True)
class Target:
    """A message that was acknowledged."""

    author: Person
    channel_id: str
    ts: str
    key: str


class Changing:
    """Changes what it is told of, and keeps what became of each change."""

    def __init__(self, api: Api, stage: Stage, rng: Random) -> None:
        self._api = api
        self._stage = stage
        self._rng = rng
        self._targets: deque[Target] = deque(maxlen=TARGETS_MAX)
        self._numbers = itertools.count(1)
        self._tasks = Tasks("changes", IN_FLIGHT_MAX)
        self.changes: list[Change] = []

    def acked(self, author: Person, post: Post) -> None:
        """Take note of a message that is stored."""
        self._targets.append(Target(author, post.channel_id, post.ts, post.key))

    async def run(self, rate: float, is_over: Callable[[], bool]) -> None:
        """Change something `rate` times a second until told; return once every outcome is known."""
        async with self._tasks:
            while not is_over():
                if self._targets and len(self._tasks) < IN_FLIGHT_MAX:
                    self._tasks.spawn(self._change(self._rng.choice(self._targets)))
                await asyncio.sleep(1.0 / rate)
            while len(self._tasks):
                await asyncio.sleep(0.05)

    async def _change(self, target: Target) -> None:
        verb, who = self._rng.choice(VERBS), self._rng.choice(self._stage.members[target.channel_id])
        name, place = self._rng.choice(EMOJI), {"channel": target.channel_id}
        match verb:
            case "edit":
                text = f"{MARK}{target.key} edited {next(self._numbers)}"
                arguments = {**place, "ts": target.ts, "text": text}
                await self._settle(target.author, "chat.update", arguments, f"edit {target.ts} {text}")
            case "react" | "unreact":
                method, kind = ("reactions.add", "added") if verb == "react" else ("reactions.remove", "removed")
                arguments = {**place, "timestamp": target.ts, "name": name}
                await self._settle(who, method, arguments, f"{kind} {target.ts} {name} {who.user_id}")
            case _:
                if target in self._targets:
                    self._targets.remove(target)
                await self._settle(target.author, "chat.delete", {**place, "ts": target.ts}, f"removed {target.ts}")

    async def _settle(self, person: Person, method: str, arguments: dict[str, str], claim: str) -> None:
        self.changes.append(await settle(self._api, self._rng, person, method, arguments, claim))


async def settle(api: Api, rng: Random, person: Person, method: str, arguments: dict[str, str], claim: str) -> Change:
    """Try to change something until the outcome is known, or nobody hopes any more."""
    began, backoff = time.monotonic(), Backoff(base_s=0.1, cap_s=1.0, rng=rng)
    is_unsure, outcome = False, Outcome.UNKNOWN
    turns = itertools.count(api.turn())
    while time.monotonic() - began < GIVE_UP_S:
        try:
            answer = await api.call(person, method, TRY_TIMEOUT_S, next(turns), **arguments)
        except (OSError, TimeoutError, aiohttp.ClientError):
            is_unsure = True
        else:
            if answer.get("ok"):
                # Who is there already has not come, and is told so.
                is_idle = any(answer.get(word) for word in IDLE)
                outcome = Outcome.UNKNOWN if is_idle else Outcome.ACKED
                break
            if (reason := _reason(answer)) not in BUSY:
                # Somebody may have done, or undone, the same in between: a claim that nobody can check is none.
                outcome = Outcome.UNKNOWN if is_unsure and reason in DONE else Outcome.REFUSED
                break
            is_unsure = True
        await asyncio.sleep(backoff.next_s())
    return Change(arguments["channel"], claim, began, time.monotonic(), outcome)


def _reason(answer: Json) -> str:
    return str(answer.get("error"))
