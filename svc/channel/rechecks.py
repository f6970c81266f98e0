"""Subscriptions that may have missed something while their slot was elsewhere: who holds them is told to compare. Pure.

Everybody follows the ring, but not in step, and not through each of its states: Consul tells the newest one.

So a slot may be lost and come back while a subscriber hears of neither. It is still here, and has not asked again; what
the owner in between took, it took without that subscriber. When slots come back, or had to be doubted (the fence, a
pause), every subscription in them that stands is called unproven, by an answer that nobody asked for, and its holder
compares with the log.

And a publisher that is behind may reach an owner in between that the subscriber never heard of, when that one has
compared already. So subscriptions in adopted slots are called unproven once more, when no publisher can be as late as
that; but not those of channels whose head is vouched for.

Looks at so many channels a time: hashing a million in one go would stop the server for a second.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Set
from itertools import islice

from discovery.ring import slot
from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.audience import Audience
from svc.channel.fanout import Attachment
from svc.channel.ownership import SETTLE_US
from svc.channel.states import ChannelStates
from svc.channel.wire import POSITIONS_MAX

AGAIN_S = SETTLE_US / 1_000_000


class Rechecks:
    """What is still to be told, and to whom. One walk at a time: what comes back meanwhile begins it anew."""

    def __init__(self, audience: Audience, states: ChannelStates) -> None:
        self._audience = audience
        self._states = states
        self._slots: set[int] = set()
        self._walk: deque[Attachment] = deque()
        self._channels: Iterator[str] = iter(())
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
        """Go on telling, POSITIONS_MAX channels at most; call it some 20 times a second."""
        if self._later_at <= now:
            self._begin(self._later)
            self._later, self._later_at = set(), math.inf
        left = POSITIONS_MAX
        while self._walk and left > 0:
            attachment = self._walk[0]
            looked_at = list(islice(self._channels, left))
            left -= len(looked_at)
            found = [each for each in looked_at if self._stands(attachment, each)]
            if found:
                self._tell(attachment, found)
            if not looked_at:
                self._walk.popleft()
                self._open()

    def _begin(self, slots: Set[int]) -> None:
        self._slots = self._slots | slots if self._walk else set(slots)
        self._walk = deque(self._audience.attachments)
        self._open()

    def _open(self) -> None:
        self._channels = iter(tuple(self._walk[0].channels) if self._walk else ())

    def _stands(self, attachment: Attachment, channel_id: str) -> bool:
        if channel_id not in attachment.channels or channel_id in attachment.leaving:
            return False
        state = self._states.peek(channel_id)
        return slot(channel_id) in self._slots and not (state is not None and state.is_vouched)

    def _tell(self, attachment: Attachment, channel_ids: list[str]) -> None:
        answer = channel_pb2.Subscribed(ring_fingerprint=self._states.fingerprint)
        for channel_id in channel_ids:
            state = self._states.peek(channel_id)
            answer.unproven.add(channel_id=channel_id, head_offset=state.head if state is not None else 0)
        if not attachment.put_control(channel_pb2.AttachResponse(subscribed=answer)):
            self._audience.cut_off(attachment, "too many answers to its subscribes are unread", "controls_max")
