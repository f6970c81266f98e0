"""Frames: the bytes that every client's parser must take."""

import orjson
import pytest

from svc.gateway import frames
from svc.gateway.close_codes import CloseCode, may_come_back


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_text_frame_has_the_shortest_length_form(size: int, head: bytes) -> None:
    """RFC 6455 §5.2 demands it; one frame, never fragmented, never masked."""
    payload = b"x" * size
    assert frames.text_frame(payload) == head + payload


def test_a_close_reason_is_cut_between_characters() -> None:
    """A control frame has at most 125 bytes and its reason is UTF-8."""
    frame = frames.close_frame(4000, "ä" * 100)
    assert len(frame) <= 127
    assert frame[2:4] == (4000).to_bytes(2)
    assert frame[4:].decode() == "ä" * 61


@pytest.mark.parametrize(("code", "back"), [(1001, True), (4000, True), (4100, False), (1003, False), (1009, False)])
def test_close_codes_say_whether_to_come_back(code: int, back: bool) -> None:
    """By their ranges, so that clients need no list."""
    assert may_come_back(CloseCode(code)) is back


def test_presence_is_told_singly_or_in_batches() -> None:
    """By what the client said it understands."""
    states = [("U1", True), ("U2", False), ("U3", True)]
    single = [orjson.loads(frame[2:]) for frame in frames.presence(states, in_batches=False)]
    assert single[1] == {"type": "presence_change", "user": "U2", "presence": "away"}
    assert len(single) == 3
    batched = [orjson.loads(frame[2:]) for frame in frames.presence(states, in_batches=True)]
    assert batched == [
        {"type": "presence_change", "users": ["U1", "U3"], "presence": "active"},
        {"type": "presence_change", "users": ["U2"], "presence": "away"},
    ]
