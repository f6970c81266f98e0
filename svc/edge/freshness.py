"""Whether this edge would have heard of a change: only then does it answer from what it holds.

An edge that is cut off goes on knowing things, and they go wrong one after another while nobody tells it so. Therefore
an answer is given only if everything that the owner of the channel had fanned out FRESH_S before is known to have come
(svc.feed: pings on the line to the owner), or if the log itself has just been asked and goes no further. What is fanned
out follows its commit by the milliseconds of the publish path, so nothing wrong is said for longer than FRESH_S and
those after an acknowledged change, whatever fails: a partition between the edge and owners, a pause of the edge's
process, a dead owner, a fenced one. Who is refused asks the webapp, which knows.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from svc.edge.conversations.asking import Asking
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, UnavailableError

FRESH_S = 0.8
"""Oldest proof that is enough: the promise is a second, and an answer takes its time to be made and to arrive."""

PING_EVERY_S = 0.2
"""How often lines are pinged: three pongs may be late before the edge falls silent. 5 frames a second each way."""

LOOK_EVERY_S = 0.05
"""How often `level` looks while it waits; it asks the webapp as often, with all others who wait."""

HEAD_TIMEOUT_S = 0.3
"""How long a read of a head is waited for: who is refused sooner asks elsewhere sooner."""

PROVEN_MAX = 4_096
"""Channels whose head was read that are remembered; the eldest is forgotten first, and read again when needed."""


class Heard(Protocol):
    """What is asked of svc.feed."""

    def vouches(self, channel_id: str, within_s: float) -> bool:
        """Tell whether all that a followed channel's owner fanned out until `within_s` seconds ago was handed on."""
        ...

    def position(self, channel_id: str) -> int | None:
        """Return the offset up to which a channel was handed on; None when it is not followed."""
        ...


class Freshness:
    """Of the channels that this edge follows."""

    def __init__(self, feed: Heard, heads: Asking, clock: Clock) -> None:
        self._feed = feed
        self._heads = heads
        self._clock = clock
        self._proven: dict[str, float] = {}
        self.refusals = 0
        """Times that a check failed, or that waiting was in vain."""
        self.heads_asked = 0
        """Times that a head had to be read because the feed did not vouch for a channel."""

    def vouches(self, channel_id: str) -> bool:
        """Tell whether an answer from what was heard of a followed channel is right. 2 us."""
        if self._feed.vouches(channel_id, FRESH_S):
            return True
        proven_at = self._proven.get(channel_id)
        return proven_at is not None and self._clock.now() - proven_at <= FRESH_S

    def check(self, channel_id: str) -> None:
        """Raise UnavailableError unless an answer from what was heard of a followed channel is right."""
        if not self.vouches(channel_id):
            self.refusals += 1
            raise UnavailableError(f"the owner of {channel_id} has not been heard for {FRESH_S:g} s")

    async def level(self, channel_id: str, timeout_s: float) -> None:
        """Wait until `check` passes; at once, without suspending, when it does now.

        In doubt the webapp is asked how far the channel has come: what was handed on may reach that far, with an owner
        that is not heard at all. That is done once at least, then every LOOK_EVERY_S. Raises UnavailableError after
        `timeout_s` seconds and one read.
        """
        deadline = self._clock.now() + timeout_s
        while not self.vouches(channel_id):
            await self._ask(channel_id)
            if self._clock.now() >= deadline:
                self.check(channel_id)
            elif not self.vouches(channel_id):
                await self._clock.sleep(LOOK_EVERY_S)

    async def _ask(self, channel_id: str) -> None:
        """Compare with the log: level as of now if it goes no further than what was handed on by then."""
        asked_at = self._clock.now()
        self.heads_asked += 1
        try:
            async with asyncio.timeout(HEAD_TIMEOUT_S):
                head = (await self._heads.ask((channel_id,)))[channel_id].head
        except (ParleyError, TimeoutError):
            return  # the feed may vouch for it yet; if not, the wait ends in vain
        position = self._feed.position(channel_id)
        if position is not None and position >= head:
            self._proven.pop(channel_id, None)
            if len(self._proven) >= PROVEN_MAX:
                del self._proven[next(iter(self._proven))]
            self._proven[channel_id] = asked_at
