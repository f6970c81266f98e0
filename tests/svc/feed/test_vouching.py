"""For which channels a feed vouches: with a partition, a fence, a hole, and a dead owner."""

from __future__ import annotations

import asyncio

import pytest

from discovery.ring import Member, Ring
from svc.feed.feed import Feed, Subscriber
from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.kit.ids import id_from_number
from tests.svc.feed.twins import CHANNELS, A, B, TwinMesh, until


async def test_a_level_feed_vouches_for_what_it_follows_and_for_nothing_else(mesh: TwinMesh) -> None:
    """Everything that was fanned out has been handed on before a pong says so."""
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    posted_at = mesh.clock.now()
    await until(lambda: all(mesh.feed.vouches(each, mesh.clock.now() - posted_at) for each in CHANNELS))
    assert all(mesh.got[each] == [1] for each in CHANNELS)
    assert not mesh.feed.vouches(id_from_number("C", 1), 100.0)


async def test_silence_ends_the_vouching_and_a_word_brings_it_back(mesh: TwinMesh) -> None:
    """A partition breaks nothing that could be seen but the answers."""
    await mesh.level()
    mesh.servers[A].answers_pings = False
    mine = [channel_id for channel_id in CHANNELS if mesh.ring.owner(channel_id) == A]
    await until(lambda: not any(mesh.feed.vouches(each, 0.05) for each in mine))
    others = [channel_id for channel_id in CHANNELS if channel_id not in mine]
    await until(lambda: all(mesh.feed.vouches(each, 0.2) for each in others))
    mesh.servers[A].answers_pings = True
    await mesh.level()


@pytest.mark.parametrize("fault", ["fenced", "another ring"])
async def test_a_server_that_others_may_have_left_behind_proves_nothing(mesh: TwinMesh, fault: str) -> None:
    """It answers, but what it does not take is not known here."""
    await mesh.level()
    mesh.servers[A].is_taking = fault != "fenced"
    mesh.servers[A].fingerprint = 7 if fault == "another ring" else None
    mine = [channel_id for channel_id in CHANNELS if mesh.ring.owner(channel_id) == A]
    await until(lambda: not any(mesh.feed.vouches(each, 0.05) for each in mine))


async def test_a_channel_is_not_vouched_for_while_anything_of_it_is_missing(mesh: TwinMesh) -> None:
    """A hole, or a beginning that the log was not asked about yet."""
    await mesh.level()
    mesh.failures = [UnavailableError("away")]
    mesh.post(CHANNELS[0], is_published=False)
    mesh.post(CHANNELS[0])
    await until(lambda: not mesh.feed.vouches(CHANNELS[0], 100.0))
    await mesh.complete()
    assert mesh.feed.vouches(CHANNELS[0], 100.0)


async def test_a_new_owner_is_vouched_for_once_the_log_agrees(mesh: TwinMesh) -> None:
    """What the dead owner took and nobody passed on is in the log; until it is read, nothing is vouched for."""
    await mesh.level()
    mesh.servers[A].kill()
    for channel_id in CHANNELS:
        mesh.post(channel_id, is_published=False)
    mesh.failures = [UnavailableError("away")]
    mesh.move(B)
    moved = [channel_id for channel_id in CHANNELS if Ring([Member(A), Member(B)]).owner(channel_id) == A]
    assert not any(mesh.feed.vouches(each, 100.0) for each in moved)
    async with asyncio.timeout(5):
        while not all(mesh.feed.vouches(each, 1.0) for each in moved):
            for channel_id in moved:
                assert mesh.got.get(channel_id) == [1] or not mesh.feed.vouches(channel_id, 1.0)
            await asyncio.sleep(0.002)


async def test_without_pings_a_feed_vouches_for_nothing_and_says_nothing() -> None:
    """A gateway does not ask: nothing is sent for it."""
    quiet = TwinMesh()
    quiet.feed = Feed(Subscriber("gateway", "az1"), quiet.connect, quiet, SystemClock())
    async with quiet.feed.running(quiet):
        quiet.move(A)
        quiet.follow(CHANNELS[:1])
        await quiet.settled()
        await asyncio.sleep(0.05)
        assert not quiet.feed.vouches(CHANNELS[0], 100.0)
    assert quiet.servers[A].pings == 0
