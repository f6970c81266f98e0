"""The feed as a whole, against twins of the channel servers and the log: kills, moves and holes lose nothing."""

from __future__ import annotations

import grpc

from discovery.ring import Member, Ring
from parley.event.v1 import event_pb2 as event_pb
from svc.feed.plan import Cause
from svc.kit.errors import ResourceExhaustedError, UnavailableError
from tests.svc.feed.twins import CHANNELS, A, B, C, TwinMesh, until


async def test_events_are_delivered_and_their_batches_acknowledged(mesh: TwinMesh) -> None:
    """The acknowledgement follows the hand-over."""
    for channel_id in CHANNELS * 3:
        mesh.post(channel_id)
    await mesh.complete()
    for server in (mesh.servers[A], mesh.servers[B]):
        (stream,) = server.streams
        await until(lambda stream=stream: stream.acked == stream.batches)  # type: ignore[misc]


async def test_a_killed_server_s_channels_go_on_at_the_next_owner_and_nothing_is_lost(mesh: TwinMesh) -> None:
    """Some events reach the dead owner only, some nobody, some the new owner before we are there."""
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    await mesh.complete()
    moved = [channel_id for channel_id in CHANNELS if mesh.ring.owner(channel_id) == A]
    mesh.servers[A].kill()
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    mesh.ring = Ring([Member(B)])
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    mesh.move(B)
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    await mesh.settled()
    await mesh.complete()
    asked = mesh.feed.stats().asked
    assert (asked[Cause.NEW], asked[Cause.MOVED], asked[Cause.REATTACHED]) == (len(CHANNELS), len(moved), 0)
    assert mesh.suspected == [A]


async def test_a_joining_server_takes_its_share_without_a_gap_or_an_echo(mesh: TwinMesh) -> None:
    """Make before break; the old owner is left."""
    moved = {channel for channel in CHANNELS if Ring([Member(each) for each in (A, B, C)]).owner(channel) == C}
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    mesh.move(A, B, C)
    for channel_id in CHANNELS * 2:
        mesh.post(channel_id)
    await mesh.settled()
    await mesh.complete()
    assert mesh.feed.stats().asked[Cause.MOVED] == len(moved)
    old = [stream for each in (A, B) for stream in mesh.servers[each].streams]
    await until(lambda: all(moved.isdisjoint(stream.channels) for stream in old))


async def test_a_cut_off_line_comes_back_and_catches_up(mesh: TwinMesh) -> None:
    """The server forgot the attachment; its tail still has what was missed."""
    (stream,) = mesh.servers[A].streams
    mesh.servers[A].streams.clear()
    for channel_id in CHANNELS * 2:
        mesh.post(channel_id)
    stream.out.put_nowait(grpc.aio.EOF)
    await until(lambda: bool(mesh.servers[A].streams))
    await mesh.complete()
    assert mesh.feed.stats().asked[Cause.REATTACHED] > 0


async def test_a_hole_is_filled_from_the_log_even_if_webapp_was_away(mesh: TwinMesh) -> None:
    """The event that was never published arrives all the same, in its place."""
    mesh.failures = [UnavailableError("away")]
    mesh.post(CHANNELS[0], is_published=False)
    mesh.post(CHANNELS[0])
    assert CHANNELS[0] not in mesh.got
    await mesh.complete()
    assert mesh.feed.stats().events_filled == 2
    assert mesh.feed.stats().holes == 1


async def test_log_answers_that_are_too_large_are_asked_for_in_smaller_pieces(mesh: TwinMesh) -> None:
    """Large messages must not stop a fill for ever."""
    mesh.failures = [ResourceExhaustedError("too large"), ResourceExhaustedError("too large")]
    mesh.post(CHANNELS[0], is_published=False)
    mesh.post(CHANNELS[0])
    await mesh.complete()
    assert mesh.limits == [100, 50, 25]


async def test_what_the_log_lost_is_said(mesh: TwinMesh) -> None:
    """The consumer hears of it before the events above."""
    for _ in range(9):
        mesh.post(CHANNELS[0], is_published=False)
    mesh.truncated_before = 6
    mesh.post(CHANNELS[0])
    await until(lambda: mesh.got.get(CHANNELS[0]) == [7, 8, 9, 10])
    assert mesh.losses == [(CHANNELS[0], 6)]


async def test_refused_channels_are_asked_for_until_they_are_taken() -> None:
    """The server's ring may lag behind ours for a moment."""
    mesh = TwinMesh()
    mesh.servers[A].refusals = 100
    async with mesh.feed.running(mesh):
        mesh.move(A)
        mesh.follow(CHANNELS)
        await mesh.settled()
        for channel_id in CHANNELS:
            mesh.post(channel_id)
        await mesh.complete()
    assert mesh.feed.stats().asked[Cause.REFUSED] == 100


async def test_transient_events_go_to_the_owner_or_nowhere(mesh: TwinMesh) -> None:
    """Typing is dropped where its owner is not reached."""
    typing = event_pb.Event(channel_id=CHANNELS[0], kind=event_pb.EVENT_KIND_TYPING, payload=b"{}")
    mesh.feed.publish_transient(typing)
    owner = mesh.servers[mesh.ring.owner(CHANNELS[0])]
    (stream,) = owner.streams
    await until(lambda: stream.transients == [typing])
    mesh.servers[A].kill()
    mesh.servers[B].kill()
    mesh.feed.publish_transient(typing)
    assert stream.transients == [typing]


async def test_an_unfollowed_channel_is_left(mesh: TwinMesh) -> None:
    """Nothing of it is delivered any more."""
    mesh.feed.unfollow(CHANNELS[0])
    mesh.post(CHANNELS[0])
    owner = mesh.servers[mesh.ring.owner(CHANNELS[0])]
    (stream,) = owner.streams
    await until(lambda: CHANNELS[0] not in stream.channels)
    assert CHANNELS[0] not in mesh.got


async def test_an_empty_ring_changes_nothing(mesh: TwinMesh) -> None:
    """Better old owners than none."""
    mesh.feed.ring_changed(Ring(()))
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    await mesh.complete()


async def test_a_channel_that_is_rewound_is_delivered_again_from_there(mesh: TwinMesh) -> None:
    """For somebody who begins lower; nothing is missed by those who were there, with a ring that moves meanwhile."""
    for channel_id in CHANNELS * 5:
        mesh.post(channel_id)
    await mesh.complete()
    mesh.feed.follow(CHANNELS[0], 2)
    mesh.feed.rewind(CHANNELS[0], 2)
    mesh.post(CHANNELS[0])
    mesh.move(B)
    mesh.post(CHANNELS[0])
    await until(lambda: mesh.got[CHANNELS[0]] == [1, 2, 3, 4, 5, 3, 4, 5, 6, 7])
    assert mesh.feed.position(CHANNELS[0]) == 7
    mesh.feed.unfollow(CHANNELS[0])
    assert mesh.feed.position(CHANNELS[0]) == 7
    mesh.feed.unfollow(CHANNELS[0])
    assert mesh.feed.position(CHANNELS[0]) is None
