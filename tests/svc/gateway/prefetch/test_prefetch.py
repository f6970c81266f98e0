"""Prefetch over real sockets: who wrote a message is told before it, once, and nobody ever waits for long."""

import asyncio
import time
from typing import Any

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2 as event_pb
from svc.kit.errors import UnavailableError
from tests.svc.gateway.conftest import until
from tests.svc.gateway.edge_twin import TEAM

ANN, BOB, EVE, ZOE = "U0000000001", "U0000000002", "U0000000003", "U0000000004"
C, D = "C0000000001", "C0000000002"
LAZY = ["lazy_aware"]


async def heard(client: Any, count: int) -> list[str]:
    """Return what comes next: texts of messages, names of users."""
    said = []
    for _ in range(count):
        frame = await client.json()
        said.append(" ".join(user["name"] for user in frame["users"]) if "users" in frame else frame["text"])
    return said


def people(house: Any) -> None:
    for user_id, name in ((ANN, "ann"), (BOB, "bob"), (EVE, "eve"), (ZOE, "zoe")):
        house.edge.add(user_id, name, 1)


async def test_a_stranger_is_told_before_the_message_and_only_once(house: Any) -> None:
    """To those who asked for it; the others get the message alone."""
    people(house)
    ann, bob = await house.connect(ANN, C, flags=LAZY), await house.connect(BOB, C)
    house.mesh.append(C, text="one", sender_id=EVE)
    house.mesh.append(C, text="two", sender_id=EVE, mentioned_user_ids=[ZOE, ANN])
    house.mesh.append(C, text="three", sender_id=ZOE)
    assert await heard(ann, 5) == ["eve", "one", "zoe", "two", "three"]
    assert await heard(bob, 3) == ["one", "two", "three"]
    house.mesh.append(C, text="four", sender_id=EVE, mentioned_user_ids=[ZOE])
    assert await heard(ann, 1) == ["four"]
    assert len(house.edge.asked) == 1, "all who are missed in one turn are asked for together"
    assert sorted(known.id for known in house.edge.asked[0].objects) == [EVE, ZOE]


async def test_one_user_is_asked_for_once_for_everybody(house: Any) -> None:
    """And those who come later get it from the cache."""
    people(house)
    clients = [await house.connect(f"U{number:010d}", C, flags=LAZY) for number in range(10, 20)]
    house.mesh.append(C, text="one", sender_id=EVE)
    for client in clients:
        assert await heard(client, 2) == ["eve", "one"]
    late = await house.connect(ANN, C, flags=LAZY)
    house.mesh.append(C, text="two", sender_id=EVE)
    assert await heard(late, 2) == ["eve", "two"]
    assert await heard(clients[0], 1) == ["two"]
    assert len(house.edge.asked) == 1
    assert house.prefetch.introduced == 11


async def test_whom_a_client_asked_for_or_named_is_not_told_again(house: Any) -> None:
    """A lazy query with versions says what it holds."""
    people(house)
    ann = await house.connect(ANN, C, flags=LAZY)
    await ann.ask(id=1, type="objects", ids={EVE: 1})
    await ann.ask(id=2, type="search", prefix="zo")
    house.mesh.append(C, text="one", sender_id=EVE, mentioned_user_ids=[ZOE, ANN])
    house.mesh.append(C, text="two", sender_id=BOB)
    assert await heard(ann, 3) == ["one", "bob", "two"]


async def test_a_slow_edge_holds_a_message_for_a_moment_and_in_order(house: Any) -> None:
    """Then it goes without, and the user comes before a later one."""
    people(house)
    ann, bob = await house.connect(ANN, C, D, flags=LAZY), await house.connect(BOB, C, D)
    house.edge.may_answer.clear()
    began = time.monotonic()
    house.mesh.append(C, text="one", sender_id=EVE)
    house.mesh.append(D, text="two", sender_id=ANN)
    assert await heard(bob, 2) == ["one", "two"]
    assert time.monotonic() - began < 0.045
    assert await heard(ann, 2) == ["one", "two"]
    assert 0.045 < time.monotonic() - began < 0.5
    house.mesh.append(C, text="three", sender_id=EVE)
    assert await heard(ann, 1) == ["three"]
    assert (house.prefetch.held, house.prefetch.expired) == (1, 1), "nobody waits twice for the same"
    house.edge.may_answer.set()
    await until(lambda: house.prefetch.cached_bytes > 0)
    house.mesh.append(C, text="four", sender_id=EVE)
    assert await heard(ann, 2) == ["eve", "four"]


