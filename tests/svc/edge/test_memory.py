"""A large workspace is small in memory, says so itself, and is not twice there while it is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODEL_BYTES_MAX = 40_000_000


def test_a_workspace_of_32_000_users_takes_40_mb_at_the_most() -> None:
    """Weighed by the system, in a process of its own; eviction relies on the estimate."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.svc.edge.weigh", "32000", "10000", "2000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    weighed = json.loads(done.stdout)
    assert weighed["rss_bytes"] <= MODEL_BYTES_MAX
    assert abs(weighed["estimated_bytes"] / weighed["rss_bytes"] - 1) <= 0.15
    assert weighed["peak_bytes"] <= 1.3 * weighed["rss_bytes"]
