"""Resuming over real sockets: what a client that keeps positions is told, and what breaks nothing."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import orjson
import pytest

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.filler import ChannelLog
from svc.gateway import openings, resume
from svc.gateway.catching_up import PACE_BYTES, Appetite
from svc.shapes.vouching import Vouched, digest

A, B, D = "C0000000001", "C0000000002", "D0000000001"
ANN, BOB = "U0000000001", "U0000000002"
AWARE = ("resume_aware",)
RESUMES = ("resume_aware", "resume")


class Aware:
    """A client that keeps positions, and reads every frame."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def next(self) -> Any:
        frame = await self.socket.receive_json(timeout=5.0)
        return {**frame, "token": resume.decode(frame["token"])} if "token" in frame else frame

    async def some(self, count: int) -> list[Any]:
        return [await self.next() for _ in range(count)]

    async def texts(self, count: int) -> list[str]:
        return [frame["text"] for frame in await self.some(count)]


async def connect(
    house: Any, user: str, flags: tuple[str, ...], token: str | None = None, vouched: Vouched | None = None
) -> Aware:
    aware = Aware(await house.http.ws_connect(house.url(user, flags=flags, vouched=vouched)))
    assert (await aware.next())["type"] == "hello"
    if token is not None:
        await aware.socket.send_json({"type": "resume", "token": token})
    return aware


async def test_positions_come_before_any_event(house: Any) -> None:
    """Whatever is committed while the session opens is above them, and follows."""
    house.mesh.members[ANN] = [A]
    house.mesh.append(A)
    for number in range(20):
        ann = await connect(house, ANN, AWARE)
        house.mesh.append(A, text=str(number))
        start = {ANN: 0, A: number + 1}
        assert await ann.next() == {"type": "positions", "token": start, "complete": True}
        assert await ann.texts(1) == [str(number)]
        await ann.socket.close()


async def test_a_resumed_session_gets_what_it_missed_in_order_and_then_live_events(house: Any) -> None:
    """On a gateway that followed the channel for others, and on one that did not."""
    house.mesh.members = {ANN: [A, B], BOB: [A]}
    for channel in (A, B):
        for number in range(1, 301):
            house.mesh.append(channel, text=f"{channel} {number}")
    await house.connect(BOB)
    ann = await connect(house, ANN, RESUMES, resume.encode([(ANN, 0), (A, 20), (B, 250)]))
    assert await ann.next() == {"type": "resumed", "channels": 3}
    house.mesh.append(A, text=f"{A} 301")
    texts = await ann.texts(281 + 50)
    for channel, start, end in ((A, 21, 301), (B, 251, 300)):
        assert [text for text in texts if text.startswith(channel)] == [
            f"{channel} {number}" for number in range(start, end + 1)
        ]
    house.mesh.append(B, text="live")
    assert await ann.texts(1) == ["live"]
    assert (house.openings.resumed, house.openings.resume_failures) == (1, 0)


async def test_a_ticket_that_vouches_for_the_token_spares_the_question(house: Any) -> None:
    """What was missed comes, what is joined after the boot comes, and webapp is not even there."""
    house.mesh.members = {ANN: [A], BOB: [A]}
    for number in range(1, 11):
        house.mesh.append(A, text=str(number))
    had = {ANN: 0, A: 7}
    house.mesh.is_down = True
    ann = await connect(house, ANN, RESUMES, resume.encode(had.items()), Vouched(0, True, (digest({}), digest(had))))
    assert await ann.next() == {"type": "resumed", "channels": 2}
    house.mesh.is_down = False  # it has the log
    assert await ann.texts(3) == ["8", "9", "10"]
    joined = event_pb.SubscriptionChange(added=[event_pb.ChannelPosition(channel_id=B, offset=0)])
    house.mesh.append(ANN, kind=event_pb.EVENT_KIND_USER, subscription_change=joined, payload=b"")
    house.mesh.append(B, text="in B")
    texts = [frame["text"] for frame in await ann.some(3) if "text" in frame]
    assert texts == ["in B"]
    assert (house.mesh.asked, house.openings.vouched, house.openings.resumed) == (0, 1, 1)


