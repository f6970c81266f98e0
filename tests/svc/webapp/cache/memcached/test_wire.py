"""memcached's meta protocol, without sockets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.wire import Added, Answer, Batch, Parser, ProtocolViolation, Won
from svc.webapp.cache.routes.route import Found

NODE = "127.0.0.1:11211"
BIG = b"\r\n".join([b"x" * 1000] * 70)
"""Larger than what is read at once, and full of line ends."""


def found(value: bytes | None, ttl_s: int, load_ms: int, *, stale: bool = False, leased: bool = False) -> Found:
    """Return what the parser makes of an answer of NODE."""
    return Found(value, ttl_s, load_ms, stale, None, leased, NODE)


# (answer on the wire, what it means, whether it is special). As memcached 1.6.18 words them.
ANSWERS: list[tuple[bytes, Answer, bool]] = [
    (b"VA 5 t30 f2 c7 O1\r\na\r\nbc\r\n", found(b"a\r\nbc", 30, 2), False),
    (b"VA 0 t-1 f1 c7 O1\r\n\r\n", found(b"", -1, 1), False),
    (b"VA %d t30 f2 c7 O1\r\n%b\r\n" % (len(BIG), BIG), found(BIG, 30, 2), False),
    (b"EN O1\r\n", Found(node=NODE), True),
    (b"VA 0 t-1 f0 c8 O1 W\r\n\r\n", Won(found(None, -1, 0), b"8"), True),
    (b"VA 0 t30 f0 c8 O1 Z\r\n\r\n", found(None, 30, 0, leased=True), True),
    (b"VA 1 t2 f3 c18 O1 W\r\nx\r\n", Won(found(b"x", 2, 3), b"18"), True),
    (b"VA 1 t2 f3 c18 O1 Z\r\nx\r\n", found(b"x", 2, 3, leased=True), True),
    (b"VA 1 t9 f3 c18 O1 X W\r\nx\r\n", Won(found(b"x", 9, 3, stale=True), b"18"), True),
    (b"VA 1 t9 f3 c18 O1 Z X\r\nx\r\n", found(b"x", 9, 3, stale=True, leased=True), True),
    (b"VA 0 t9 f0 c18 O1 X W\r\n\r\n", Won(found(None, 9, 0), b"18"), True),
    (b"VA 16 c5 O1\r\n1763800000000010\r\n", Added(1763800000000010, b"5"), True),
    (b"HD O1\r\n", b"HD", True),
    (b"EX O1\r\n", b"EX", True),
    (b"MN\r\n", b"MN", True),
    (b"SERVER_ERROR object too large for cache\r\n", b"SERVER_ERROR", True),
]
STREAM = b"".join(answer for answer, _, _ in ANSWERS)


def parser(*batches: tuple[bytes, int]) -> Parser[Batch]:
    """Return one that expects batches, given as (number, count)."""
    made: Parser[Batch] = Parser(NODE)
    made.expected.extend(Batch(count, number) for number, count in batches)
    return made


@pytest.mark.parametrize(("stream", "meaning", "is_special"), ANSWERS, ids=lambda value: repr(value)[:30])
def test_an_answer_means_what_memcached_means(stream: bytes, meaning: Answer, is_special: bool) -> None:
    """What the wire says, byte for byte, was seen on a real node."""
    (batch,) = parser((b"O1", 1)).feed(stream)
    assert batch.answers == [meaning]
    assert batch.special == ([0] if is_special else [])


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_answers_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    """Values may hold line ends, and arrive in any pieces."""
    reading, complete = parser((b"O1", len(ANSWERS) - 2), (b"O1", 2)), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        complete += reading.feed(STREAM[start:end])
    assert [batch.count for batch in complete] == [len(ANSWERS) - 2, 2]
    assert [answer for batch in complete for answer in batch.answers] == [meaning for _, meaning, _ in ANSWERS]
    assert list(complete[0].special) == [i for i, (_, _, special) in enumerate(ANSWERS[:-2]) if special]
    assert not reading.expected


@pytest.mark.parametrize(
    "stream",
    [
        b"ERROR\r\n",
        b"CLIENT_ERROR bad data chunk\r\n",
        b"\r\n",
        b"VA x t1 f1 c1 O1\r\n",
        b"VA -3 t1 f1 c1 O1\r\n\r\n",
        b"VA 1 c\r\na\r\n",
        b"VA 1 t1 f1 c1 O1\r\nabc\r\n",
        b"VA 3 t1 f1 c1 O1\r\na\r\nVA\r\n",
        b"VA 9999999 t1 f1 c1 O1\r\n",
        b"VA 1 f1 t1 c1 O1\r\na\r\n",
        b"VA 0 t1 f0 cx O1 W\r\n\r\n",
        b"VA 1 t1 f1 c1 O2\r\na\r\n",
        b"VA 1 t1 f1 c1 O2 Z\r\na\r\n",
        b"VA 1 c5 O2\r\n7\r\n",
        b"VA 1 x5 O1\r\n7\r\n",
        b"VA 1 c5 O1\r\nx\r\n",
        b"HD O2\r\n",
        b"HD\r\n",
        b"EN O1\r\nEN O1\r\n",
        b"x" * 3000,
    ],
)
def test_a_stream_out_of_step_is_noticed(stream: bytes) -> None:
    """Answers must never be taken for those of other questions."""
    with pytest.raises(ProtocolViolation):
        parser((b"O1", 1)).feed(stream)


def test_an_answer_that_is_missing_is_noticed_before_its_batch_is_complete() -> None:
    """The next batch's first answer does not fill the gap."""
    reading = parser((b"O1", 1), (b"O2", 2), (b"O3", 2))
    with pytest.raises(ProtocolViolation):
        reading.feed(b"EN O1\r\nEN O2\r\nEN O3\r\nEN O3\r\n")
    assert [batch.number for batch in reading.expected] == [b"O1", b"O2", b"O3"]


