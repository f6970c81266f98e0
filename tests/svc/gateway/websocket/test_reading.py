"""Frames of clients, by the RFC's own examples, and everything that it forbids them."""

from __future__ import annotations

import pytest

from svc.gateway.websocket.reading import Broken, Frame, Kind, read_frame
from tests.svc.gateway.websocket.masking import masked, unmasked

MAX = 70_000


def test_the_example_of_the_rfc_is_read() -> None:
    """Section 5.7: a masked "Hello"."""
    frame = bytes((0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58))
    assert read_frame(frame, 0, MAX) == (Frame(Kind.TEXT, True, b"Hello"), len(frame))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126, 127, 65_535, 65_536, MAX])
def test_a_frame_of_any_size_is_read_where_it_stands(size: int) -> None:
    """Between others, and not before its last byte has come."""
    payload = bytes(each % 251 for each in range(size))
    frame = masked(0x02, payload)
    data = b"xyz" + frame + b"more"
    assert read_frame(data, 3, MAX) == (Frame(Kind.BINARY, False, payload), 3 + len(frame))
    cuts = {*range(min(20, len(frame))), len(frame) - 1}
    assert all(read_frame(bytearray(data[: 3 + cut]), 3, MAX) is None for cut in cuts)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(unmasked(0x81, b"hi"), 1002, id="without a mask"),
        pytest.param(masked(0xC1, b"hi"), 1002, id="compressed"),
        pytest.param(masked(0xA1, b"hi"), 1002, id="second reserved bit"),
        pytest.param(masked(0x91, b"hi"), 1002, id="third reserved bit"),
        pytest.param(masked(0x83, b"hi"), 1002, id="reserved kind"),
        pytest.param(masked(0x8B, b"hi"), 1002, id="reserved control kind"),
        pytest.param(masked(0x09, b"hi"), 1002, id="half a ping"),
        pytest.param(masked(0x89, b"x" * 126), 1002, id="long ping"),
        pytest.param(masked(0x81, b"x" * 125, width=2), 1002, id="length in too many bytes"),
        pytest.param(masked(0x81, b"x" * 65_535, width=8), 1002, id="length in far too many bytes"),
        pytest.param(bytes((0x81, 0xFF)) + b"\x80" + bytes(7), 1002, id="negative length"),
        pytest.param(masked(0x81, b"x" * (MAX + 1)), 1009, id="too big"),
        pytest.param(bytes((0x81, 0xFF)) + (1 << 40).to_bytes(8), 1009, id="too big, and told at once"),
        pytest.param(masked(0x88, b"\x03"), 1002, id="half a close code"),
        pytest.param(masked(0x88, (999).to_bytes(2)), 1002, id="close code below all"),
        pytest.param(masked(0x88, (1005).to_bytes(2)), 1002, id="close code that is never sent"),
        pytest.param(masked(0x88, (1006).to_bytes(2)), 1002, id="close code of who did not close"),
        pytest.param(masked(0x88, (2000).to_bytes(2)), 1002, id="close code of nobody"),
        pytest.param(masked(0x88, (5000).to_bytes(2)), 1002, id="close code above all"),
        pytest.param(masked(0x88, (1000).to_bytes(2) + b"\xff"), 1007, id="close reason that is no text"),
    ],
)
def test_what_is_forbidden_is_refused_with_its_code(frame: bytes, code: int) -> None:
    """As soon as it can be known."""
    with pytest.raises(Broken) as refused:
        read_frame(frame, 0, MAX)
    assert refused.value.code == code


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4321, 4999])
def test_a_close_may_have_these_codes(code: int) -> None:
    """And a reason, or neither."""
    assert read_frame(masked(0x88, code.to_bytes(2) + "tschüß".encode()), 0, MAX) is not None
    assert read_frame(masked(0x88, b""), 0, MAX) is not None