async def test_another_token_than_was_vouched_for_is_looked_up(house: Any) -> None:
    """A foreign channel slipped into it opens nothing."""
    house.mesh.members[ANN] = [A]
    for channel in (A, D):
        house.mesh.append(channel)
    had = {ANN: 0, A: 1}
    vouched = Vouched(0, False, (digest(had),))
    ann = await connect(house, ANN, RESUMES, resume.encode([*had.items(), (D, 0)]), vouched)
    assert await ann.some(2) == [{"type": "resumed", "channels": 2}, {"type": "positions_dropped", "channels": [D]}]
    assert (house.mesh.asked, house.openings.vouched) == (1, 0)


async def test_channels_joined_and_left_while_away_start_and_end_where_they_should(house: Any) -> None:
    """Joined: from the join. Left: nothing. A foreign channel in the token: nothing."""
    house.mesh.members[ANN] = [A, B]
    for channel in (A, B, D):
        for number in range(1, 11):
            house.mesh.append(channel, text=f"{channel} {number}")
    joined = event_pb.SubscriptionChange(added=[event_pb.ChannelPosition(channel_id=B, offset=7)])
    house.mesh.append(ANN, kind=event_pb.EVENT_KIND_USER, subscription_change=joined)
    ann = await connect(house, ANN, RESUMES, resume.encode([(ANN, 0), (A, 10), (D, 2), ("C0000000009", 1)]))
    assert await ann.next() == {"type": "resumed", "channels": 2}
    assert await ann.next() == {"type": "positions_dropped", "channels": [D, "C0000000009"]}
    assert await ann.next() == {"type": "positions", "token": {B: 7}}
    assert (await ann.next())["position"] == f"{ANN}:1"
    assert await ann.texts(3) == [f"{B} {number}" for number in (8, 9, 10)]
    house.mesh.append(D, text="not for ann")
    house.mesh.append(A, text="for ann")
    assert await ann.texts(1) == ["for ann"]


async def test_the_token_of_another_user_opens_nothing(house: Any) -> None:
    """Membership decides; the session begins anew, and is told so."""
    house.mesh.members = {ANN: [A], BOB: [A, D]}
    for channel in (A, D):
        house.mesh.append(channel)
    ann = await connect(house, ANN, RESUMES, resume.encode([(BOB, 0), (A, 0), (D, 0)]))
    assert await ann.some(2) == [
        {"type": "resume_failed", "channels": [ANN, A]},
        {"type": "positions", "token": {ANN: 0, A: 1}, "complete": True},
    ]
    house.mesh.append(D, text="secret")
    house.mesh.append(A, text="open")
    assert await ann.texts(1) == ["open"]


@pytest.mark.parametrize("token", ["", "%%%", "A" * 200_000, 7, None, {"x": 1}])
async def test_a_malformed_token_begins_anew_and_harms_nothing(house: Any, token: Any) -> None:
    """Explicitly."""
    house.mesh.members[ANN] = [A]
    ann = await connect(house, ANN, RESUMES)
    await ann.socket.send_json({"type": "resume", "token": token})
    assert (await ann.next()) == {"type": "resume_failed", "channels": [ANN, A]}
    assert (await ann.next())["type"] == "positions"
    assert house.openings.resume_failures == 1


