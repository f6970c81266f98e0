"""Sorted records in one run of memory hold what a sorted set would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from svc.edge.models.records import Records

PAIRS = st.tuples(st.binary(min_size=3, max_size=3), st.integers(0, 3) | st.integers(0, (1 << 64) - 1))


@given(loaded=st.sets(PAIRS), changes=st.lists(st.tuples(st.booleans(), PAIRS)), prefix=st.binary(max_size=3))
def test_records_are_what_a_sorted_set_is(
    loaded: set[tuple[bytes, int]], changes: list[tuple[bool, tuple[bytes, int]]], prefix: bytes
) -> None:
    """After any load and any changes, however often repeated."""
    records, truth = Records(3), set(loaded)
    for key, number in loaded:
        records.append(key, number)
    for adds, pair in [*changes, *changes[:3]]:
        (records.insert if adds else records.remove)(*pair)
        (truth.add if adds else truth.discard)(pair)
    assert len(records) == len(truth)
    if prefix:
        assert list(records.from_prefix(prefix)) == sorted(pair for pair in truth if pair[0].startswith(prefix))
