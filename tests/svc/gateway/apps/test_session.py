"""What an app's client may say."""

from __future__ import annotations

import pytest

from svc.gateway.apps.session import ENVELOPE_ID_CHARS_MAX, FRAMES_BURST, REFUSALS_MAX, AppAck, AppSession
from svc.gateway.frames import pong_frame
from svc.gateway.session import Close, Send


@pytest.mark.parametrize(
    ("frame", "ack"),
    [
        (b'{"envelope_id":"e1"}', AppAck("e1", b"")),
        (b'{"envelope_id":"e1","payload":{}}', AppAck("e1", b"")),
        (b'{"envelope_id":"e1","payload":{"text":"hi"}}', AppAck("e1", b'{"text":"hi"}')),
        (b'{"envelope_id":"e1","payload":"odd","more":1}', AppAck("e1", b"")),
    ],
)
def test_acknowledgements_are_taken_with_and_without_an_answer(frame: bytes, ack: AppAck) -> None:
    """An empty answer is none."""
    assert AppSession(0.0).text(frame, 1.0) == [ack]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[1]",
        b"7",
        b"{}",
        b'{"envelope_id":7}',
        b'{"envelope_id":""}',
        b'{"type":"ping","id":1}',
        b'{"envelope_id":"' + b"e" * (ENVELOPE_ID_CHARS_MAX + 1) + b'"}',
    ],
)
def test_what_means_nothing_is_passed_over(frame: bytes) -> None:
    """An app does not lose its connection over it."""
    session = AppSession(0.0)
    assert session.text(frame, 1.0) == []
    assert session.binary() == []


def test_pings_are_answered_byte_for_byte() -> None:
    """Clients time them by their payload."""
    assert AppSession(0.0).ping(b"sdk-ping-pong:1.5", 1.0) == [Send(pong_frame(b"sdk-ping-pong:1.5"))]


def test_only_a_flood_that_lasts_closes() -> None:
    """What is over the rate is passed over for long."""
    session = AppSession(0.0)
    actions = [action for _ in range(FRAMES_BURST + REFUSALS_MAX) for action in session.ping(b"x", 0.0)]
    assert len(actions) == FRAMES_BURST
    (action,) = session.text(b'{"envelope_id":"e"}', 0.0)
    assert isinstance(action, Close)
