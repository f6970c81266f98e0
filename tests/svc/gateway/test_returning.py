"""Coming back by a ticket of another gateway: who is welcome, what is followed, and that nobody was asked."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from discovery.view import Instance
from parley.event.v1 import event_pb2 as event_pb
from svc.gateway import resume
from svc.gateway.close_codes import CloseCode
from svc.gateway.return_tickets import MOVED_S, ReturnLimits, ReturnTickets
from svc.gateway.returning import Returned, starts_of
from svc.gateway.tickets import TicketGate
from svc.kit.clock import SystemClock
from svc.kit.tokens import Signer
from svc.shapes.ways import Way
from tests.svc.gateway.conftest import ME, until

A, B, X = "C0000000001", "C0000000002", "C0000000009"
ANN = "U0000000001"
TOKEN = b"1" * 16
MORE = {"tok": base64.urlsafe_b64encode(TOKEN).decode(), "way": Way("127.0.0.1", "", "localhost:8080").claim()}
OTHER = Instance("gateway-other", "gateway", "127.0.0.1:5000", "az1", meta={"ws_port": "8090"})
Frame = dict[str, Any]


def tickets(house: Any, *gateways: Instance, limits: ReturnLimits | None = None) -> ReturnTickets:
    """Let a gateway give out tickets."""
    desk = next(iter(house.connections))._wiring.desk
    made = desk.tickets = ReturnTickets(
        desk.hub,
        house.connections,
        house.signer,
        lambda: gateways,
        house.reports.interests.is_away,
        Instance(ME, "gateway", "", "az1"),
        limits or ReturnLimits(),
        SystemClock(),
        Random(1),
    )
    made._look_around()
    return made


async def told(socket: Any) -> Any:
    """Return the next object that is no ping, or the code of the Close."""
    while True:
        frame = await socket.receive(timeout=5.0)
        if frame.type.name == "TEXT":
            return frame.json()
        if frame.type.name == "CLOSE":
            return int(frame.data)
        assert frame.type.name == "PING", frame


async def until_type(socket: Any, kind: str) -> Frame:
    """Return the next frame of a kind."""
    while (frame := await told(socket))["type"] != kind:
        pass
    return dict(frame)


async def connected(house: Any) -> Any:
    """Return a socket of ann's that keeps positions, and follows what she is in."""
    socket = await house.http.ws_connect(house.url(ANN, ("resume_aware",), more=MORE), autoping=False)
    await until_type(socket, "positions")
    mine = max(house.connections, key=lambda each: each.number)
    await until(lambda: len(mine.channels) == 1 + len(house.mesh.members[ANN]))
    return socket


async def ticket_of(house: Any, socket: Any) -> Frame:
    """Return what the newest connection is sent to come back with."""
    giving = tickets(house, OTHER)
    mine = max(house.connections, key=lambda each: each.number)
    giving.begun(mine)
    giving.renew(mine)
    return await until_type(socket, "return")


async def gone(house: Any, socket: Any) -> None:
    """Let a connection end."""
    await socket.close()
    await until(lambda: not len(house.connections))


async def come_back(house: Any, said: Frame, had: Mapping[str, int], starts: str = "") -> Any:
    """Return a socket of a client that comes with a ticket, and with these positions."""
    socket = await house.http.ws_connect(f"http://127.0.0.1:{house.port}/ws/{said['ticket']}", autoping=False)
    assert (await told(socket))["type"] == "hello"
    token = resume.encode(list(had.items()))
    await socket.send_json({"type": "resume", "token": token, "starts": starts or said["starts"]})
    return socket


def change(house: Any, joined: Sequence[tuple[str, int]] = (), left: Sequence[str] = (), name: str = "") -> None:
    """Commit a change of what ann is in."""
    added = [event_pb.ChannelPosition(channel_id=channel_id, offset=offset) for channel_id, offset in joined]
    said = event_pb.SubscriptionChange(added=added, removed_channel_ids=left)
    house.mesh.append(ANN, kind=event_pb.EVENT_KIND_USER, subscription_change=said, text=name)


def revoke(house: Any) -> None:
    """Commit what webapp does when a token is revoked, be it that its user is deactivated."""
    house.mesh.revoked.add(TOKEN)
    revocation = event_pb.Revocation(token_prefixes=[TOKEN])
    house.mesh.append(ANN, kind=event_pb.EVENT_KIND_USER, payload=b"", revocation=revocation)


async def settled(house: Any, channels: int) -> None:
    """Wait until the one connection follows as many channels."""
    await until(lambda: [len(each.channels) for each in house.connections] == [channels])


async def test_who_comes_back_gets_what_was_missed_and_nobody_is_asked(house: Any) -> None:
    """The frame says where to go, as this client does, and for how long."""
    house.mesh.members[ANN] = [A]
    house.mesh.append(A, text="before")
    socket = await connected(house)
    said = await ticket_of(house, socket)
    assert said["gateways"] == [{"id": "gateway-other", "url": "ws://localhost:8090/ws/"}]
    assert said["expires_in"] == 300
    await gone(house, socket)
    house.mesh.append(A, text="missed")
    house.mesh.asked, house.mesh.is_down = 0, True
    back = await come_back(house, said, {ANN: 0, A: 1})
    assert await told(back) == {"type": "resumed", "channels": 2}
    assert (await told(back))["text"] == "missed"
    house.mesh.append(A, text="live")
    assert (await told(back))["text"] == "live"
    assert house.mesh.asked == 0
    assert house.openings.returned == 1


