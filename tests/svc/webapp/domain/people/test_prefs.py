"""What may be kept as preferences, and how it is shown."""

from __future__ import annotations

import orjson
import pytest

from svc.webapp.domain.people import prefs
from svc.webapp.domain.refusal import Refused


def refusal(change: dict[str, object], before: bytes = b"{}") -> str:
    """Return why a change is refused; "" when it is not."""
    try:
        prefs.check(change)
        prefs.changed(before, change)
    except Refused as refused:
        return refused.code
    return ""


def test_a_change_keeps_the_others_and_null_removes() -> None:
    """Values are whatever JSON holds."""
    after = prefs.changed(b'{"a":1,"b":[2]}', {"a": None, "c": {"d": "e"}})
    assert orjson.loads(after) == {"b": [2], "c": {"d": "e"}}
    assert prefs.changed(after, {"b": None, "c": None, "x": None}) == b"{}"


def test_what_is_over_a_limit_is_refused() -> None:
    """By name, by number in a call and in all, and by size as JSON."""
    assert refusal({}) == "no_prefs"
    assert refusal({"a b": 1}) == refusal({"": 1}) == refusal({"x" * 101: 1}) == refusal({"a\n": 1}) == "invalid_name"
    assert refusal({f"n{i}": 1 for i in range(101)}) == "too_many_prefs"
    full = orjson.dumps({f"n{i}": 1 for i in range(prefs.NAMES_MAX)})
    assert refusal({"one_more": 1}, full) == "too_many_prefs"
    assert prefs.changed(full, {"n0": 2}) != full
    assert refusal({"a": "x" * prefs.BYTES_MAX}) == "prefs_too_large"
    assert len(prefs.changed(b"{}", {"a": "x" * (prefs.BYTES_MAX - 8)})) == prefs.BYTES_MAX


def test_clients_find_what_they_read_without_looking() -> None:
    """Until it is set to something else."""
    assert prefs.shown(b"{}") == prefs.DEFAULTS
    assert prefs.shown(b'{"muted_channels":"C1"}')["muted_channels"] == "C1"


@pytest.mark.parametrize(
    ("value", "meant"), [("true", True), ("false", False), ("True", "True"), ('{"a":1}', '{"a":1}'), ("1", "1"), (1, 1)]
)
def test_text_stays_text_but_for_truth_values(value: object, meant: object) -> None:
    """A form has no other way to say them; JSON within a string is a string."""
    assert prefs.typed(value) is meant or prefs.typed(value) == meant
