"""Presence where one looks, against presence told to everybody: events to clients, and how soon views are right.

The same people on the same mesh, twice. First each looks at what is on its screen: SIDEBAR people it talks to, and
CONVERSATION more from the conversation that is open, both skewed to the well known; it opens another conversation now
and then, and is told the states of its new screen. Then everybody looks at everybody, which is a broadcast to the
workspace, really sent and really received. All clients take batches. Meanwhile people come, go, set themselves away and
come back by hand.

A departure is a change only at the end of the grace in which a reload must not be seen: it is counted from there.
Nobody departs twice, so nobody's grace is longer.

On paper: with 30 of 2,000 on each screen a change is told to 30 instead of 2,000; the answers to 5 opened conversations
for each change cost some 5 events more: 2,000 / 35 = 57 times fewer.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import uvloop

from bench.presence_clients import Client, Crowd, Tally, Truth
from bench.read_load import Reader, make_town
from ops.chaos.recovery import percentile
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from ops.seeding import SeedSpec
from svc.kit.lifecycle import Tasks
from svc.presence.config import RosterLimits

Say = Callable[[str], None]

USERS = 2_000
CHANNELS = 20
SIDEBAR, CONVERSATION = 20, 10
"""People on a screen: those with whom one talks directly, and those who speak in the open conversation."""

SKEW = 0.5
"""Popularity: the n-th is on a screen in proportion to n^-SKEW. The best known is on 20 times as many as the last."""

CHANGES_PER_S = 0.006
"""Of presence, by each user. One in ten minutes would be 0.0017: the run is four times as busy as a day."""

SWITCHES_PER_CHANGE = 5
"""Conversations opened for each change of presence: one in two minutes, if presence changes each ten."""

CHURN_S = 30.0
QUIET_S = 2.0
"""After the last change; what has not come by then counts as wrong."""

AWAY_MIN = 5
"""People who are away by hand before the first of them comes back: some seconds later."""

AT_ONCE = 32
FRAME_BYTES_MAX = 65_536
BARS = {"ratio": 20.0, "right_ms_max": 1_000.0, "wrong_views": 0}
KINDS = ("arrival", "departure", "away", "back")


def measure(say: Say, users: int = USERS) -> dict[str, Any]:
    """Return both modes and how they compare; takes about two minutes."""
    return uvloop.run(_measure(say, users))


async def _measure(say: Say, users: int) -> dict[str, Any]:
    newcomers = 2 * (int(users * CHANGES_PER_S * CHURN_S / len(KINDS)) + 1)
    async with AsyncExitStack() as up:
        say("a mesh of two gateways and two presence servers")
        mesh = await up.enter_async_context(Mesh(_spec(up, users + newcomers)))
        count = users + newcomers
        town = await make_town(mesh, SeedSpec("Bench", "bench", count, CHANNELS), readers=count)
        http = await up.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        trial = _Trial(Crowd(http, mesh.web_url), town.readers, users, say)
        await trial.connect()
        interest = await trial.run("interest", trial.look_around, trial.switches())
        broadcast = await trial.run("broadcast", trial.look_at_all, iter(()))
    return _result(users, interest, broadcast)


def _spec(up: AsyncExitStack, ids_max: int) -> MeshSpec:
    return MeshSpec(
        var=Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-"))),
        counts=none(webapp=1, admin=1, channel=1, gateway=2, presence=2),
        zones=("az1",),
        tier_environ={
            "gateway": {  # so that somebody may look at the whole workspace
                "PARLEY_GATEWAY_PRESENCE_IDS_MAX": str(ids_max),
                "PARLEY_GATEWAY_FRAME_BYTES_MAX": str(FRAME_BYTES_MAX),
            }
        },
        graceful=False,
    )


def _result(users: int, interest: dict[str, Any], broadcast: dict[str, Any]) -> dict[str, Any]:
    ratio = round(broadcast["events_per_change"] / interest["events_per_change"], 1)
    is_right = all(interest[name] <= BARS[name] for name in ("right_ms_max", "wrong_views"))
    return {
        "users": users,
        "on_screen": SIDEBAR + CONVERSATION,
        "screen": f"{SIDEBAR} people of a sidebar and {CONVERSATION} of a conversation, n^-{SKEW}",
        "changes_per_s": users * CHANGES_PER_S,
        "conversations_opened_per_change": SWITCHES_PER_CHANGE,
        "interest": interest,
        "broadcast": broadcast,
        "ratio": ratio,
        "ratio_states": round(broadcast["states_per_change"] / interest["states_per_change"], 1),
        "bars": BARS,
        "ok": ratio >= BARS["ratio"] and is_right and broadcast["wrong_views"] == 0,
    }


class _Trial:
    """The people of a mesh, and what they do."""

    def __init__(self, crowd: Crowd, people: Sequence[Reader], users: int, say: Say) -> None:
        self._crowd = crowd
        self._here, self._newcomers = list(people[:users]), list(people[users:])
        self._ids = [person.user_id for person in people]
        self._everybody = frozenset(self._ids)
        self._interval_s = 1 / (users * CHANGES_PER_S)
        self._weights = list(itertools.accumulate((number + 1) ** -SKEW for number in range(len(people))))
        self._rng = Random(1)
        self._say = say
        self._grace_s = RosterLimits().away_grace_s
        self._sidebars: dict[Client, frozenset[str]] = {}
        # The newcomers stay where they are: nobody departs twice, nor within a minute of having come.
        self._leavers = self._rng.sample(self._here, len(self._here))
        self._away: list[Reader] = []

    async def connect(self) -> None:
        """Connect everybody who is there from the beginning."""
        began = time.monotonic()
        slots = asyncio.Semaphore(AT_ONCE)
        self._crowd.truth.update(dict.fromkeys(self._ids, Truth()))

        async def connect(person: Reader) -> None:
            async with slots:
                await self._crowd.arrive(person)

        async with asyncio.TaskGroup() as group:
            for person in self._here:
                group.create_task(connect(person))
        self._say(f"{len(self._here)} are connected after {time.monotonic() - began:.1f} s")

    def look_around(self, client: Client) -> None:
        """Look at a sidebar and a conversation."""
        self._sidebars[client] = self._some(SIDEBAR)
        client.look(self._sidebars[client] | self._some(CONVERSATION))

    def look_at_all(self, client: Client) -> None:
        """Look at the whole workspace."""
        client.look(self._everybody)

    def switches(self) -> Iterator[Callable[[], None]]:
        """Yield conversations being opened, for ever."""
        while True:
            yield self._switch

    async def run(
        self, mode: str, look: Callable[[Client], None], switches: Iterator[Callable[[], None]]
    ) -> dict[str, Any]:
        """Have everybody look, let people come and go for CHURN_S, and return what that was for the clients."""
        began = time.monotonic()
        self._crowd.tally = first = Tally()
        for number, client in enumerate(list(self._crowd.clients.values())):
            look(client)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0.01)
        await self._settle()
        self._say(f"{mode}: everybody was told {first.states} states at first, in {time.monotonic() - began:.1f} s")
        self._crowd.tally = tally = Tally()
        changes = await self._churn(look, switches)
        await asyncio.sleep(self._grace_s + QUIET_S)
        return self._figures(mode, changes, first, tally)

    async def _settle(self) -> None:
        """Wait until all views are right and nothing more comes."""
        async with asyncio.timeout(120):
            states = -1
            while self._crowd.wrong_views() or self._crowd.tally.states != states:
                states = self._crowd.tally.states
                await asyncio.sleep(0.5)

    async def _churn(self, look: Callable[[Client], None], switches: Iterator[Callable[[], None]]) -> int:
        """Change somebody's presence again and again for CHURN_S; return how often."""
        began, changes = time.monotonic(), 0
        async with Tasks("changes", 1_000) as tasks:
            for kind in itertools.cycle(KINDS):
                due = began + changes * self._interval_s
                if due - began >= CHURN_S:
                    break
                for number in range(SWITCHES_PER_CHANGE):
                    switch_due = due + number / SWITCHES_PER_CHANGE * self._interval_s
                    await asyncio.sleep(max(0.0, switch_due - time.monotonic()))
                    switch = next(switches, None)
                    if switch is not None:
                        switch()
                tasks.spawn(self._change(kind, look), kind)
                changes += 1
            while len(tasks):
                await asyncio.sleep(0.05)
        return changes

    async def _change(self, kind: str, look: Callable[[Client], None]) -> None:
        if kind == "arrival":
            look(await self._crowd.arrive(self._newcomers.pop()))
        elif kind == "departure":
            await self._crowd.depart(self._leavers.pop(), self._grace_s)
        elif kind == "back" and len(self._away) > AWAY_MIN:
            await self._crowd.set_by_hand(self._away.pop(0), is_active=True)
        else:
            self._away.append(self._leavers.pop())
            await self._crowd.set_by_hand(self._away[-1], is_active=False)

    def _switch(self) -> None:
        client = self._rng.choice(list(self._sidebars))
        if not client.gone.done() and client.screen:
            client.look(self._sidebars[client] | self._some(CONVERSATION))

    def _some(self, count: int) -> frozenset[str]:
        """Return distinct users, the well known ones rather than others."""
        chosen: set[str] = set()
        while len(chosen) < count:
            chosen.update(self._rng.choices(self._ids, cum_weights=self._weights, k=count - len(chosen)))
        return frozenset(chosen)

    def _figures(self, mode: str, changes: int, first: Tally, tally: Tally) -> dict[str, Any]:
        by_kind = {kind: sorted(each) for kind, each in sorted(tally.right_after_s.items())}
        screens = by_kind.pop("screen", [])
        changed = sorted(itertools.chain.from_iterable(by_kind.values()))
        figures = {
            "changes": changes,
            "events": tally.events,
            "states": tally.states,
            "events_per_change": round(tally.events / changes, 1),
            "states_per_change": round(tally.states / changes, 1),
            "states_at_first": first.states,
            "views_changed": len(changed),
            "views_opened": len(screens),
            **_spread("right_ms", changed),
            **_spread("screen_ms", screens),
            "right_ms_by_kind": {kind: _spread("", each) for kind, each in by_kind.items()},
            "wrong_views": self._crowd.wrong_views(),
        }
        self._say(f"{mode}: {figures}")
        return figures


def _spread(name: str, ascending: Sequence[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the most, in milliseconds, of some seconds."""
    shares = {"p50": percentile(ascending, 0.5), "p99": percentile(ascending, 0.99), "max": max(ascending, default=0.0)}
    return {f"{name}_{share}".lstrip("_"): round(1_000 * seconds, 1) for share, seconds in shares.items()}
