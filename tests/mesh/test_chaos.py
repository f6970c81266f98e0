"""The promise, kept while processes die: a short run of what `parley chaos` does for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.chaos.run import Options, run
from ops.chaos.scenarios import SCENARIOS

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(400)]  # a minute; busy machines have taken two

SECONDS = 30.0
WRONGS = ("lost", "duplicated", "reordered", "unexplained_gaps", "leaked", "invented", "diverged")


async def test_half_a_minute_of_random_deaths_loses_doubles_and_reorders_nothing(tmp_path: Path) -> None:
    """kill -9 of instances of any tier, under load, judged from outside; the run says what happened when it fails."""
    said: list[str] = []
    report = await run(SCENARIOS["kill-any"], Options(seed=20, duration_s=SECONDS, keep=tmp_path), said.append)
    figures = report.as_json()
    story = "\n".join((*said, *map(str, figures["violations"])))
    assert report.is_clean, story
    assert {key: figures[key] for key in WRONGS} == {
        "lost": 0,
        "duplicated": 0,
        "reordered": 0,
        "unexplained_gaps": 0,
        "leaked": 0,
        "invented": 0,
        "diverged": 0,
    }
    assert figures["faults"] >= 5, story
    assert figures["posts_acked"] >= SECONDS * 20, story
    assert figures["changes_acked"] >= SECONDS, story
    assert min(figures["scheduled_acked"], figures["app_heard"]) >= SECONDS / 3, story
    assert figures["delivered"] == figures["expected"] > figures["posts_acked"]
    assert all(count > 0 for count in figures["streams"].values()), "every kind of reader must have taken part"
