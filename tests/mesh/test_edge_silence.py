"""Channel servers that hang: an edge hears nothing any more and is not told so. What it says is right all the same."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.local.spec import counts
from tests.mesh.people import Json
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(180)]

PROMISE_S = 1.0
"""How long an acknowledged change may be missing from what is said."""

SILENCE_S = 4.0
"""Long enough that Consul, too, has given the owners up, with nobody to take over."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an edge is asked for: activity, the model, members."""

    latest: str
    """ts of the newest message of one channel."""
    names: frozenset[str]
    """Of the channels that the one who asks is in."""
    members: frozenset[str]
    """Of another channel."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Ada asks, grace and linus change things."""

    there: Town
    talk: str

    async def said(self) -> Said:
        """Ask."""
        ada = self.there["ada"]
        channels: list[Json] = (await ada.ok("client.boot"))["channels"]
        members = await ada.ok("client.members", channel=self.talk)
        latest = {each["id"]: each.get("latest", "") for each in channels}[self.there.general]
        return Said(
            latest, frozenset(each["name"] for each in channels if "name" in each), frozenset(members["members"])
        )

    async def changed(self, name: str, *, joins: bool) -> Said:
        """Change all of it, and return what is to be said from now on."""
        there = self.there
        names = frozenset({"general", "talk", name})
        before = await self.said()
        await there["ada"].ok("conversations.create", name=name)
        await there["linus"].ok("conversations.join" if joins else "conversations.leave", channel=self.talk)
        post = await there["grace"].post(there.general, name)
        members = before.members | {there["linus"].user_id} if joins else before.members - {there["linus"].user_id}
        return Said(post["ts"], before.names | names, members)

    async def soon(self, truth: Said) -> None:
        """Wait until all is well."""
        async with asyncio.timeout(20.0):
            while await self.said() != truth:
                await asyncio.sleep(0.05)


async def test_owners_that_hang_make_an_edge_silent_and_never_wrong(tmp_path: Path) -> None:
    """Boots and members go on, by what the webapp knows; each change is in them a second after it was acknowledged."""
    async with town(tmp_path, counts=counts(edge=1), zones=("az1",), supervise=False) as there:
        talk = (await there["ada"].ok("conversations.create", name="talk"))["channel"]["id"]
        scene = Scene(there, talk)
        await scene.soon(await scene.changed("before", joins=True))
        owners = there.mesh.names("channel")
        for name in owners:
            await there.mesh.kill(name, signal.SIGSTOP)
        try:
            truth = await scene.changed("meanwhile", joins=False)
            acked = time.monotonic()
            rounds = 0
            while (asked := time.monotonic()) < acked + SILENCE_S:
                answer = await scene.said()
                assert answer == truth or asked < acked + PROMISE_S
                rounds += asked >= acked + PROMISE_S
                await asyncio.sleep(0.02)
            assert rounds > 3, "boots and queries go on meanwhile"
        finally:
            for name in owners:
                await there.mesh.kill(name, signal.SIGCONT)
        await scene.soon(await scene.changed("after", joins=True))
        (edge,) = there.mesh.names("edge")
        assert await there.metric(edge, "parley_edge_head_reads_total") > 0
