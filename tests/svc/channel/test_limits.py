"""What happens at each limit of the table."""

from __future__ import annotations

import pytest

from svc.channel.config import FanoutLimits, PublishLimits, TailLimits
from svc.kit.errors import ResourceExhaustedError
from tests.svc.channel.world import ME, World, event, owned_by


def test_the_least_recently_used_channel_loses_its_tail_when_tails_hold_too_many_bytes() -> None:
    """The budget holds, the busy channel keeps its tail, and the other one has nothing to replay."""
    world = World(tail=TailLimits(tail_bytes_max=3_000))
    for offset in range(1, 11):
        world.publish(event("CBUSY", offset, payload=b"x" * 100))
        world.publish(event(f"CONCE{offset}", 1, payload=b"x" * 400))
        assert world.table.states.tail_bytes <= 3_000
    world.attach("g1")
    world.subscribe("g1", ("CBUSY", 1), ("CONCE1", 0), ("CONCE10", 0))
    (*_, last) = world.frames("g1")
    assert [(each.channel_id, each.head_offset) for each in last.subscribed.unproven] == [("CONCE1", 1)]


def test_a_channel_at_rest_knows_its_head_its_duplicates_and_what_is_missing() -> None:
    """Only the tail goes: who has everything is told so, and what comes is judged as if nothing had happened."""
    world = World(tail=TailLimits(active_max=1))
    world.publish(*(event("C1", offset) for offset in (5, 6, 7)))
    world.publish(event("C2", 1))
    assert len(world.table.states) == 1
    world.attach("g1")
    world.subscribe("g1", ("C1", 7))
    (answer,) = world.frames("g1")
    assert not answer.subscribed.unproven
    world.publish(event("C1", 6), event("C1", 9), event("C1", 8), event("C1", 4))
    assert world.events("g1") == [("C1", 8), ("C1", 9), ("C1", 4)]
    assert world.table.counts.duplicates == 1


def test_what_rests_is_void_when_its_slot_was_elsewhere() -> None:
    """Another owner may have taken more."""
    world = World(ME, tail=TailLimits(active_max=1))
    world.move(ME, "other")
    (lost,) = owned_by("other", world.ring)
    world.move(ME)
    world.publish(event(lost, 1))
    world.publish(event("C2", 1))
    world.move(ME, "other")
    world.move(ME)
    world.attach("g1")
    world.subscribe("g1", (lost, 1))
    (answer,) = world.frames("g1")
    assert [(each.channel_id, each.head_offset) for each in answer.subscribed.unproven] == [(lost, 0)]


def test_a_channel_at_rest_that_was_not_vouched_for_is_not_when_it_goes_on() -> None:
    """It began with an event that may have been a late one; only a young one changes that."""
    world = World(tail=TailLimits(active_max=1))
    world.publish(event("C1", 1, commit_unix_us=1))
    world.publish(event("C2", 1))
    world.attach("g1")
    world.subscribe("g1", ("C1", 1))
    assert [each.head_offset for each in world.frames("g1")[-1].subscribed.unproven] == [1]
    world.publish(event("C1", 2, commit_unix_us=1))
    world.subscribe("g1", ("C1", 2))
    assert [each.head_offset for each in world.frames("g1")[-1].subscribed.unproven] == [2]
    world.publish(event("C1", 3))
    world.subscribe("g1", ("C1", 3))
    assert not world.frames("g1")[-1].subscribed.unproven


def test_heads_of_only_so_many_channels_are_remembered() -> None:
    """An old channel's state goes; its next event begins a new one."""
    world = World(tail=TailLimits(channels_max=2, active_max=1))
    for channel in ("C1", "C2", "C3", "C4"):
        world.publish(event(channel, 1))
    assert len(world.table.states) == 1
    assert len(world.table.rows) == 2
    world.following("g1", "C1")
    world.publish(event("C1", 2))
    assert world.events("g1") == [("C1", 2)]


def test_a_channel_that_was_forgotten_vouches_for_nothing_that_came_before() -> None:
    """A late event begins its state anew, below others that were delivered: who subscribes then has to read the log."""
    world = World(tail=TailLimits(channels_max=2, active_max=1))
    world.pass_time(10)
    now_us = round(world.now * 1_000_000)
    world.publish(*(event("C1", offset, commit_unix_us=now_us) for offset in (2, 3)))
    world.publish(event("C2", 1, commit_unix_us=now_us))
    world.publish(event("C3", 1, commit_unix_us=now_us))
    world.publish(event("C1", 1, commit_unix_us=now_us))
    world.attach("g1")
    world.subscribe("g1", ("C1", 1))
    (answer,) = world.frames("g1")
    assert [each.channel_id for each in answer.subscribed.unproven] == ["C1"]
    world.publish(event("C1", 2))
    world.subscribe("g1", ("C1", 1))
    assert not world.frames("g1")[-1].subscribed.unproven


