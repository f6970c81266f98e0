"""Fan-out: what is pending for each attached subscriber, and which publishes wait for its acknowledgement. Pure.

An event costs a subscriber one `put` of bytes that all subscribers share. Whenever its writer is free, everything
pending becomes the next batch, so batches grow with the load and add no delay. Batches are numbered 1, 2, 3…; an
acknowledgement is cumulative. A publish batch (`Ticket`) is settled once every subscriber that it touched has
acknowledged all that was enqueued for it by then, or has been detached.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.config import FanoutLimits
from svc.channel.rows import Left
from svc.channel.wire import encode_batch
from svc.kit.errors import InvalidArgumentError, ParleyError

CONTROLS_MAX = 4_096
"""Answers to subscribes that may be pending for one subscriber: 16 million channels at 4,096 a frame."""


class Ticket:
    """One publish batch on its way: refusals so far, and how many things it still waits for."""

    __slots__ = ("_on_settled", "_waits", "is_settled", "number", "opened_at", "refusals", "size")

    def __init__(self, number: int, opened_at: float, on_settled: Callable[[Ticket], None]) -> None:
        """Open with one wait, which belongs to whoever fills it and is given back by the last `release`."""
        self.number = number
        self.opened_at = opened_at
        self.refusals: dict[int, channel_pb2.RefusalReason.ValueType] = {}
        """Index in the batch to reason."""
        self.size = 0
        """Bytes of the events in it that were not refused at once."""
        self.is_settled = False
        """Whether it has its answer and waits for nothing any more."""
        self._waits = 1
        self._on_settled = on_settled

    def wait(self) -> None:
        """Wait for one thing more."""
        self._waits += 1

    def release(self) -> None:
        """Stop waiting for one thing; the last one settles the ticket. Harmless once it is settled."""
        self._waits -= 1
        if self._waits == 0:
            self._settle()

    def give_up(self, reason: channel_pb2.RefusalReason.ValueType, count: int) -> None:
        """Settle now, refusing all of its `count` events that were not refused before."""
        if not self.is_settled:
            for index in range(count):
                self.refusals.setdefault(index, reason)
            self._settle()

    def _settle(self) -> None:
        if not self.is_settled:
            self.is_settled = True
            self._on_settled(self)


class AckTracker:
    """What one subscriber has been given, has acknowledged, and who waits for that.

    `enqueued` counts persisted events ever given to it; batches and tickets refer to places in that count.
    """

    __slots__ = ("_batches", "_owing_since", "_tickets", "acked", "enqueued", "last_batch")

    def __init__(self) -> None:
        self.enqueued = 0
        self.acked = 0
        self.last_batch = 0
        self._batches: deque[tuple[int, int]] = deque()
        self._tickets: deque[tuple[int, Ticket]] = deque()
        self._owing_since: float | None = None

    @property
    def unacked_batches(self) -> int:
        """Batches sent and not acknowledged."""
        return len(self._batches)

    def sent(self, place: int, now: float) -> int:
        """Note that the next batch reaches up to `place` in the count of enqueued events; return its number."""
        self.last_batch += 1
        self._batches.append((self.last_batch, place))
        if self._owing_since is None:
            self._owing_since = now
        return self.last_batch

    def owe(self, ticket: Ticket, now: float) -> None:
        """Make `ticket` wait until everything enqueued so far is acknowledged; nothing to do when it is already."""
        if self.acked < self.enqueued:
            ticket.wait()
            self._tickets.append((self.enqueued, ticket))
            if self._owing_since is None:
                self._owing_since = now

    def ack(self, batch_number: int, now: float) -> None:
        """Take a cumulative acknowledgement. Raises InvalidArgumentError for a batch that was never sent."""
        if batch_number > self.last_batch:
            raise InvalidArgumentError(
                f"acknowledged batch {batch_number} of {self.last_batch}",
                subject="ack.batch_number",
                limit=self.last_batch,
                actual=batch_number,
            )
        while self._batches and self._batches[0][0] <= batch_number:
            self.acked = max(self.acked, self._batches.popleft()[1])
            self._owing_since = now
        if not self._batches and self.acked == self.enqueued:
            self._owing_since = None
        while self._tickets and self._tickets[0][0] <= self.acked:
            self._tickets.popleft()[1].release()

    def silent_s(self, now: float) -> float:
        """Return the seconds for which an acknowledgement has been owed with no progress; 0 when none is."""
        return 0.0 if self._owing_since is None else now - self._owing_since

    def abandon(self) -> None:
        """Release everybody who waits: the subscriber is gone and will ask for what it missed."""
        self._batches.clear()
        self._owing_since = None
        tickets, self._tickets = self._tickets, deque()
        for _, ticket in tickets:
            ticket.release()


class Attachment:
    """One attached gateway or edge: its mailbox and its acknowledgements.

    The mailbox holds `mailbox_events_max` events and `mailbox_bytes_max` bytes. Transient events go first in a batch,
    are refused above half of either limit, and are forgotten when a persisted event needs their room. When that does
    not help either, `put` returns False and the subscriber must be cut off: skipping an event silently is not allowed.
    """

    __slots__ = (
        "_bytes",
        "_controls",
        "_limits",
        "_pending",
        "_taken",
        "_transient",
        "_transient_bytes",
        "_wake",
        "ending",
        "is_open",
        "leaving",
        "number",
        "ring_fingerprint",
        "subscriber_id",
        "tracker",
        "transients_dropped",
        "zone",
    )

    def __init__(self, subscriber_id: str, zone: str, limits: FanoutLimits, wake: Callable[[], None]) -> None:
        """Start empty; `wake` is called whenever there is something for the writer to take."""
        self.subscriber_id = subscriber_id
        self.zone = zone
        self.number = -1
        """By which the rows know it; kept by the audience."""
        self.leaving: deque[tuple[float, int, Left]] = deque()
        """Channels that it left: until when they are still delivered, and the stamp; kept by the audience."""
        self.ring_fingerprint: int | None = None
        """Of the ring that it goes by, as it last said."""
        self.tracker = AckTracker()
        self.is_open = True
        self.ending: ParleyError | None = None
        """Why it was cut off; None for an end in peace."""
        self.transients_dropped = 0
        self._limits = limits
        self._wake = wake
        self._pending: deque[bytes] = deque()
        self._transient: deque[bytes] = deque()
        self._controls: deque[tuple[int, bytes | channel_pb2.AttachResponse]] = deque()
        self._bytes = 0
        self._transient_bytes = 0
        self._taken = 0

    @property
    def depth(self) -> int:
        """Events pending."""
        return len(self._pending) + len(self._transient)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is pending and nothing is owed."""
        return not self._pending and not self._controls and self.tracker.unacked_batches == 0

    def has_room_for(self, events: Sequence[bytes]) -> bool:
        """Return whether a replay fits into half of the mailbox, so that live events still have theirs."""
        size = self._bytes + sum(map(len, events))
        return self.depth + len(events) <= self._limits.mailbox_events_max // 2 and (
            size <= self._limits.mailbox_bytes_max // 2
        )

    def put(self, event: bytes) -> bool:
        """Enqueue a persisted event; False when there is no room. A closed attachment takes it and forgets it."""
        if not self.is_open:
            return True
        size = self._bytes + len(event)
        limits, pending = self._limits, self._pending
        if size > limits.mailbox_bytes_max or len(pending) + len(self._transient) >= limits.mailbox_events_max:
            self._forget_transients()
            size = self._bytes + len(event)
            if size > self._limits.mailbox_bytes_max or len(self._pending) >= self._limits.mailbox_events_max:
                return False
        self._bytes = size
        pending.append(event)
        self.tracker.enqueued += 1
        return True

    def put_transient(self, event: bytes) -> bool:
        """Enqueue a transient event; False when it was dropped because the mailbox is above half."""
        if not self.is_open:
            return True
        if (
            self._bytes + len(event) > self._limits.mailbox_bytes_max // 2
            or self.depth >= self._limits.mailbox_events_max // 2
        ):
            self.transients_dropped += 1
            return False
        self._bytes += len(event)
        self._transient_bytes += len(event)
        self._transient.append(event)
        return True

    def put_control(self, frame: bytes | channel_pb2.AttachResponse) -> bool:
        """Enqueue a frame that is no batch, to be sent after all events enqueued before it; False at CONTROLS_MAX."""
        if len(self._controls) >= CONTROLS_MAX:
            return False
        self._controls.append((self.tracker.enqueued, frame))
        self._wake()
        return True

    def wake(self) -> None:
        """Tell the writer that something is pending; once a turn is enough."""
        self._wake()

    def take(self, now: float) -> bytes | channel_pb2.AttachResponse | None:
        """Return the next frame to send: a control frame whose turn it is, or a batch of what is pending, or nothing.

        None as well while `unacked_batches_max` batches await their acknowledgement.
        """
        events_max = self._limits.batch_events_max
        if self._controls:
            place, frame = self._controls[0]
            if place == self._taken:
                self._controls.popleft()
                return frame
            events_max = min(events_max, place - self._taken)
        if not (self._pending or self._transient) or self.tracker.unacked_batches >= self._limits.unacked_batches_max:
            return None
        events = self._take_transients()
        persisted = self._take_persisted(events_max)
        number = self.tracker.sent(self._taken, now)
        return encode_batch(number, [*events, *persisted])

    def close(self, why: ParleyError | None = None) -> None:
        """Take nothing more, release all who wait for it, and let the writer end after what is pending (`why` None)."""
        if self.is_open:
            self.is_open = False
            self.ending = why
            if why is not None:
                self._pending.clear()
                self._controls.clear()
                self._forget_transients()
                self._bytes = 0
            self.tracker.abandon()
            self._wake()

    def _take_persisted(self, events_max: int) -> list[bytes]:
        taken: list[bytes] = []
        size = 0
        for event in islice(self._pending, events_max):
            taken.append(event)
            size += len(event)
            if size >= self._limits.batch_bytes_max:
                break
        for _ in taken:
            self._pending.popleft()
        self._bytes -= size
        self._taken += len(taken)
        return taken

    def _take_transients(self) -> list[bytes]:
        """All of them: a typing notice that waits is worth nothing."""
        taken = list(self._transient)
        self._bytes -= self._transient_bytes
        self._transient_bytes = 0
        self._transient.clear()
        return taken

    def _forget_transients(self) -> None:
        self.transients_dropped += len(self._transient)
        self._take_transients()
