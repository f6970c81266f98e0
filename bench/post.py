"""Posting: how many durable posts a second a whole mesh takes over HTTP, by stage, with all of it on one machine.

The mesh is what `make run` starts. The people are a program in C (postload.c): LINES connections that each post again
when they are answered, and a socket for everybody, so that each post is delivered to all who are in its conversation.
Every post has a client_msg_id, so each is idempotent, which costs a row. Stages are measured over HTTP as well, by
requests that end where the stage does:

    parse      api.test: HTTP, arguments, answer
    authorise  a post by somebody who is not in the conversation: token, conversation, membership, refusal
    commit     posts, counted when they are acknowledged: on disk (innodb_flush_log_at_trx_commit is 1)
    publish    the same posts, counted when the last of their sockets has them

Nothing may be lost: what was acknowledged is counted in the table of messages, and at the sockets.
On paper, two processors at 1,000 posts a second have 2 ms for each: HTTP and rules in webapp take a half of it, MariaDB
and the six other tiers share the rest.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from bench.post_load import Run
from bench.post_stage import Stage, cores, spent, stage

Say = Callable[[str], None]
Json = dict[str, Any]

PEOPLE, CHANNELS = 60, 60
ROOMS = range(2, 7)
"""People in a conversation that is posted in."""
LINES = 64
ROUNDS = 5
STAGE_S = 1.5
POSTS_S = 4.0
WARM_UP_S = 3.0
BARS = {"posts_per_s": 1_000, "lost": 0}

STAGES = {
    "parse": Run(STAGE_S, LINES, method="api.test"),
    "authorise": Run(STAGE_S, LINES, word='"ok":false'),
    "commit": Run(POSTS_S, LINES),
}


def measure(say: Say, rounds: int = ROUNDS) -> Json:
    """Return what a mesh takes; a minute."""
    return asyncio.run(_measure(say, rounds))


async def _measure(say: Say, rounds: int) -> Json:
    async with stage(say, PEOPLE, CHANNELS) as on:
        return await _Trial(on, say).run(rounds)


class _Trial:
    """Rounds of all stages, one after the other."""

    def __init__(self, on: Stage, say: Say) -> None:
        self._on = on
        self._say = say
        self._members = on.targets(ROOMS)
        # Neighbours in the list would post in one conversation.
        Random(1).shuffle(self._members)
        unheard = [replace(each, sockets=0) for each in self._members]
        self._targets = {"parse": unheard, "authorise": on.strangers(), "commit": self._members}
        self._found: dict[str, list[Json]] = {name: [] for name in STAGES}
        self._spent: Counter[str] = Counter()

    async def run(self, rounds: int) -> Json:
        """Return all that is measured."""
        self._on.load.aim(self._members)
        await self._on.load.run(Run(WARM_UP_S, LINES))
        stored = await self._on.messages()
        for number in range(rounds):
            for name, what in STAGES.items():
                await self._one(name, what)
            last = self._found["commit"][-1]
            self._say(f"round {number + 1}: {_per_s(last, 'acked'):.0f} posts a second")
        stored = await self._on.messages() - stored
        return self._result(stored)

    async def _one(self, name: str, what: Run) -> None:
        self._on.load.aim(self._targets[name])
        before = self._on.used_s()
        self._found[name].append(await self._on.load.run(what))
        if name == "commit":
            self._spent.update(spent(before, self._on.used_s()))

    def _result(self, stored: int) -> Json:
        posts = self._found["commit"]
        total = sum(each["acked"] for each in posts)
        rates = {name: [_per_s(each, "acked") for each in found] for name, found in self._found.items()}
        rates["publish"] = [_per_s(each, "seen") for each in posts]
        failed = {each["failure"] for found in self._found.values() for each in found if each["failed"]}
        result: Json = {
            "cores": cores(),
            "posts_per_s": round(statistics.median(rates["commit"])),
            "stages_per_s": {name: round(statistics.median(found)) for name, found in rates.items()},
            "posts_per_s_of_rounds": [round(each) for each in rates["commit"]],
            "acked_ms": _median_times(posts, "acked_ms"),
            "seen_ms": _median_times(posts, "seen_ms"),
            "cpu_us_per_post": {tier: round(1e6 * used / total) for tier, used in self._spent.most_common()},
            "posts": total,
            "deliveries_per_post": round(statistics.mean(each.sockets for each in self._members), 1),
            "lost": (total - stored) + sum(each["awaited"] - each["seen"] for each in posts),
            "repeated": sum(each["repeats"] for each in posts),
            "failures": sorted(failed),
            "bars": BARS,
        }
        is_whole = not failed and not result["lost"] and not result["repeated"]
        return {**result, "ok": is_whole and result["posts_per_s"] >= BARS["posts_per_s"]}


def _per_s(found: Json, what: str) -> float:
    return float(found[what] / found["seen_s" if what == "seen" else "acked_s"])


def _median_times(found: list[Json], name: str) -> Json:
    return {share: round(statistics.median(each[name][share] for each in found), 1) for share in ("p50", "p99")}
