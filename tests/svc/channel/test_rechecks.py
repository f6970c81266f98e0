"""Slots that come back: subscribers that stayed are told to compare with the log, each once at first and once later."""

from __future__ import annotations

from svc.channel.wire import POSITIONS_MAX
from tests.svc.channel.world import ME, World, event, owned_by


def unproven(world: World, name: str) -> list[str]:
    """Take a subscriber's frames; return the channels that are called unproven in them."""
    return [each.channel_id for frame in world.frames(name) for each in frame.subscribed.unproven]


def test_a_subscriber_that_never_heard_of_the_move_compares_with_the_log() -> None:
    """Another owner came and went, and took what this subscriber never asked it for."""
    world = World(ME)
    world.move(ME, "other")
    (lost,) = owned_by("other", world.ring)
    (kept,) = owned_by(ME, world.ring)
    world.move(ME)
    world.following("g1", lost, kept)
    world.pass_time(4.0)
    world.frames("g1")
    world.move(ME, "other")
    assert unproven(world, "g1") == []
    world.move(ME)
    assert unproven(world, "g1") == [lost]
    world.pass_time(2.5)
    assert unproven(world, "g1") == []
    world.pass_time(1.0)
    assert unproven(world, "g1") == [lost], "publishers that are behind have no other owner any more: once again"
    world.pass_time(10.0)
    assert unproven(world, "g1") == []


def test_a_subscriber_that_moved_along_is_told_nothing() -> None:
    """It left, and has asked again or will."""
    world = World(ME)
    world.move(ME, "other")
    (lost,) = owned_by("other", world.ring)
    world.move(ME)
    world.following("g1", lost)
    world.move(ME, "other")
    world.unsubscribe("g1", lost)
    world.move(ME)
    world.pass_time(5.0)
    assert unproven(world, "g1") == []


def test_a_subscription_at_a_new_owner_is_compared_once_more_when_publishers_have_settled() -> None:
    """Until then one that is behind may publish to an owner in between, of which the subscriber never heard."""
    world = World()
    world.following("g1", "C1", "C2")
    world.publish(event("C2", 1))
    world.frames("g1")
    world.ack_all("g1")
    world.pass_time(2.9)
    assert unproven(world, "g1") == []
    world.pass_time(0.2)
    assert unproven(world, "g1") == ["C1"], "what came to C2 was so young that nobody can have published elsewhere"
    world.pass_time(10.0)
    assert unproven(world, "g1") == []


def test_after_a_pause_every_subscription_is_unproven() -> None:
    """Nobody knows what happened meanwhile."""
    world = World()
    world.following("g1", "C1", "C2")
    world.following("g2", "C2")
    world.pass_time(3.0, step_s=3.0)
    assert sorted(unproven(world, "g1")) == ["C1", "C2"]
    assert unproven(world, "g2") == ["C2"]


def test_many_subscriptions_are_looked_at_bit_by_bit() -> None:
    """A server with millions of them goes on serving: so many at a tick, and all of them in the end."""
    world = World()
    channels = [f"C{number}" for number in range(4 * POSITIONS_MAX)]
    world.attach("g1")
    for start in range(0, len(channels), POSITIONS_MAX):
        world.subscribe("g1", *((each, 0) for each in channels[start : start + POSITIONS_MAX]))
    world.frames("g1")
    world.now += 3.0
    world.table.tick(world.now)
    assert len(unproven(world, "g1")) < 3 * POSITIONS_MAX
    world.pass_time(0.3)
    world.frames("g1")
    world.pass_time(4.0)
    assert sorted(unproven(world, "g1")) == sorted(channels)
