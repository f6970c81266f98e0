"""When a node counts as dead, by table: no sockets, no waiting."""

from __future__ import annotations

from random import Random

import pytest

from svc.webapp.cache.memcached.health import Health, NodeLimits, NodeState

LIMITS = NodeLimits(failures_max=3, probe_base_s=0.02, probe_cap_s=1.0)

# What happens to a node that is alive, and whether it still is then. (sent, now): a deadline missed, in milliseconds.
STORIES: list[tuple[str, list[tuple[int, int] | str], NodeState]] = [
    ("two deadlines in a row", [(0, 50), (50, 100)], NodeState.ALIVE),
    ("three in a row", [(0, 50), (50, 100), (100, 150)], NodeState.TKO),
    ("three side by side are one", [(0, 50), (10, 60), (49, 99)], NodeState.ALIVE),
    ("a hundred in one stall are one", [(ms, ms + 50) for ms in range(50)], NodeState.ALIVE),
    ("side by side without end", [(ms, ms + 50) for ms in range(150)], NodeState.TKO),
    ("an answer in between", [(0, 50), (50, 100), "answered", (100, 150), (150, 200)], NodeState.ALIVE),
    ("three after an answer", [(0, 50), "answered", (50, 100), (100, 150), (150, 200)], NodeState.TKO),
    ("no connection any more", ["lost"], NodeState.TKO),
    ("back again", ["lost", "revived"], NodeState.ALIVE),
    ("back, and missed twice", [(0, 50), (50, 100), (100, 150), "revived", (150, 200), (200, 250)], NodeState.ALIVE),
]


@pytest.mark.parametrize(("name", "story", "ends"), STORIES, ids=[name for name, _, _ in STORIES])
def test_a_node_is_dead_after_deadlines_in_a_row_and_at_once_without_a_connection(
    name: str, story: list[tuple[int, int] | str], ends: NodeState
) -> None:
    """In a row means one after the other: what was sent before a deadline had passed shares its fate."""
    health = Health(LIMITS, Random(1))
    health.revived()
    for event in story:
        if isinstance(event, str):
            getattr(health, event)()
        else:
            is_dead = health.missed(event[0] / 1e3, event[1] / 1e3)
            assert is_dead == (health.state is NodeState.TKO), name
    assert health.state is ends


def test_a_node_that_was_never_reached_is_connecting_until_the_first_attempt_failed() -> None:
    """Nobody asks it in either state."""
    health = Health(LIMITS, Random(1))
    states = [health.state]
    health.lost()
    states.append(health.state)
    assert states == [NodeState.CONNECTING, NodeState.TKO]


def test_probes_become_rare_until_requests_are_answered_in_time() -> None:
    """A node that passes probes, and then is too slow for requests, is not asked again and again."""
    health = Health(LIMITS, Random(1))
    for tries in range(12):
        ceiling_s = min(1.0, 0.02 * 2**tries)
        assert 0.1 * ceiling_s <= health.next_probe_s() <= ceiling_s
        health.answered()
        health.revived()
        health.lost()
    health.revived()
    health.answered()
    health.lost()
    assert health.next_probe_s() <= 0.02
