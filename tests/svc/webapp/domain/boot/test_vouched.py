"""What a boot vouches for is what its client resumes from."""

from __future__ import annotations

from random import Random

import pytest

from svc.shapes.positions import decode
from svc.shapes.vouching import SHARED_REPLAY_MAX
from tests.svc.webapp.domain.boot.world import ME, TEAM, Kept, World


@pytest.mark.parametrize("seed", range(20))
def test_a_boot_vouches_for_what_its_client_resumes_from(seed: int) -> None:
    """For what it tells, always; for what the client had, if it is of the same conversations and nearly as new."""
    world = World(Random(seed)).fill()
    client = Kept().take(world.boot({}))
    assert world.vouched is not None
    assert world.vouched.covers(client.positions)
    for _ in range(8):
        had = dict(client.positions)
        for _ in range(world.rng.choice([0, 1, 20, 200])):
            world.step()
        client.take(world.boot(had))
        assert world.vouched is not None
        assert (world.vouched.own_head, world.vouched.is_away_by_hand) == (world.own_offset, world.is_away)
        assert world.vouched.covers(client.positions)
        missed = sum(client.positions.values()) - sum(had.values())
        is_same = had.keys() == client.positions.keys() == {TEAM, ME, *world.places}
        assert world.vouched.covers(had) == (is_same and missed <= SHARED_REPLAY_MAX)


def test_nothing_is_vouched_for_to_who_has_more_than_there_is() -> None:
    """It may have heard what the edge has yet to hear, or have made it up: the gateway asks."""
    world = World(Random(8)).fill()
    had = decode(world.boot({})["token"])
    for channel_id in (TEAM, ME, next(iter(world.places))):
        world.boot({**had, channel_id: had[channel_id] + 1})
        assert world.vouched is None
    world.boot({**had, "C0000000099": 1})
    assert world.vouched is not None
    assert not world.vouched.covers({**had, "C0000000099": 1})
