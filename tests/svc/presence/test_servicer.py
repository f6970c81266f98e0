"""The presence service over real gRPC: lines of gateways that behave, misbehave, break, and are replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from parley.presence.v1 import presence_service_pb2 as pb
from svc.kit.errors import (
    DeadlineError,
    FailedPreconditionError,
    InvalidArgumentError,
    ParleyError,
    ResourceExhaustedError,
    UnavailableError,
    from_rpc_error,
)
from svc.presence.config import ReportLimits
from svc.presence.lines import Line
from tests.svc.presence.house import ALICE, BOB, CAROL, serving


async def test_a_change_reaches_the_gateway_that_watches() -> None:
    """The lease first, the state at once, then each change; GetPresence agrees."""
    async with serving() as house:
        watcher, reporter = house.gateway("gateway-a"), house.gateway("gateway-b")
        assert (await watcher.hello()).lease_ms == 400
        await watcher.watch(ALICE)
        assert await watcher.told() == {ALICE: False}
        await reporter.hello()
        await reporter.report(**{ALICE: 2, BOB: 1})
        assert await watcher.told() == {ALICE: True}
        alice, bob, carol = await house.present(ALICE, BOB, CAROL)
        assert (alice.presence, alice.connection_count, bob.connection_count) == (pb.PRESENCE_ACTIVE, 2, 1)
        assert alice.last_activity_unix_s > 1_700_000_000
        assert (carol.user_id, carol.presence, carol.last_activity_unix_s) == (CAROL, pb.PRESENCE_AWAY, 0)
        await reporter.report(**{ALICE: 0})
        await watcher.keep(0.1)
        assert await watcher.told() == {ALICE: False}


async def test_away_by_hand_and_idle_sessions_are_told_and_answered() -> None:
    """Who looks sees "away"; who asks also learns why, and when the user was there."""
    async with serving() as house:
        watcher, reporter = house.gateway("gateway-a"), house.gateway("gateway-b")
        await watcher.hello()
        await reporter.hello()
        await reporter.report(**{ALICE: 1, BOB: 1})
        await watcher.watch(ALICE, BOB)
        assert await watcher.told() == {ALICE: True, BOB: True}
        by_hand = pb.UserConnections(user_id=ALICE, count=1, is_away_by_hand=True, away_offset=3)
        idle = pb.UserConnections(user_id=BOB, count=1, idle_count=1)
        await reporter.send(connections=pb.Connections(users=[by_hand]))
        assert await watcher.told() == {ALICE: False}
        await reporter.send(connections=pb.Connections(users=[idle]))
        await watcher.keep(0.1)
        assert await watcher.told() == {BOB: False}
        alice, bob = await house.present(ALICE, BOB)
        assert (alice.presence, alice.connection_count, alice.is_away_by_hand) == (pb.PRESENCE_AWAY, 1, True)
        assert (bob.presence, bob.connection_count, bob.is_away_by_hand) == (pb.PRESENCE_AWAY, 1, False)
        assert bob.last_activity_unix_s > 1_700_000_000


async def test_a_broken_line_counts_until_the_lease_ends() -> None:
    """A gateway that dies is believed for a lease; those who look hear of it after that, once."""
    async with serving() as house:
        watcher, dying = house.gateway("gateway-a"), house.gateway("gateway-b")
        await dying.hello()
        await dying.report(**{ALICE: 1})
        await watcher.hello()
        await watcher.watch(ALICE)
        assert await watcher.told() == {ALICE: True}
        dying.call.cancel()
        await watcher.keep(0.2)
        (alice,) = await house.present(ALICE)
        assert alice.presence == pb.PRESENCE_ACTIVE
        await watcher.keep(0.6)
        assert await watcher.told() == {ALICE: False}


async def test_a_gateway_that_reattaches_flips_nobody() -> None:
    """The line breaks and comes back within the lease: no one who looks notices."""
    async with serving() as house:
        watcher, flaky = house.gateway("gateway-a"), house.gateway("gateway-b")
        await flaky.hello()
        await flaky.report(**{ALICE: 1})
        await watcher.hello()
        await watcher.watch(ALICE, BOB)
        assert await watcher.told() == {ALICE: True, BOB: False}
        flaky.call.cancel()
        again = house.gateway("gateway-b")
        await again.hello()
        await again.report(**{ALICE: 1, BOB: 1})
        assert await watcher.told() == {BOB: True}
        await asyncio.gather(watcher.keep(0.7), again.keep(0.7))
        (alice,) = await house.present(ALICE)
        assert (alice.presence, alice.connection_count) == (pb.PRESENCE_ACTIVE, 1)


async def test_a_second_line_of_a_gateway_replaces_the_first() -> None:
    """The older stream is ended and what it says counts no more; the newer one is told things."""
    async with serving() as house:
        first, second = house.gateway("gateway-a"), house.gateway("gateway-a")
        await first.hello()
        await first.watch(ALICE)
        await first.told()
        await second.hello()
        assert isinstance(await first.failure(), UnavailableError)
        await second.watch(BOB)
        assert await second.told() == {BOB: False}
        await second.report(**{BOB: 1})
        assert await second.told() == {BOB: True}


async def test_what_a_replaced_line_still_says_is_not_heard() -> None:
    """A frame already on its way when the newer line opened must not mix with what that one says."""
    async with serving() as house, asyncio.TaskGroup() as readers:
        house.servicer.board.hello("gateway-a", asyncio.get_running_loop().time())
        line = Line("gateway-a")

        async def late() -> AsyncIterator[pb.ReportRequest]:
            line.end(UnavailableError("a newer line of the same gateway took over"))
            yield pb.ReportRequest(connections=pb.Connections(users=[pb.UserConnections(user_id=ALICE, count=1)]))

        readers.create_task(house.servicer._read(late(), line))
        await asyncio.sleep(0)
        (alice,) = await house.present(ALICE)
        assert alice.connection_count == 0


async def test_a_silent_gateway_is_cut_off() -> None:
    """A line that is open and says nothing for a lease ends, so that the gateway says hello and everything again."""
    async with serving() as house:
        silent = house.gateway("gateway-a")
        await silent.hello()
        await silent.report(**{ALICE: 1})
        assert isinstance(await silent.failure(), DeadlineError)
        (alice,) = await house.present(ALICE)
        assert alice.connection_count == 0


@pytest.mark.parametrize(
    ("frame", "subject"),
    [
        ({"hello": pb.Hello(gateway_id="again")}, "frame"),
        ({}, "frame"),
        ({"connections": pb.Connections(users=[pb.UserConnections(user_id="nobody", count=1)])}, "connections.users"),
        (
            {"connections": pb.Connections(users=[pb.UserConnections(user_id=ALICE, count=4_000_000_000)])},
            "connections.users.count",
        ),
        (
            {"connections": pb.Connections(users=[pb.UserConnections(user_id=ALICE, count=1, idle_count=2)])},
            "connections.users.idle_count",
        ),
        (
            {"connections": pb.Connections(users=[pb.UserConnections(user_id=ALICE, count=1)] * 4097)},
            "connections.users",
        ),
        ({"watch": pb.Watch(added_user_ids=[ALICE] * 4097)}, "watch.added_user_ids"),
        ({"watch": pb.Watch(removed_user_ids=["C0000000001"])}, "watch.removed_user_ids"),
    ],
    ids=[
        "second hello",
        "empty frame",
        "not a user",
        "count too large",
        "more idle than there are",
        "too many users",
        "too many added",
        "a channel",
    ],
)
async def test_a_malformed_frame_ends_the_line_and_says_why(frame: dict[str, Any], subject: str) -> None:
    """The detail names what is wrong; nobody else's line notices."""
    async with serving() as house:
        good, bad = house.gateway("gateway-a"), house.gateway("gateway-b")
        await good.hello()
        await bad.hello()
        await bad.send(**frame)
        error = await bad.failure()
        assert isinstance(error, InvalidArgumentError)
        assert error.subject == subject
        await good.watch(ALICE)
        assert await good.told() == {ALICE: False}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (pb.ReportRequest(heartbeat=pb.Heartbeat()), InvalidArgumentError),
        (pb.ReportRequest(hello=pb.Hello(gateway_id="")), InvalidArgumentError),
        (pb.ReportRequest(hello=pb.Hello(gateway_id="g" * 201)), InvalidArgumentError),
        (None, DeadlineError),
    ],
    ids=["not a hello", "no id", "too long an id", "nothing"],
)
async def test_a_line_begins_with_a_hello(first: pb.ReportRequest | None, expected: type[ParleyError]) -> None:
    """Anything else is refused, and so is saying nothing."""
    async with serving() as house:
        line = house.gateway("gateway-a")
        if first is not None:
            await line.call.write(first)
        assert isinstance(await line.failure(), expected)


