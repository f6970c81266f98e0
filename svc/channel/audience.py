"""The audience: who is attached, who follows which channel, and how an event gets into their mailboxes. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from svc.channel.config import FanoutLimits
from svc.channel.counts import Counts
from svc.channel.fanout import Attachment, Ticket
from svc.channel.rows import STAMPS, Rows
from svc.kit.errors import ParleyError, ResourceExhaustedError, UnavailableError

SWEEP_ROWS = 65_536
"""Rows looked at in one go, in 5 ms; after a subscriber of millions of channels has gone, all in some seconds."""

LINGERS = STAMPS - 3
"""Parts of a linger: what is left in one part has one stamp, which comes again when all of it has long ended. So a
linger may last a part longer than it has to, and a million channels that are left need no time of their own each."""


class Audience:
    """The attached subscribers, `attachments_max` at most, each with `subscriptions_max` channels."""

    def __init__(self, limits: FanoutLimits, counts: Counts, rows: Rows[Attachment]) -> None:
        self._rows = rows
        self._limits = limits
        self._counts = counts
        self._attachments: dict[str, Attachment] = {}

    @property
    def attachments(self) -> Sequence[Attachment]:
        """The attached subscribers."""
        return tuple(self._attachments.values())

    def attach(self, attachment: Attachment) -> None:
        """Add a subscriber, ending an older attachment of the same id. Raises ResourceExhaustedError."""
        limit = self._limits.attachments_max
        older = self._attachments.get(attachment.subscriber_id)
        if older is not None:
            self.detach(older, UnavailableError("replaced by a newer attachment of the same subscriber"))
        elif len(self._attachments) >= limit:
            raise ResourceExhaustedError(
                f"{limit} subscribers are attached", subject="attachments_max", limit=limit, actual=limit + 1
            )
        try:
            attachment.number = self._rows.add(attachment)
        except IndexError:
            # So many have gone that not all of their numbers could be cleared away yet.
            while self._rows.sweep(SWEEP_ROWS):
                pass
            attachment.number = self._rows.add(attachment)
        self._attachments[attachment.subscriber_id] = attachment

    def detach(self, attachment: Attachment, why: ParleyError | None = None) -> None:
        """Forget a subscriber: whoever waits for its acknowledgement waits no longer. Idempotent."""
        if self._attachments.get(attachment.subscriber_id) is attachment:
            del self._attachments[attachment.subscriber_id]
            self._rows.drop(attachment.number)
            self._rows.sweep(SWEEP_ROWS)
            attachment.leaving.clear()
        attachment.close(why)

    def cut_off(self, attachment: Attachment, why: str, subject: str) -> None:
        """End a subscriber that cannot keep up: it comes back and asks for what it missed."""
        self._counts.cut_off += 1
        self.detach(attachment, ResourceExhaustedError(f"cut off: {why}; attach again", subject=subject))

    def followers(self, channel_id: str) -> tuple[Attachment, ...]:
        """Return the subscribers of a channel, in the order of their subscribing."""
        return self._rows.followers(channel_id)

    def follows_any(self, attachment: Attachment) -> bool:
        """Tell whether an attached subscriber follows a channel, or has not left it yet."""
        return self._rows.count(attachment.number) > 0

    def follow(self, data: bytes, attachment: Attachment, is_refused: bool) -> tuple[bytes, Sequence[tuple[str, int]]]:
        """Let a subscriber follow the channels of an encoded Subscribe, but for those beyond its limit.

        One that was detached follows nothing: its last frames may still be on their way, and its number is another's.
        """
        if not attachment.is_open:
            return b"", ()
        return self._rows.subscribe(data, attachment.number, self._limits.subscriptions_max, is_refused)

    def leave(self, data: bytes, attachment: Attachment, now: float) -> None:
        """Let a subscriber follow the channels of an encoded Unsubscribe no longer, from `linger_s` on.

        It may be leaving because another server owns them now, which our publishers, or we, may learn a moment later.
        What is taken here until then must still reach it before it counts as delivered.
        """
        if not attachment.is_open:
            return
        self.let_go(attachment, now)
        part_s = self._limits.linger_s / LINGERS
        part = math.floor(now / part_s) if part_s else 0
        stamp = part % STAMPS + 1
        left = self._rows.leave(data, attachment.number, stamp)
        if left:
            until = (part + 1) * part_s + self._limits.linger_s if part_s else now
            attachment.leaving.append((until, stamp, left))

    def let_go(self, attachment: Attachment, now: float) -> None:
        """End the subscriptions whose linger is over; they are in the order of their times."""
        while attachment.leaving and attachment.leaving[0][0] <= now:
            _, stamp, left = attachment.leaving.popleft()
            self._rows.let_go(left, attachment.number, stamp)

    def tick(self, now: float) -> None:
        """End lingering subscriptions, and subscribers that acknowledge nothing."""
        timeout_s = self._limits.ack_timeout_s
        self._rows.sweep(SWEEP_ROWS)
        for attachment in self.attachments:
            self.let_go(attachment, now)
            if attachment.tracker.silent_s(now) > timeout_s:
                self.cut_off(attachment, f"it acknowledged nothing for {timeout_s} s", "ack_timeout_s")

    def fan_out(self, events: Sequence[bytes], followers: Iterable[Attachment]) -> None:
        """Put persisted events into mailboxes; whose mailbox is full is cut off."""
        for attachment in followers:
            for event in events:
                if not attachment.put(event):
                    self.cut_off(attachment, "its mailbox is full", "mailbox_bytes_max")
                    break
            else:
                self._counts.deliveries += len(events)

    def fan_out_transient(self, event: bytes, followers: Iterable[Attachment]) -> None:
        """Put a transient event into the mailboxes that have room to spare."""
        for attachment in followers:
            self._counts.transients_dropped += not attachment.put_transient(event)

    def owe(self, ticket: Ticket, touched: Iterable[Attachment], now: float) -> None:
        """Let a publish batch wait until these have acknowledged all they were given so far, and let them write it."""
        for attachment in touched:
            if attachment.is_open:
                attachment.tracker.owe(ticket, now)
                attachment.wake()
