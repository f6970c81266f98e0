"""The benchmark of the memcached client: not its numbers, but that it compares what it says."""

from __future__ import annotations

import pytest

from bench.cache import MODES, Pace, check_peers, measure
from ops.local.errors import LocalError


@pytest.mark.mesh
def test_every_client_is_measured_in_every_mode() -> None:
    """With as many keys a call for all of them, and never more in flight than ours has."""
    said: list[str] = []
    result = measure(said.append, Pace(rounds=1, round_s=0.03, trial_s=0.01))
    assert len(said) == len(MODES)
    for mode, (callers, batch) in MODES.items():
        assert set(result["modes"][mode]) == {"ours", "aiomcache", "pymemcache_threads"}
        for measured in result["modes"][mode].values():
            assert measured["gets_per_s"] > 0
            assert 0 < measured["p50_ms"] <= measured["p99_ms"]
            assert measured["keys_a_call"] == batch
            assert measured["callers"] <= callers
        assert result["ratio"][mode] > 0
    assert isinstance(result["ok"], bool)


def test_a_peer_that_is_not_installed_is_named() -> None:
    """With the command that installs it."""
    with pytest.raises(LocalError, match="aiomcache") as caught:
        check_peers(lambda name: name != "aiomcache")
    assert "requirements-dev.txt" in caught.value.hint