def test_publishes_beyond_the_bytes_in_flight_are_refused_as_overload() -> None:
    """The bytes count until the answer, and come back with it."""
    world = World(publish=PublishLimits(in_flight_bytes_max=1024 * 1024))
    world.following("g1", "C1")
    big = b"x" * 400_000
    answer = world.publish(*(event("C1", offset, payload=big) for offset in range(1, 5)))
    world.events("g1")
    world.ack_all("g1")
    assert answer.refusals == {3: "OVERLOADED"}
    assert world.publish(event("C1", 4, payload=big)).refusals is None
    assert world.events("g1") == [("C1", 4)]


def test_malformed_events_are_refused_for_good_and_the_others_taken() -> None:
    """No channel, an id that is none, a payload beyond the contract."""
    world = World()
    answer = world.publish(
        event("", 1), event("C1", 1), event("C" * 65, 1), event("C1", 2, payload=b"x" * (512 * 1024 + 1))
    )
    assert answer.refusals == {0: "INVALID", 2: "INVALID", 3: "INVALID"}


def test_attachments_and_subscriptions_are_limited() -> None:
    """One attachment too many raises; one channel too many is refused in the answer."""
    world = World(fanout=FanoutLimits(attachments_max=1, subscriptions_max=2))
    world.attach("g1")
    with pytest.raises(ResourceExhaustedError):
        world.attach("g2")
    world.subscribe("g1", ("C1", 0), ("C2", 0), ("C3", 0), ("C1", 0))
    (answer,) = world.frames("g1")
    assert list(answer.subscribed.refused_channel_ids) == ["C3"]


def test_a_replay_that_would_fill_the_mailbox_is_left_to_the_log() -> None:
    """A subscriber that comes back with many channels must not be cut off by its own replay."""
    world = World(fanout=FanoutLimits(mailbox_events_max=8))
    world.publish(*(event("C1", offset) for offset in range(1, 8)))
    world.attach("g1")
    world.subscribe("g1", ("C1", 1))
    (answer,) = world.frames("g1")
    assert [each.head_offset for each in answer.subscribed.unproven] == [7]


def test_a_lost_slot_is_refused_and_the_others_stay_as_they_are() -> None:
    """A ring move voids the state of the moved channels and of no other."""
    world = World(ME)
    world.move(ME, "other")
    (kept,) = owned_by(ME, world.ring)
    (lost,) = owned_by("other", world.ring)
    world.move(ME)
    world.publish(event(kept, 1), event(lost, 1))
    world.move(ME, "other")
    assert world.publish(event(kept, 2), event(lost, 2)).refusals == {1: "NOT_OWNER"}
    world.attach("g1")
    world.subscribe("g1", (kept, 1), (lost, 1))
    (batch, answer) = world.frames("g1")
    assert [each.offset for each in batch.batch.events] == [2]
    assert list(answer.subscribed.refused_channel_ids) == [lost]
    assert not answer.subscribed.unproven


def test_idle_channels_cost_no_state_of_their_own() -> None:
    """Following a channel makes a row, which goes with the last who follows it."""
    world = World()
    attachment = world.attach("g1")
    world.subscribe("g1", *((f"C{number}", 0) for number in range(1000)))
    assert len(world.table.rows) == 1000
    assert len(world.table.states) == 0
    assert world.table.audience.followers("C7") == (attachment,)
    world.table.audience.detach(attachment)
    assert len(world.table.rows) == 0


def test_a_channel_too_many_is_refused_while_all_others_are_followed() -> None:
    """What nobody follows makes room; what is followed never does."""
    world = World(tail=TailLimits(channels_max=2, active_max=1))
    world.publish(event("C1", 1))
    world.publish(event("C2", 1))
    world.following("g1", "C3")
    world.subscribe("g1", ("C4", 0), ("C5", 0))
    (answer,) = world.frames("g1")
    assert list(answer.subscribed.refused_channel_ids)[-1] == "C5"
    assert world.publish(event("C3", 1)).refusals is None, "which is the followed one, and has its follower still"


def test_the_last_frames_of_one_that_is_gone_change_nothing() -> None:
    """Its number may be another's by then."""
    world = World()
    gone = world.attach("g1")
    world.table.audience.detach(gone, None)
    other = world.attach("g2")
    assert other.number == gone.number
    world.subscribe("g2", ("C2", 0))
    world.subscribe("g1", ("C1", 0))
    world.unsubscribe("g1", "C2")
    world.pass_time(FanoutLimits().linger_s + 1.0)
    world.publish(event("C1", 1), event("C2", 1))
    assert world.events("g2") == [("C2", 1)]