async def test_too_many_gateways_are_refused_and_too_many_interests_left_out() -> None:
    """A gateway whose clients look at too many keeps its line, and the others are told of."""
    async with serving() as house:
        lines = [house.gateway(f"gateway-{number}") for number in range(4)]
        for line in lines[:3]:
            await line.hello()
        await lines[3].send(hello=pb.Hello(gateway_id="gateway-3"))
        refused = await lines[3].failure()
        assert isinstance(refused, ResourceExhaustedError)
        assert refused.limit == 3
        await lines[0].watch(*(f"U000000001{number}" for number in range(4)))
        assert len(await lines[0].told()) == 3
        assert (house.servicer.board.watched_count, house.servicer.board.left_out_count) == (3, 1)


async def test_a_large_change_comes_in_bounded_frames() -> None:
    """What does not fit into one frame follows in the next."""
    users = [f"U00000000{number:02}" for number in range(25)]
    async with serving(report=ReportLimits(watched_max=100, batch_s=0.0, batch_users=10)) as house:
        line = house.gateway("gateway-a")
        await line.hello()
        await line.watch(*users)
        frames = [await line.told() for _ in range(3)]
        assert [len(frame) for frame in frames] == [10, 10, 5]
        assert sorted(user for frame in frames for user in frame) == users


