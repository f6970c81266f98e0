"""Fan-out under whatever happens to sockets: each client reads what was pushed to it, in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.svc.gateway.fanout.owners import BYTES_MAX, TWINS, Owner, Schedule, owners

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(0, 3), st.integers(1, 900)),
        st.tuples(st.just("all"), st.integers(0, 3), st.integers(1, 900)),
        st.tuples(st.just("flush"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("read"), st.integers(0, 3), st.integers(1, 5_000)),
        st.tuples(st.just("room"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("leave"), st.integers(0, 3), st.just(0)),
    ),
    max_size=60,
)


@pytest.mark.parametrize("twin", TWINS)
@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_each_client_reads_what_was_pushed(twin: Any, steps: list[tuple[str, int, int]]) -> None:
    """In order, with tiny socket buffers, partial writes, readers that pause, owners that are cut off or leave."""
    out = twin.Lines(Schedule(), BYTES_MAX)
    with owners(twin, 4, buffer=2_048) as them:
        pushed = [b"", b"", b"", b""]
        for number, (step, who, amount) in enumerate(steps):
            if step in ("push", "all"):
                frame = (b"%d:%d " % (number, who)).ljust(amount, b".")
                for i in _push(out, them, who, frame, is_for_all=step == "all"):
                    pushed[i] += frame
            else:
                _happen(out, them[who], step, amount)
            assert all(pushed[i].startswith(them[i].received) for i in range(4))
        _drain(out, them)
        assert all(each.read() == pushed[i] for i, each in enumerate(them) if each.line.is_open)


def _push(out: Any, them: list[Owner], who: int, frame: bytes, *, is_for_all: bool) -> list[int]:
    """Push to one or to the others; return those who must receive it."""
    targets = [i for i in range(4) if (i != who if is_for_all else i == who) and them[i].line.is_open]
    if is_for_all:
        assert out.push_all(them, frame, them[who]) == len(targets)
    else:
        out.push(them[who].line, frame)
    return targets


def _happen(out: Any, owner: Owner, step: str, amount: int) -> None:
    if step == "flush":
        out.flush(amount)
    elif step == "read":
        owner.read(amount)
    elif step == "room":
        owner.write_what_waits()
    else:
        owner.line.ended()


def _drain(out: Any, them: list[Owner]) -> None:
    for _ in range(200):
        for each in them:
            each.read()
            each.write_what_waits()
            out.wake(each.line)
        out.flush(0)
