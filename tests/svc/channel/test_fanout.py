"""Mailboxes, batches and acknowledgements of one subscriber, in the small."""

from __future__ import annotations

import pytest

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.config import FanoutLimits
from svc.channel.fanout import AckTracker, Attachment, Ticket
from svc.channel.wire import encode_batch, encode_event
from svc.kit.errors import InvalidArgumentError
from tests.svc.channel.world import event


def attachment(**limits: int | float) -> Attachment:
    """An attachment with small limits."""
    return Attachment("g1", "az1", FanoutLimits(**limits), lambda: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16_383, 16_384, 300_000])
def test_a_joined_batch_is_what_protobuf_would_have_encoded(size: int) -> None:
    """The bytes put together by hand equal protobuf's own, around every length of the length."""
    events = [event("C1", 1, payload=b"x" * size), event("C2", 300, payload=b"y" * size)]
    expected = channel_pb2.AttachResponse(batch=channel_pb2.Batch(batch_number=70_000, events=events))
    assert encode_batch(70_000, [encode_event(each) for each in events]) == expected.SerializeToString(
        deterministic=True
    )


def test_a_batch_takes_what_is_pending_up_to_its_limits() -> None:
    """One batch when it fits; by events and by bytes otherwise, one event at least."""
    mailbox = attachment(batch_events_max=3, batch_bytes_max=1024)
    for size in (10, 10, 10, 10, 2000, 2000):
        assert mailbox.put(b"x" * size)
    sizes = []
    while (frame := mailbox.take(0.0)) is not None:
        assert isinstance(frame, bytes)
        sizes.append(len(frame))
    assert [round(size, -2) for size in sizes] == [0, 2000, 2000]
    assert mailbox.is_quiet is False
    assert mailbox.depth == 0


def test_transient_events_go_first_and_are_dropped_first() -> None:
    """Above half of the mailbox they are refused; when a persisted event needs the room, they are forgotten."""
    mailbox = attachment(mailbox_events_max=4)
    assert mailbox.put(b"message")
    assert mailbox.put_transient(encode_event(event("C1", 0)))
    assert not mailbox.put_transient(b"typing")
    assert [mailbox.put(b"message") for _ in range(4)] == [True, True, True, False]
    assert mailbox.transients_dropped == 2
    assert mailbox.depth == 4


def test_a_writer_waits_while_too_many_batches_are_unacknowledged() -> None:
    """The window of batches is what bounds the bytes on the wire."""
    mailbox = attachment(unacked_batches_max=2, batch_events_max=1)
    for _ in range(3):
        mailbox.put(b"x")
    assert mailbox.take(0.0)
    assert mailbox.take(0.0)
    assert mailbox.take(0.0) is None
    mailbox.tracker.ack(1, 0.0)
    assert mailbox.take(0.0)


def test_a_control_frame_keeps_its_place_among_the_events() -> None:
    """An answer to a subscribe comes after the replay and before what is newer."""
    mailbox = attachment()
    control = channel_pb2.AttachResponse(draining=channel_pb2.Draining(server_id="s"))
    mailbox.put(b"before")
    mailbox.put_control(control)
    mailbox.put(b"after")
    frames = [mailbox.take(0.0) for _ in range(4)]
    assert frames == [encode_batch(1, [b"before"]), control, encode_batch(2, [b"after"]), None]


def test_a_ticket_settles_once_and_only_once() -> None:
    """Giving up and late releases, in any order, make one answer."""
    settled: list[Ticket] = []
    ticket = Ticket(1, 0.0, settled.append)
    ticket.wait()
    ticket.release()
    assert settled == []
    ticket.give_up(channel_pb2.REFUSAL_REASON_ACK_TIMEOUT, 2)
    ticket.wait()
    ticket.release()
    ticket.release()
    assert settled == [ticket]
    assert set(ticket.refusals) == {0, 1}


def test_silence_counts_from_the_last_progress() -> None:
    """Nothing owed: no silence. Owed: since it was, or since the last acknowledgement that helped."""
    tracker = AckTracker()
    assert tracker.silent_s(50.0) == 0
    tracker.enqueued = 2
    tracker.sent(1, 10.0)
    tracker.sent(2, 11.0)
    assert tracker.silent_s(12.0) == 2.0
    tracker.ack(1, 12.0)
    tracker.ack(1, 13.0)
    assert tracker.silent_s(14.0) == 2.0
    tracker.ack(2, 14.0)
    assert tracker.silent_s(99.0) == 0


def test_an_acknowledgement_of_the_future_is_refused() -> None:
    """It would make publishes look safe that nobody has."""
    with pytest.raises(InvalidArgumentError):
        AckTracker().ack(1, 0.0)
