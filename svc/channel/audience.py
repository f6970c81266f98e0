"""The audience: who is attached, who follows which channel, and how an event gets into their mailboxes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from svc.channel.config import FanoutLimits
from svc.channel.counts import Counts
from svc.channel.fanout import Attachment, Ticket
from svc.channel.subscriptions import Subscriptions
from svc.kit.errors import ParleyError, ResourceExhaustedError, UnavailableError


class Audience:
    """The attached subscribers, `attachments_max` at most, each with `subscriptions_max` channels."""

    def __init__(self, limits: FanoutLimits, counts: Counts) -> None:
        self.subscriptions = Subscriptions()
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
        self._attachments[attachment.subscriber_id] = attachment

    def detach(self, attachment: Attachment, why: ParleyError | None = None) -> None:
        """Forget a subscriber: whoever waits for its acknowledgement waits no longer. Idempotent."""
        if self._attachments.get(attachment.subscriber_id) is attachment:
            del self._attachments[attachment.subscriber_id]
        self.subscriptions.remove_all(attachment)
        attachment.close(why)

    def cut_off(self, attachment: Attachment, why: str, subject: str) -> None:
        """End a subscriber that cannot keep up: it comes back and asks for what it missed."""
        self._counts.cut_off += 1
        self.detach(attachment, ResourceExhaustedError(f"cut off: {why}; attach again", subject=subject))

    def follow(self, channel_id: str, attachment: Attachment) -> bool:
        """Let a subscriber follow a channel; False when it follows as many as it may."""
        if len(attachment.channels) >= self._limits.subscriptions_max and channel_id not in attachment.channels:
            return False
        self.subscriptions.add(channel_id, attachment)
        attachment.leaving.pop(channel_id, None)
        return True

    def leave(self, channel_ids: Iterable[str], attachment: Attachment, now: float) -> None:
        """Let a subscriber follow channels no longer, from `linger_s` on.

        It may be leaving because another server owns them now, which our publishers, or we, may learn a moment later.
        What is taken here until then must still reach it before it counts as delivered.
        """
        for channel_id in channel_ids:
            if channel_id in attachment.channels:
                attachment.leaving.setdefault(channel_id, now + self._limits.linger_s)

    def let_go(self, attachment: Attachment, now: float) -> None:
        """End the subscriptions whose linger is over; they are in the order of their times."""
        gone: list[str] = []
        for channel_id, until in attachment.leaving.items():
            if until > now:
                break
            gone.append(channel_id)
        for channel_id in gone:
            del attachment.leaving[channel_id]
        self.subscriptions.remove(gone, attachment)

    def tick(self, now: float) -> None:
        """End lingering subscriptions, and subscribers that acknowledge nothing."""
        timeout_s = self._limits.ack_timeout_s
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