async def test_more_than_500_users_or_a_wrong_id_in_a_query_are_refused() -> None:
    """The limit of the contract, with its numbers."""
    async with serving() as house:
        assert len(await house.present(*[ALICE] * 500)) == 500
        for users in ([ALICE] * 501, ["general"]):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await house.present(*users)
            assert isinstance(from_rpc_error(refused.value), InvalidArgumentError)


async def test_when_the_ring_moves_a_user_is_told_of_by_its_new_owner_alone() -> None:
    """Not owned: away to who asks, silence to who watches; owned again and reported again: the truth."""
    async with serving() as house:
        line = house.gateway("gateway-a")
        await line.hello()
        await line.watch(ALICE)
        await line.told()
        await line.report(**{ALICE: 1})
        assert await line.told() == {ALICE: True}
        house.servicer.ring_changed(lambda user_id: user_id != ALICE)
        (alice,) = await house.present(ALICE)
        assert (alice.presence, alice.connection_count) == (pb.PRESENCE_AWAY, 0)
        await line.report(**{ALICE: 1, BOB: 1})
        await line.watch(BOB)
        assert await line.told() == {BOB: True}
        house.servicer.ring_changed(lambda _: True)
        assert await line.told() == {ALICE: True}


async def test_drain_ends_the_lines_with_ok_and_takes_no_more() -> None:
    """Gateways see an orderly end, so they look at the ring at once instead of backing off."""
    async with serving() as house:
        line = house.gateway("gateway-a")
        await line.hello()
        house.servicer.drain()
        assert await line.call.read() is grpc.aio.EOF
        assert await line.call.code() is grpc.StatusCode.OK
        late = house.gateway("gateway-b")
        await late.send(hello=pb.Hello(gateway_id="gateway-b"))
        assert isinstance(await late.failure(), UnavailableError)


async def test_a_heartbeat_after_the_lease_needs_a_hello() -> None:
    """The board refuses what comes from a gateway that it has given up."""
    async with serving(report=ReportLimits(tick_s=5.0)) as house:
        line = house.gateway("gateway-a")
        await line.hello()
        house.servicer.board.tick(asyncio.get_running_loop().time() + 3600)
        await line.send(heartbeat=pb.Heartbeat())
        assert isinstance(await line.failure(), FailedPreconditionError)