async def test_who_came_first_is_told_of_the_crowd_that_came_later(house: Any) -> None:
    """Told to come back among few, the first of a thousand would all come at once."""
    house.mesh.members |= {ANN: [A], "U0000000002": [A]}
    socket = await connected(house)
    giving = tickets(house, OTHER, limits=ReturnLimits(returns_per_s=1.0))
    mine = max(house.connections, key=lambda each: each.number)
    giving.begun(mine)
    giving.renew(mine)
    assert (await until_type(socket, "return"))["spread"] == 1.0
    other = await house.http.ws_connect(house.url("U0000000002"), autoping=False)
    await until(lambda: len(house.connections) == 2)
    now = SystemClock().now()
    giving.step(now + MOVED_S)
    given = giving.given
    giving._look_around()
    giving.step(now + MOVED_S)
    assert giving.given == given + 1, "much sooner than it would have been renewed"
    assert (await until_type(socket, "return"))["spread"] == 2.0
    giving._look_around()
    giving.step(now + 2 * MOVED_S)
    assert giving.given == given + 1, "once for each time that the crowd has grown by much"
    await socket.close()
    await other.close()


async def test_a_ticket_is_taken_once_by_each_gateway(house: Any) -> None:
    """And by one that did not give it out."""
    house.mesh.members[ANN] = [A]
    said = await ticket_of(house, await connected(house))
    now = SystemClock().wall_us() / 1e6
    for gateway in ("gateway-other", "gateway-third"):
        assert TicketGate(house.signer, gateway).admit(said["ticket"], now).user_id == ANN
    back = await come_back(house, said, {ANN: 0, A: 0})
    assert (await told(back))["type"] == "resumed"
    with pytest.raises(Exception, match="403"):
        await come_back(house, said, {ANN: 0, A: 0})


@pytest.mark.parametrize("what", ["forged", "expired", "other secret"])
async def test_what_is_no_ticket_of_ours_opens_nothing(house: Any, what: str) -> None:
    """Nor one that is too old."""
    house.mesh.members[ANN] = [A]
    said = await ticket_of(house, await connected(house))
    claims = house.signer.verify("ticket", said["ticket"], SystemClock().wall_us() / 1e6)
    signer = Signer("another secret, long enough") if what == "other secret" else house.signer
    then = SystemClock().wall_us() / 1e6 - (1_000 if what == "expired" else 0)
    made = signer.sign("ticket", claims, 300, then)
    if what == "forged":
        payload, _, signature = house.signer.sign("ticket", claims | {"user": "U0000000002"}, 300, then).partition(".")
        made = payload + "." + said["ticket"].partition(".")[2]
        assert signature != made.partition(".")[2]
    with pytest.raises(Exception, match="403"):
        await come_back(house, said | {"ticket": made}, {ANN: 0, A: 0})


async def test_starts_of_another_ticket_are_not_believed(house: Any) -> None:
    """Then webapp is asked, as for anybody; a channel that was smuggled in is not followed."""
    house.mesh.members[ANN] = [A]
    house.mesh.append(X, text="secret")
    socket = await connected(house)
    said = await ticket_of(house, socket)
    await gone(house, socket)
    house.mesh.asked = 0
    starts, _ = starts_of({ANN: 0, A: 0, X: 0})
    back = await come_back(house, said, {ANN: 0, A: 0, X: 0}, starts)
    assert (await told(back))["type"] == "resumed"
    await settled(house, 2)
    assert house.mesh.asked == 1
    assert house.openings.returned == 0


async def test_who_was_revoked_meanwhile_gets_a_word_and_nothing_else(house: Any) -> None:
    """The revocation stands in the user's own channel, which is read before anything else is told."""
    house.mesh.members[ANN] = [A]
    socket = await connected(house)
    said = await ticket_of(house, socket)
    await gone(house, socket)
    house.mesh.append(A, text="not for her")
    revoke(house)
    house.mesh.append(A, text="nor this")
    back = await come_back(house, said, {ANN: 0, A: 0})
    assert (await told(back))["type"] == "resumed"
    assert await told(back) == {"type": "error", "error": {"code": 1, "msg": "token_revoked"}}
    assert await told(back) == CloseCode.TOKEN_REVOKED


async def test_who_says_that_the_revocation_is_known_is_no_more_welcome(house: Any) -> None:
    """What a client claims to have is not told again; what it says is applied all the same."""
    house.mesh.members[ANN] = [A]
    socket = await connected(house)
    said = await ticket_of(house, socket)
    await gone(house, socket)
    change(house, left=[A])
    revoke(house)
    house.mesh.append(A, text="not for her")
    back = await come_back(house, said, {ANN: 1_000, A: 0})
    assert (await told(back))["type"] == "resumed"
    assert (await told(back))["error"]["msg"] == "token_revoked"
    assert await told(back) == CloseCode.TOKEN_REVOKED


