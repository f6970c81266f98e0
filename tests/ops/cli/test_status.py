"""`parley status`: which tiers a mesh misses."""

from __future__ import annotations

import pytest

from ops.cli.status import missing_of


@pytest.mark.parametrize(
    ("without", "started", "missing"),
    [
        ([], ["webapp-az1-1"], []),
        (["edge"], [], ["edge"]),
        (["search"], [], []),
        (["search"], ["webapp-az1-1", "edge-az1-1"], []),
        (["search"], ["webapp-az1-1", "search-az1-1"], ["search"]),
        (["edge", "search"], ["webapp-az1-1"], ["edge"]),
    ],
)
def test_search_is_missed_only_where_it_was_started(without: list[str], started: list[str], missing: list[str]) -> None:
    """All other tiers always are."""
    assert missing_of(without, started) == missing