async def test_while_the_edge_is_away_messages_come_at_once(house: Any) -> None:
    """It is asked once a second."""
    people(house)
    ann = await house.connect(ANN, C, flags=LAZY)
    house.edge.error = UnavailableError("away")
    for number in range(50):
        house.mesh.append(C, text=str(number), sender_id=EVE)
        assert await heard(ann, 1) == [str(number)]
    assert len(house.edge.asked) <= 2
    assert house.prefetch.expired == 0
    house.edge.error = None
    await asyncio.sleep(1.1)
    house.mesh.append(C, text="back", sender_id=EVE)
    assert await heard(ann, 2) == ["eve", "back"]


async def test_what_the_cache_holds_is_what_the_workspace_says(house: Any) -> None:
    """A change passes on the workspace's channel, and is what later clients are told."""
    people(house)
    ann = await house.connect(ANN, C, TEAM, flags=LAZY)
    house.mesh.append(C, text="one", sender_id=EVE)
    assert await heard(ann, 2) == ["eve", "one"]
    changed = boot_pb2.User(id=EVE, team_id=TEAM, name="evelyn", version=9)
    house.mesh.append(
        TEAM, kind=event_pb.EVENT_KIND_WORKSPACE, text="changed", model_change=boot_pb2.ModelChange(users=[changed])
    )
    assert await heard(ann, 1) == ["changed"]
    bob = await house.connect(BOB, C, TEAM, flags=LAZY)
    house.mesh.append(C, text="two", sender_id=EVE)
    assert await heard(bob, 2) == ["evelyn", "two"]
    assert len(house.edge.asked) == 1


async def test_a_workspace_that_nobody_follows_is_forgotten(house: Any) -> None:
    """Its changes would pass unheard."""
    people(house)
    ann = await house.connect(ANN, C, TEAM, flags=LAZY)
    house.mesh.append(C, text="one", sender_id=EVE)
    assert await heard(ann, 2) == ["eve", "one"]
    assert house.prefetch.cached_bytes > 0
    await ann.socket.close()
    await until(lambda: TEAM not in house.mesh.followed)
    assert house.prefetch.cached_bytes == 0


async def test_who_catches_up_is_told_of_strangers_too(house: Any) -> None:
    """Events from the log are shown like others."""
    people(house)
    house.mesh.members[ANN] = [C]
    for number in range(30):
        house.mesh.append(C, text=str(number), sender_id=EVE, is_delivered=False)
    ann = await house.connect(ANN, flags=LAZY)
    house.mesh.append(C, text="live", sender_id=BOB)
    assert await heard(ann, 2) == ["bob", "live"]


async def test_a_client_that_leaves_while_it_is_held_harms_nobody(house: Any) -> None:
    """What was held is written before the Close of a drain, and dropped with a socket."""
    people(house)
    ann, bob = await house.connect(ANN, C, flags=LAZY), await house.connect(BOB, C, flags=LAZY)
    house.edge.may_answer.clear()
    house.mesh.append(C, text="one", sender_id=EVE)
    [mine] = [each for each in house.connections if each.user_id == BOB]
    [other] = [each for each in house.connections if each.user_id == ANN]
    await ann.socket.close()
    await until(lambda: len(house.connections) == 1)
    mine.close(1001, "leaving")
    assert await heard(bob, 1) == ["one"]
    assert await bob.close_code() == 1001
    house.edge.may_answer.set()
    await asyncio.sleep(0.1)
    assert other.unwritten_bytes == mine.unwritten_bytes == 0
    assert not house.prefetch._holds


async def test_what_is_held_counts_to_the_limit_of_what_may_wait(open_house: Any) -> None:
    """More than that is written at once, or cut off as ever."""
    house = await open_house(bytes_max=100_000)
    people(house)
    ann = await house.connect(ANN, C, flags=LAZY)
    house.edge.may_answer.clear()
    house.mesh.append(C, text="one", sender_id=EVE)
    for number in range(10):
        house.mesh.append(C, text=f"{number}" * 20_000)
    assert await heard(ann, 1) == ["one"]
    for _ in range(10):
        frame = await ann.frame()
        if frame.data == 4000:
            break
    assert house.outbox.slow_consumers == 1
