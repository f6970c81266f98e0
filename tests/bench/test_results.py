"""What benchmarks found is kept one by one, and shown with what failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import all as every
from bench import plots, results

FOUND = {"bench": "ring", "date": "2026-01-02", "ok": True, "bars": {"n": 1}, "per_s": 1_234, "at": {"50%": [1, 2.5]}}


def outcomes(monkeypatch: pytest.MonkeyPatch, **by_name: tuple[dict[str, Any] | None, str]) -> None:
    """Let benchmarks find this, and nothing be drawn."""
    monkeypatch.setattr(every, "_one", lambda name, options: by_name[name])
    monkeypatch.setattr(plots, "ensure_matplotlib", lambda: None)
    monkeypatch.setattr(plots, "draw", lambda measured, folder: {})


def test_what_fails_does_not_lose_the_rest_nor_what_was_found_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    outcomes(monkeypatch, ring=(FOUND, ""), boot=(None, "no server"))
    told = every.run({"ring": "placement", "boot": "booting"}, {}, False, said.append, tmp_path)
    assert told == {"ring": True, "boot": "no server"}
    outcomes(monkeypatch, ring=(None, "not done"))
    assert every.run({"ring": "placement"}, {}, False, said.append, tmp_path) == {"ring": "not done"}
    entries = json.loads((tmp_path / "results.json").read_text())
    assert entries["ring"]["result"] == FOUND
    assert entries["ring"]["failure"] == "not done"
    assert entries["boot"]["failure"] == "no server"
    page = (tmp_path / "RESULTS.md").read_text()
    assert "The last run failed: not done" in page
    assert "| at.50% | 1, 2.5 |" in page
    assert any("boot (2 of 2)" in line for line in said)


def test_the_page_says_what_was_met_where_and_with_which_versions() -> None:
    entry = {
        "what": "placement",
        "date": "2026-01-02",
        "machine": "2 cores",
        "versions": {"Python": "3"},
        "failure": "",
    }
    page = results.markdown(
        {"ring": {**entry, "result": FOUND, "is_quick": True}, "boot": {**entry, "result": FOUND | {"ok": False}}},
        {"ring": "plots/ring.png"},
    )
    assert "| [ring](#ring) | placement | met | 2026-01-02, quick |" in page
    assert "| [boot](#boot) | placement | **missed** | 2026-01-02 |" in page
    assert '<img src="plots/ring.png" alt="ring"' in page
    assert "2 cores. Python 3." in page
    assert "| per_s | 1,234 |" in page


def test_what_has_the_same_figures_of_several_things_is_a_table() -> None:
    """Also where one of them has none, and says why; what is no table is told by its path."""
    servers = {
        "floor": {"per_s": 1_000, "rounds": 5},
        "parley": {"per_s": 2_000, "rounds": 5, "behind": 0.5},
        "nchan": {"failed": "not installed"},
    }
    result = FOUND | {"figures": {"1000": {"1": servers}}, "took_ms": {"p50": 1.5, "p99": 2.0}}
    page = results.markdown({"fanout": {"what": "", "date": "", "machine": "", "versions": {}, "result": result}}, {})
    assert "| figures.1000.1 | per_s | rounds | behind | failed |" in page
    assert "| parley | 2,000 | 5 | 0.5 |  |" in page
    assert "| nchan |  |  |  | not installed |" in page
    assert "| took_ms.p99 | 2.0 |" in page


def test_this_machine_and_its_parts_have_names() -> None:
    assert " cores of " in results.machine()
    assert {"Python", "grpcio", "uvloop"} <= results.versions().keys()