async def test_until_the_own_channel_is_level_nothing_is_told_or_done(house: Any) -> None:
    """What the client asks for meanwhile is done then."""
    house.mesh.members[ANN] = [A]
    socket = await connected(house)
    said = await ticket_of(house, socket)
    await gone(house, socket)
    house.mesh.append(A, text="missed")
    house.mesh.is_stuck = True
    back = await come_back(house, said, {ANN: 0, A: 0})
    assert (await told(back))["type"] == "resumed"
    await back.send_json({"type": "presence_query", "id": 7, "ids": [ANN]})
    await back.send_json({"type": "ping", "id": 8})
    assert (await told(back))["type"] == "pong"
    mine = next(iter(house.connections))
    assert not mine.is_known
    assert set(mine.channels) == {ANN}
    house.mesh.is_stuck = False
    assert (await until_type(back, "message"))["text"] == "missed"
    await until(lambda: mine.is_known)


async def test_what_was_joined_and_left_meanwhile_is_right(house: Any) -> None:
    """Joined: from where the own channel says, and said before that. Left: said, and followed no longer."""
    house.mesh.members[ANN] = [A, B]
    house.mesh.append(X, text="before she came")
    socket = await connected(house)
    said = await ticket_of(house, socket)
    await gone(house, socket)
    change(house, joined=[(X, 1)], name="joined")
    change(house, left=[B], name="left")
    house.mesh.append(X, text="after")
    house.mesh.append(B, text="not for her")
    house.mesh.append(A, text="missed")
    house.mesh.asked = 0
    back = await come_back(house, said, {ANN: 0, A: 0, B: 0})
    assert await told(back) == {"type": "resumed", "channels": 3}
    joined = await told(back)
    assert (joined["type"], resume.decode(joined["token"])) == ("positions", {X: 1})
    assert (await told(back))["text"] == "joined"
    assert await told(back) == {"type": "positions_dropped", "channels": [B]}
    assert (await told(back))["text"] == "left"
    assert sorted([(await told(back))["text"], (await told(back))["text"]]) == ["after", "missed"]
    assert set(next(iter(house.connections)).channels) == {ANN, A, X}
    assert house.mesh.asked == 0


async def test_changes_between_ticket_and_end_are_applied_and_not_told_again(house: Any) -> None:
    """The client has seen them on its last connection, and knows where it is in what it joined."""
    house.mesh.members[ANN] = [A, B]
    socket = await connected(house)
    said = await ticket_of(house, socket)
    change(house, joined=[(X, 0)], left=[B], name="seen")
    house.mesh.append(X, text="seen")
    await until_type(socket, "message")
    await gone(house, socket)
    house.mesh.append(X, text="missed")
    back = await come_back(house, said, {ANN: 1, A: 0, X: 1})
    assert (await told(back))["type"] == "resumed"
    assert (await told(back))["text"] == "missed"
    assert set(next(iter(house.connections)).channels) == {ANN, A, X}


async def test_positions_that_were_made_up_harm_nobody_else(house: Any) -> None:
    """A channel begins where the ticket says that it has been, whatever a client claims to have of it."""
    house.mesh.members[ANN] = [A]
    house.mesh.append(A)
    socket = await connected(house)
    said = await ticket_of(house, socket)
    await gone(house, socket)
    back = await come_back(house, said, {ANN: 0, A: 10**12})
    assert (await told(back))["type"] == "resumed"
    await settled(house, 2)
    assert house.mesh.followed[A] == 1
    other = await house.connect("U0000000002", A)
    house.mesh.append(A, text="for all")
    assert (await other.json())["text"] == "for all"


async def test_tickets_are_given_soon_again_when_what_is_followed_changes(house: Any) -> None:
    """And name it."""
    house.mesh.members[ANN] = [A]
    socket = await connected(house)
    await ticket_of(house, socket)
    mine = next(iter(house.connections))
    giving = mine._wiring.desk.tickets
    later = giving._due[mine]
    change(house, joined=[(X, 0)])
    await until(lambda: bool(giving._due[mine] < later))
    giving.step(giving._due[mine])
    said = await until_type(socket, "return")
    assert set(resume.decode(said["starts"])) == {ANN, A, X}


async def test_a_drain_gives_a_ticket_with_its_goodbye(house: Any) -> None:
    """So that whoever is sent away knows who is there now."""
    house.mesh.members[ANN] = [A]
    socket = await connected(house)
    await ticket_of(house, socket)
    house.drain._before = next(iter(house.connections))._wiring.desk.leaving
    house.drain.start(0.0)
    assert (await told(socket))["type"] == "return"
    assert (await told(socket))["type"] == "goodbye"


def test_a_claim_that_is_not_understood_is_none() -> None:
    """Then the ticket is one of webapp's, or nothing."""
    assert Returned.of_claim([1, "d"]) == Returned(True, "d")
    for claim in (None, [], [1], "x", [1, 2]):
        assert Returned.of_claim(claim) is None
