"""All benchmarks, one after the other, each in a process of its own: what fails or hangs does not lose the rest.

Results are kept after each (`results`), so that a run that is cut short leaves what it had found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import plots, results
from ops.setup.binaries import ROOT
from ops.setup.console import SetupError

Say = Callable[[str], None]

LONGEST_S = 3_600.0
"""The longest takes a quarter of an hour on two cores."""
FOLDER = results.FOLDER
QUICK_FOLDER = ROOT / ".local" / "bench" / "quick"
"""What is found of sizes that are no figures: apart, so that it replaces none."""
MAIN = "from ops.cli.main import main; main()"


def run(
    names: Mapping[str, str],
    options: Mapping[str, Sequence[str]],
    is_quick: bool,
    say: Say,
    folder: Path = FOLDER,
) -> dict[str, Any]:
    """Run benchmarks and write what they found; return by name whether each met its bars, or what it failed with.

    `names`: what each measures. `options`: what each is told besides, where it is told anything.
    """
    where = results.machine()
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {}
    for number, (name, what) in enumerate(names.items(), 1):
        say(f"bench all: {name} ({number} of {len(names)})")
        began = time.monotonic()
        found, failure = _one(name, options.get(name, ()))
        entries = results.load(folder)
        entry = entries.get(name, {}) | {"what": what, "failure": failure}
        if found is not None:
            date = datetime.now(UTC).strftime("%Y-%m-%d")
            # Read when all is there: a benchmark fetches what it compares with when it is first run.
            entry |= {
                "date": date,
                "machine": where,
                "versions": results.versions(),
                "is_quick": is_quick,
                "result": found,
            }
        entries[name] = entry
        results.save(entries, folder)
        told[name] = failure or bool((found or {}).get("ok", True))
        say(f"bench all: {name} {failure or 'done'} after {time.monotonic() - began:.0f} s")
    show(say, folder)
    return told


def show(say: Say, folder: Path) -> None:
    """Write the page and the plots of what is kept; without plots, and said so, where they cannot be drawn."""
    entries = results.load(folder)
    measured = {name: entry["result"] for name, entry in entries.items() if entry.get("result") is not None}
    try:
        plots.ensure_matplotlib()
        plots.draw(measured, folder / "plots")
    except (SetupError, ImportError, KeyError) as error:
        say(f"bench all: no plots: {error}")
    results.save(entries, folder)


def _one(name: str, options: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
    """Run one benchmark; return its result, if it has one, and what it failed with, or ""."""
    argv = [sys.executable, "-c", MAIN, "bench", name, "--json", *options]
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return None, f"not done after {LONGEST_S:.0f} s"
    lines = done.stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return None, f"ended with code {done.returncode} and no result"
    if "error" in found:
        return None, str(found["error"])
    return found, ""