async def test_a_client_that_announces_a_token_and_sends_none_begins_anew(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while; a token that comes later is an error like any unknown frame."""
    monkeypatch.setattr(openings, "RESUME_WAIT_S", 0.05)
    house.mesh.members[ANN] = [A]
    ann = await connect(house, ANN, RESUMES)
    await ann.socket.send_json({"id": 1, "type": "ping"})
    assert [frame["type"] for frame in await ann.some(3)] == ["pong", "resume_failed", "positions"]
    await ann.socket.send_json({"id": 2, "type": "resume", "token": ""})
    assert (await ann.next())["error"]["code"] == 5


async def test_only_an_awaited_resume_frame_may_be_large(house: Any) -> None:
    """A quarter of a megabyte; a frame of another kind, or a second one, is held to the usual limits."""
    house.mesh.members[ANN] = [A]
    pad = "x" * 100_000
    ann = await connect(house, ANN, RESUMES)
    await ann.socket.send_json({"id": 1, "type": "ping", "pad": pad})
    assert (await ann.next())["error"]["msg"] == "msg_too_long"
    await ann.socket.send_json({"type": "resume", "token": resume.encode([(ANN, 0), (A, 0)]), "pad": pad})
    assert (await ann.next())["type"] == "resumed"
    await ann.socket.send_json({"type": "resume", "token": "", "pad": pad})
    assert (await ann.socket.receive(timeout=5)).data == 1009


async def test_a_client_that_leaves_before_it_sent_its_token_costs_nothing_more(house: Any) -> None:
    """The session is not opened at all."""
    house.mesh.members[ANN] = [A]
    ann = await connect(house, ANN, RESUMES)
    await ann.socket.close()
    async with asyncio.timeout(5):
        while len(house.connections):
            await asyncio.sleep(0.01)
    assert house.mesh.followed == {}


async def test_offsets_beyond_the_head_fail_their_channel_alone(house: Any) -> None:
    """The database was set back: what the client has is not what is there."""
    house.mesh.members[ANN] = [A, B]
    house.mesh.append(A)
    ann = await connect(house, ANN, RESUMES, resume.encode([(ANN, 0), (A, 9), (B, 0)]))
    assert await ann.some(3) == [
        {"type": "resumed", "channels": 2},
        {"type": "resume_failed", "channels": [A]},
        {"type": "positions", "token": {A: 1}},
    ]


async def test_a_log_that_does_not_reach_back_fails_its_channel_and_goes_on_live(house: Any) -> None:
    """Found when it is read."""
    house.mesh.members = {ANN: [A], BOB: [A]}
    for _ in range(300):
        house.mesh.append(A)
    read_log = house.mesh.read_log

    async def cut(after: Any, limit: int) -> list[ChannelLog]:
        logs = await read_log(after, limit)
        return [ChannelLog(log.channel_id, (), log.head, log.channel_id == A) for log in logs]

    house.mesh.read_log = cut
    await house.connect(BOB)
    ann = await connect(house, ANN, RESUMES, resume.encode([(ANN, 0), (A, 10)]))
    assert await ann.some(3) == [
        {"type": "resumed", "channels": 2},
        {"type": "resume_failed", "channels": [A]},
        {"type": "positions", "token": {A: 300}},
    ]
    house.mesh.append(A, text="live")
    assert await ann.texts(1) == ["live"]


async def test_a_long_absence_is_caught_up_as_fast_as_the_client_reads(open_house: Any) -> None:
    """Many times what may wait for a connection: it is not cut off by its own past, and nobody's memory grows."""
    house = await open_house(bytes_max=2 * PACE_BYTES)
    channels = [f"C{number:010d}" for number in range(40)]
    house.mesh.members[ANN] = channels
    text = "x" * 5_000
    for channel in channels:
        for _ in range(60):
            house.mesh.append(channel, text=text)
    house.mesh.append(A, payload=orjson.dumps({"type": "message", "text": "y" * 300_000}))
    ann = await connect(house, ANN, RESUMES, resume.encode([(ANN, 0), *((channel, 0) for channel in channels)]))
    connection = next(iter(house.connections))
    assert (await ann.next())["type"] == "resumed"
    highest = 0
    for _ in range(40 * 60 + 1):
        await ann.next()
        highest = max(highest, connection.unwritten_bytes)
    assert house.outbox.slow_consumers == 0
    assert highest <= 2 * PACE_BYTES


def test_reads_grow_while_they_are_small_and_shrink_when_they_are_large() -> None:
    """Within what a log read allows, and never below one event of one channel."""
    appetite, rng = Appetite(), Random(1)
    for _ in range(20):
        appetite.brought(100)
    assert (appetite.channels, appetite.events) == (64, 100)
    for _ in range(20):
        appetite.brought(PACE_BYTES + 1)
    assert (appetite.channels, appetite.events) == (1, 1)
    for _ in range(200):
        appetite.brought(rng.choice((0, PACE_BYTES + 1)))
        assert 1 <= appetite.channels <= 64
        assert 1 <= appetite.events <= 100


async def test_a_client_of_slack_s_kind_is_told_nothing_of_positions(house: Any) -> None:
    """Only a loss, in one form for all."""
    house.mesh.members[ANN] = [A]
    ann = await house.connect(ANN)
    house.mesh.append(A, payload=b"")
    house.mesh.append(A, text="hi")
    assert await ann.texts(1) == ["hi"]
    house.mesh.hub.lost(A, 9)
    assert await ann.json() == {"type": "resume_failed", "channels": [A]}
