"""memcached's meta protocol, without sockets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.wire import Answer, Parser, ProtocolViolation

STREAM = b"VA 5 c7 t30\r\na\r\nbc\r\nEN\r\nVA 0 c8 W\r\n\r\nVA 0 c8 Z\r\n\r\nHD\r\nEX\r\nMN\r\n"
ANSWERS = [
    Answer(b"VA", b"a\r\nbc", 7),
    Answer(b"EN"),
    Answer(b"VA", b"", 8, won=True),
    Answer(b"VA", b"", 8, lost=True),
    Answer(b"HD"),
    Answer(b"EX"),
    Answer(b"MN"),
]


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_answers_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    """Values may hold line ends, and arrive in any pieces."""
    parser, found = Parser(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        found += parser.feed(STREAM[start:end])
    assert found == ANSWERS


@pytest.mark.parametrize(
    "stream", [b"ERROR\r\n", b"VA x\r\n", b"VA 1 c\r\na\r\n", b"VA 1\r\nabc\r\n", b"VA 9999999\r\n"]
)
def test_a_stream_out_of_step_is_noticed(stream: bytes) -> None:
    """Answers must never be taken for those of other questions."""
    with pytest.raises(ProtocolViolation):
        Parser().feed(stream)


@pytest.mark.parametrize(
    ("key", "good"),
    [("m1:C1:U1", True), ("", False), ("a b", False), ("a\r\nflush_all", False), ("é", False), ("x" * 251, False)],
)
def test_keys_that_would_break_the_protocol_are_known(key: str, good: bool) -> None:
    """Some parts of keys come from clients."""
    assert wire.is_key(key) is good


def test_requests_are_what_the_protocol_says() -> None:
    """One line each, but for the value."""
    assert wire.get("k", 10, 6) == b"mg k v c N10 R6\r\n"
    assert wire.store("k", b"abc", 60, 5) == b"ms k 3 T60 C5\r\nabc\r\n"
    assert (wire.delete("k"), wire.delete("k", 5)) == (b"md k\r\n", b"md k C5\r\n")
