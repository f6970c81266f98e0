"""Ids as numbers: each has its own, and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.edge.models.numbers import id_of, number_of

IDS = st.from_regex(r"[A-Z][0-9A-Z]{8,10}", fullmatch=True)


@given(identifier=IDS)
def test_an_id_comes_back_from_its_number(identifier: str) -> None:
    """Letter and length too, so no two ids have one number."""
    number = number_of(identifier)
    assert number is not None
    assert number < 1 << 57
    assert id_of(number) == identifier


@pytest.mark.parametrize("text", ["", "U", "u0000000001", "U_000000001", " U000000001", "U٣٣٣٣٣٣٣٣٣", "U" * 12])
def test_a_text_that_is_no_id_has_no_number(text: str) -> None:
    """Though Python would read most of them as one."""
    assert number_of(text) is None