def test_a_large_value_in_small_pieces_is_put_together_once() -> None:
    """Not searched anew with every piece: a mebibyte in 16 pieces took sixteen times as long."""
    value = b"v" * wire.VALUE_BYTES_MAX
    reading = parser((b"O1", 1))
    stream = b"VA %d t1 f1 c1 O1\r\n%b\r\n" % (len(value), value)
    for start in range(0, len(stream) - 1000, 1000):
        assert reading.feed(stream[start : start + 1000]) == []
    assert reading.waiting_for == len(stream) - start - 1000
    (batch,) = reading.feed(stream[start + 1000 :])
    assert batch.answers == [found(value, 1, 1)]


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("m1:C1:U1", True),
        ("", False),
        ("a b", False),
        ("a\r\nflush_all", False),
        ("é", False),
        ("a\x7f", False),
        ("a\t", False),
        ("x" * 250, True),
        ("x" * 251, False),
    ],
)
def test_keys_that_would_break_the_protocol_are_known(key: str, good: bool) -> None:
    """Some parts of keys come from clients."""
    assert wire.are_keys([key]) is good
    assert wire.are_keys(["good", key, "good"]) is good


def test_requests_are_what_the_protocol_says() -> None:
    """One line a key, but for the value."""
    assert wire.get(["k", "l"], b"O5", 10, 2) == b"mg k t f c v O5 N10 R2\r\nmg l t f c v O5 N10 R2\r\n"
    assert wire.get(["k"], b"O5", 0, 2) == b"mg k t f c v O5\r\n"
    assert wire.store("k", b"O5", b"abc", 60, 4, b"9") == b"ms k 3 T60 F4 C9 O5\r\nabc\r\n"
    assert wire.delete(["k", "l"], b"O5") == b"md k O5\r\nmd l O5\r\n"
    assert wire.delete(["k"], b"O5", 30) == b"md k O5 I T30\r\n"
    assert wire.delete_version("k", b"O5", b"9") == b"md k O5 C9\r\n"
    assert wire.stale_again("k", b"O5", b"9", 20) == b"md k O5 C9 I T20\r\n"
