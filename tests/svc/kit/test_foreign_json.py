"""What is read from outside can be written again."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.kit.foreign_json import NESTING_MAX, read_json


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_deeper_than_can_be_written_is_not_read(opening: str, closing: str) -> None:
    """At the bound it is read; one level more is an error like any other."""

    def nested(depth: int) -> str:
        return opening * depth + "[]" + closing * depth

    assert orjson.dumps([[read_json(nested(NESTING_MAX - 1))]])
    for text in nested(NESTING_MAX), nested(2_000):
        with pytest.raises(orjson.JSONDecodeError):
            read_json(text)
        with pytest.raises(orjson.JSONDecodeError):
            read_json(text.encode())


def test_many_lists_beside_each_other_are_not_deep() -> None:
    """Only what is within each other counts, and brackets in words do not."""
    assert len(read_json("[" + ",".join(["[{}]"] * 1_000) + "]")) == 1_000
    assert read_json(orjson.dumps({"text": "[" * 1_000})) == {"text": "[" * 1_000}


@given(st.recursive(st.none() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=30))
def test_everything_else_is_read_as_it_is(value: object) -> None:
    """As orjson does."""
    assert read_json(orjson.dumps(value)) == value
