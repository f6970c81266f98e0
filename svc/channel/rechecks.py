"""Subscriptions that may have missed something while their slot was elsewhere: who holds them is told to compare. Pure.

Everybody follows the ring, but not in step, and not through each of its states: Consul tells the newest one.

So a slot may be lost and come back while a subscriber hears of neither. It is still here, and has not asked again; what
the owner in between took, it took without that subscriber. When slots come back, or had to be doubted (the fence, a
pause), every subscription in them that stands is called unproven, by an answer that nobody asked for, and its holder
compares with the log.

And a publisher that is behind may reach an owner in between that the subscriber never heard of, when that one has
compared already. So subscriptions in adopted slots are called unproven once more, when no publisher can be as late as
that; but not those of channels whose head is vouched for.

Goes through the slots, and looks at so many channels a time: a million in one go would stop the server for a second.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Set
from itertools import starmap

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.audience import Audience
from svc.channel.fanout import Attachment
from svc.channel.ownership import SETTLE_US
from svc.channel.rows import Rows
from svc.channel.rows.plain import Standing
from svc.channel.states import ChannelStates
from svc.channel.wire import POSITIONS_MAX

AGAIN_S = SETTLE_US / 1_000_000


ROWS_A_TELLING = 8
"""Channels looked at count as one that is told of: 0.05 us each, against 0.5."""


class Rechecks:
    """What is still to be told. One walk at a time: slots that come back meanwhile are gone through again."""

    def __init__(self, audience: Audience, states: ChannelStates, rows: Rows[Attachment]) -> None:
        self._audience = audience
        self._states = states
        self._rows = rows
        # A dict looks past all that was ever taken from its front: 90 ms for all slots, one after the other; this: 5.
        self._slots: OrderedDict[int, None] = OrderedDict()
        self._later: set[int] = set()
        self._later_at = math.inf

    def adopted(self, slots: Set[int], regained: Set[int], now: float) -> None:
        """Take note of slots that are ours from now on, and of those among them that are ours again."""
        if slots:
            self._later |= slots
            self._later_at = now + AGAIN_S
        if regained:
            self._begin(regained)
            self.step(now)

    def step(self, now: float) -> None:
        """Go on telling, of POSITIONS_MAX channels or a slot's more; call it some 20 times a second."""
        if self._later_at <= now:
            self._begin(self._later)
            self._later, self._later_at = set(), math.inf
        left = POSITIONS_MAX
        unproven: dict[Attachment, list[Standing[Attachment]]] = {}
        while self._slots and left > 0:
            place, _ = self._slots.popitem(last=False)
            looked_at, found = self._rows.standing(place)
            left -= looked_at // ROWS_A_TELLING
            for each in starmap(Standing[Attachment], found):
                if not each.is_active or not self._is_vouched(each.channel_id):
                    unproven.setdefault(each.attachment, []).append(each)
                    left -= 1
        for attachment, standing in unproven.items():
            for start in range(0, len(standing), POSITIONS_MAX):
                self._tell(attachment, standing[start : start + POSITIONS_MAX])

    def _begin(self, slots: Iterable[int]) -> None:
        for place in sorted(slots):
            self._slots[place] = None

    def _is_vouched(self, channel_id: str) -> bool:
        state = self._states.peek(channel_id)
        return state is not None and state.is_vouched

    def _tell(self, attachment: Attachment, standing: Iterable[Standing[Attachment]]) -> None:
        answer = channel_pb2.Subscribed(ring_fingerprint=self._states.fingerprint)
        for each in standing:
            answer.unproven.add(channel_id=each.channel_id, head_offset=self._head(each))
        if not attachment.put_control(channel_pb2.AttachResponse(subscribed=answer)):
            self._audience.cut_off(attachment, "too many answers to its subscribes are unread", "controls_max")

    def _head(self, each: Standing[Attachment]) -> int:
        state = self._states.peek(each.channel_id) if each.is_active else None
        return state.head if state is not None else each.head
