"""Which channels this server owns, since when, and whether it may still believe so. Pure.

**Since when.** State is trusted only when it was made in the present, unbroken time of owning its slot: a slot that was
lost and came back may have had events elsewhere. Each slot has the generation in which it was adopted; state remembers
the generation of its making, and is void when that is older. So a ring move costs one pass over 16,384 numbers and
nothing for each channel.

**The fence.** The danger is a server that Consul's other readers see as gone, and that does not know: cut off from
Consul, or stopped for a while. It would go on acking publishes of an admin that is as stale, while subscribers are
already elsewhere. Consul drops an instance 0.3 to 1.3 s after it goes silent (checks each 1 s, timeout 0.3 s); the
fence time of 1 s starts at the last word from Consul. What is left of an overlap is covered by the lines to the lost
owner: subscribers keep them until they end, and a channel that they left is still delivered there for a linger longer
than the fence time (`ChannelTable.unsubscribe`). So what a stale owner acks has reached those who moved on.

Past the fence time ownership is *in doubt*. It must not simply be given up: with Consul gone for everybody, everything
goes on with the last good view. The difference is what the others say. Every publish and subscribe quotes the ring that
its sender has, and subscribers say so, too, whenever theirs changes. While all of them quote ours, nobody knows better
and we go on; the first that quotes another proves that the world has moved without us, and we refuse everything until
Consul is heard again. (A publisher may be left behind together with us; subscribers that went elsewhere were not.)
Then, and after any pause of this process longer than the fence time, all slots count as newly adopted.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Protocol

from discovery.ring import SLOTS, Ring, slot
from svc.channel.rows.plain import NOT_OWNED

SETTLE_US = 3_000_000
"""Events committed this much after an adoption went to no earlier owner: the fence time, the drain, and a second for
clocks that differ. Until then, and for older events, subscribers compare with the log, which costs one read."""


class FenceView(Protocol):
    """What is asked of discovery's fence."""

    def is_fenced(self, now: float) -> bool:
        """Return whether Consul has been silent for longer than the fence time."""
        ...


class Ownership:
    """This server's place on the ring."""

    def __init__(
        self, instance_id: str, fence_s: float, wall_us: Callable[[], int], fence: FenceView | None = None
    ) -> None:
        """Own nothing yet. `fence_s` is also the longest pause of this process that needs no renewal, in seconds.

        The fence may come later (`trust`), with the registration that makes others see this server. `wall_us` tells
        Unix microseconds.
        """
        self.instance_id = instance_id
        self.fingerprint = 0
        """Of the ring that is held; 0 before the first."""
        self.generation = 0
        self.since = array("Q", [NOT_OWNED]) * SLOTS
        """Generation in which each slot was adopted; NOT_OWNED for those of others. The rows read it where it is."""
        self._mine: set[int] = set()
        self._once_mine: set[int] = set()
        self._adopted: set[int] = set()
        self._regained: set[int] = set()
        self._adopted_us = [0] * SLOTS
        self._wall_us = wall_us
        self._fence = fence
        self._fence_s = fence_s
        self._looked_at: float | None = None
        self._is_in_doubt = False
        self._is_contradicted = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether Consul was silent for longer than the fence time when this was last looked at."""
        return self._is_in_doubt

    @property
    def is_fenced(self) -> bool:
        """Whether publishes are refused at present because of the fence."""
        return self._is_contradicted

    def trust(self, fence: FenceView) -> None:
        """Go by this fence from now on."""
        self._fence = fence

    def owned_slots(self) -> int:
        """Return how many slots this server owns."""
        return len(self._mine)

    def slot_owned(self, channel_id: str) -> int | None:
        """Return the channel's slot when this server owns it, else None."""
        place = slot(channel_id)
        return None if self.since[place] == NOT_OWNED else place

    def adopted_us(self, place: int) -> int:
        """Return the Unix microseconds from which on events of a slot can only have been published here."""
        return self._adopted_us[place] + SETTLE_US

    def from_now_us(self) -> int:
        """Return the Unix microseconds from which on events cannot have been published anywhere before now."""
        return self._wall_us() + SETTLE_US

    def take_adopted(self) -> tuple[set[int], set[int]]:
        """Return the slots that became ours since this was last asked, and those of them that were ours before."""
        taken = self._adopted, self._regained
        self._adopted, self._regained = set(), set()
        return taken

    def move(self, ring: Ring) -> tuple[int, int]:
        """Take over a new ring; return how many slots were adopted and how many released."""
        mine = set(ring.slots_of(self.instance_id)) if self.instance_id in ring.members else set()
        adopted, released = mine - self._mine, self._mine - mine
        self.generation += 1
        self.fingerprint = ring.fingerprint
        self._mine = mine
        self._adopted = (self._adopted & mine) | adopted
        self._regained = (self._regained & mine) | (adopted & self._once_mine)
        self._once_mine |= mine
        self._adopt(adopted)
        for place in released:
            self.since[place] = NOT_OWNED
        return len(adopted), len(released)

    def observe(self, now: float) -> bool:
        """Look at the clock and the fence; return whether all state became void.

        To be called before anything is judged, and several times in each fence time.
        """
        paused = self._looked_at is not None and now - self._looked_at > self._fence_s
        self._looked_at = now
        was_in_doubt, self._is_in_doubt = self._is_in_doubt, self._fence is not None and self._fence.is_fenced(now)
        if not self._is_in_doubt:
            self._is_contradicted = False
        if paused or (was_in_doubt and not self._is_in_doubt):
            self._renew()
            return True
        return False

    def may_act(self, quoted_fingerprint: int) -> bool:
        """Return whether a frame whose sender holds that ring may be served; see the module's words on the fence."""
        if self._is_in_doubt and quoted_fingerprint != self.fingerprint:
            self._is_contradicted = True
        return not self._is_contradicted

    def _renew(self) -> None:
        self.generation += 1
        self._adopted, self._regained = set(self._mine), set(self._mine)
        self._adopt(self._mine)

    def _adopt(self, places: Iterable[int]) -> None:
        now_us = self._wall_us()
        for place in places:
            self.since[place] = self.generation
            self._adopted_us[place] = now_us
