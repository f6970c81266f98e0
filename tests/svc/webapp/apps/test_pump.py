"""One app in the hands of an owner: everything is heard, in order, and an owner's end loses nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import orjson
import pytest

from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.errors import DeadlineError, UnavailableError
from svc.webapp.apps.pump import PumpRules
from svc.webapp.apps.ways import Outcome
from tests.svc.webapp.apps.world import APP, BOT, GENERAL, TEAM, TwinWorld, owning, until

URL = "https://bot.example.org/"


def texts(count: int, word: str = "m") -> list[str]:
    """Return texts of messages."""
    return [f"{word}{number}" for number in range(count)]


async def test_what_happens_from_the_beginning_on_is_heard_in_order() -> None:
    """Not what was before; of the workspace too."""
    world = TwinWorld()
    world.post("before")
    async with owning(world) as owner:
        client = owner.connect()
        for text in texts(20):
            world.post(text)
        await until(lambda: len(client.frames) == 20)
        assert client.texts == texts(20)
        world.happen(TEAM, orjson.dumps({"type": "team_join", "user": {"id": "U9"}}))
        await until(lambda: len(client.frames) == 21)
        assert owner.tally.outcomes == {Outcome.DELIVERED: 21}


async def test_the_next_owner_goes_on_where_nothing_is_missing() -> None:
    """The first one dies with events unanswered and unread: the second brings them, with the same ids."""
    world = TwinWorld()
    async with owning(world) as first:
        taking = first.connect()
        world.post("taken")
        await until(lambda: taking.texts == ["taken"])
        await until(lambda: world.saves >= 2)
        first.pump.sockets.detach(taking.line)
        deaf = first.connect("c2", answers=False)
        world.post("unanswered")
        await until(lambda: deaf.texts == ["unanswered"])
        await first.die()
    world.post("meanwhile")
    async with owning(world, me="w2") as second:
        client = second.connect()
        world.post("after")
        await until(lambda: len(client.frames) == 3)
        assert client.texts == ["unanswered", "meanwhile", "after"]
        assert client.frames[0]["payload"] == deaf.frames[0]["payload"]
        assert client.frames[0]["envelope_id"] == deaf.frames[0]["envelope_id"]


async def test_an_owner_that_leaves_waits_for_answers_and_repeats_nothing() -> None:
    """The place is saved and given back; the next one need not wait."""
    world = TwinWorld()
    async with owning(world) as first:
        client = first.connect()
        for text in texts(10):
            world.post(text)
        await until(lambda: len(client.frames) == 10)
        slow = first.connect("c2", answers=False)
        first.pump.sockets.detach(client.line)
        world.post("slowly answered")
        await until(lambda: len(slow.frames) == 1)
        leaving = asyncio.create_task(first.pump.leave())
        await until(lambda: first.pump.is_leaving)
        world.post("later")
        assert not world.places[APP.id].released
        first.pump.sockets.acked(slow.frames[0]["envelope_id"], b"")
        await leaving
        assert world.places[APP.id].released
        await first.die()
    async with owning(world, me="w2", living=("w1", "w2")) as second:
        client = second.connect()
        await until(lambda: client.texts == ["later"])


async def test_an_owner_whose_app_was_taken_stops_when_it_saves() -> None:
    """And moves nothing back."""
    world = TwinWorld()
    async with owning(world) as first:
        client = first.connect()
        async with owning(world, me="w2") as second:
            world.post("both hear it")
            await until(lambda: client.texts == ["both hear it"])
            async with asyncio.timeout(10):
                await asyncio.wait({first.running})
            assert first.tally.unsaved >= 1
            assert client.line.ending is not None
            assert not second.running.done()
            assert world.places[APP.id].owner == "w2"


async def test_memory_is_bounded_and_the_rest_waits_in_the_log() -> None:
    """Without a connection few events are read; all of them come once there is one."""
    world = TwinWorld()
    rules = PumpRules(pending_max=10, read_events_max=4)
    async with owning(world, rules=rules) as owner:
        for text in texts(200):
            world.post(text)
        await asyncio.sleep(0.05)
        assert len(owner.pump.sockets) <= 10
        client = owner.connect()
        await until(lambda: len(client.frames) == 200)
        assert client.texts == texts(200)


async def test_what_is_not_delivered_live_is_read_from_the_log() -> None:
    """A later event shows the hole; a database that is away for a moment is asked again."""
    world = TwinWorld()
    async with owning(world) as owner:
        client = owner.connect()
        world.is_deaf = world.is_down = True
        for text in texts(5):
            world.post(text)
        world.is_deaf = False
        world.post("live")
        await asyncio.sleep(0.05)
        assert client.frames == []
        world.is_down = False
        await until(lambda: len(client.frames) == 6)
        assert client.texts == [*texts(5), "live"]


async def test_too_old_events_are_passed_over_and_counted() -> None:
    """Those that waited too long for a connection, and those that an owner finds too old."""
    world = TwinWorld()
    async with owning(world) as owner:
        client = owner.connect()
        world.post("an hour ago", age_s=3_601.0)
        world.post("now")
        await until(lambda: client.texts == ["now"])
        assert owner.tally.outcomes[Outcome.TOO_OLD] == 1


async def test_what_retention_took_is_counted_and_what_it_left_is_heard() -> None:
    """An app that was away for long loses no more than nobody can tell it."""
    world = TwinWorld()
    async with owning(world) as first:
        await first.die()
    for text in texts(5):
        world.post(text)
    world.gone[GENERAL] = 3
    async with owning(world, me="w2") as second:
        client = second.connect()
        await until(lambda: client.texts == texts(5)[3:])
        assert second.tally.lost == 3
        world.post("on")
        await until(lambda: client.texts == [*texts(5)[3:], "on"])


async def test_joined_channels_are_heard_from_the_join_on_and_left_ones_no_more() -> None:
    """Live, and by an owner that was not there when it happened."""
    world = TwinWorld()
    world.post("before the join", "C0000000002")
    async with owning(world) as first:
        client = first.connect()
        world.join("C0000000002")
        world.post("after the join", "C0000000002")
        await until(lambda: client.texts == ["after the join"])
        world.leave("C0000000002")
        world.post("among themselves", "C0000000002")
        await first.die()
    world.post("before the next", "C0000000003")
    world.join("C0000000003")
    world.post("in the third", "C0000000003")
    async with owning(world, me="w2") as second:
        client = second.connect()
        await until(lambda: "in the third" in client.texts)
        world.post("last")
        await until(lambda: "last" in client.texts)
        assert client.texts == ["in the third", "last"]


async def test_revoked_tokens_end_their_connections() -> None:
    """And no others."""
    world = TwinWorld()
    async with owning(world) as owner:
        client = owner.connect()
        await until(lambda: len(client.others) == 1)
        world.happen(BOT, revocation=event_pb.Revocation(token_prefixes=[b"other"]))
        world.happen(BOT, revocation=event_pb.Revocation(token_prefixes=[b"tok"]))
        await until(lambda: len(client.others) == 2)
        assert client.others[1].disconnect.reason == pb.DISCONNECT_REASON_LINK_DISABLED
        assert owner.pump.sockets.connection_count == 0


async def test_an_app_that_stops_listening_begins_anew_later() -> None:
    """What happened meanwhile is not told; its connections stay."""
    world = TwinWorld()
    async with owning(world) as owner:
        client = owner.connect()
        world.post("heard")
        await until(lambda: client.texts == ["heard"])
        owner.pump.changed(replace(APP, event_types=(), revision_us=2))
        await until(lambda: GENERAL not in world.followed)
        world.post("unheard")
        owner.pump.changed(replace(APP, revision_us=3))
        await until(lambda: GENERAL in world.followed)
        world.post("again")
        await until(lambda: client.texts == ["heard", "again"])


async def test_an_app_without_sockets_is_posted_to_once_its_url_has_answered() -> None:
    """What waits goes the other way when Socket Mode is turned off."""
    world = TwinWorld()
    async with owning(world) as owner:
        world.post("waits for a connection")
        await until(lambda: len(owner.pump.sockets) == 1)
        owner.poster.is_right = False
        owner.pump.changed(replace(APP, is_socket_mode=False, request_url=URL, revision_us=2))
        await until(lambda: owner.poster.challenges >= 1)
        assert owner.poster.bodies == []
        owner.poster.is_right = True
        await until(lambda: len(owner.poster.bodies) == 1)
        world.post("over http")
        await until(lambda: len(owner.poster.bodies) == 2)
        assert [body["event"]["text"] for body in owner.poster.bodies] == ["waits for a connection", "over http"]
        await owner.pump.leave()
    assert world.places[APP.id].verified_url == URL


async def test_what_people_wait_for_is_answered_by_one_connection_or_refused() -> None:
    """Once: its acknowledgement is the answer; without one, or a connection, there is none."""
    world = TwinWorld()
    async with owning(world) as owner:
        with pytest.raises(UnavailableError):
            await owner.pump.sockets.request("slash_commands", b"{}", 0.1)
        client = owner.connect(answers=False)
        asked = asyncio.create_task(owner.pump.sockets.request("slash_commands", b'{"command":"/x"}', 5.0))
        await until(lambda: len(client.frames) == 1)
        frame = client.frames[0]
        assert (frame["type"], frame["accepts_response_payload"]) == ("slash_commands", True)
        assert frame["payload"] == {"command": "/x"}
        owner.pump.sockets.acked(frame["envelope_id"], b'{"text":"hi"}')
        owner.pump.sockets.acked(frame["envelope_id"], b"")
        assert await asked == b'{"text":"hi"}'
        with pytest.raises(DeadlineError):
            await owner.pump.sockets.request("interactive", b"{}", 0.1)
        asked = asyncio.create_task(owner.pump.sockets.request("interactive", b"{}", 5.0))
        await until(lambda: len(client.frames) == 3)
        owner.pump.sockets.detach(client.line)
        with pytest.raises(UnavailableError):
            await asked


async def test_an_app_has_ten_connections_at_most() -> None:
    """The same one that comes again takes its own place."""
    world = TwinWorld()
    async with owning(world) as owner:
        for number in range(10):
            owner.connect(f"c{number}")
        assert owner.pump.sockets.attach(pb.AppOpen(app_id=APP.id, connection_id="c10")) is None
        assert owner.pump.sockets.attach(pb.AppOpen(app_id=APP.id, connection_id="c3")) is not None
        assert owner.pump.sockets.connection_count == 10
