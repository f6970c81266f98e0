"""What one workspace can find out of another, whatever it asks: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ops.keyspaces import workspace_rules
from svc.webapp.store.rows import User
from tests.mesh.people import Json, Person, Socket
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

NOBODY = "U00000000ZZ"
SETTLE_S = 4.0
"""Until presence says that somebody is away: it has settled after 3 s."""


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(shared: Town) -> Person:
    """Somebody of another workspace, who may do everything there."""
    async with workspace_rules(shared.mesh.dsns, shared.mesh.memcached_addrs) as rules:
        accounts = rules.services.accounts
        team, _ = await accounts.team("Rival", "rival")
        user = await accounts.person(
            User("", team.id, "mallory", real_name="Mallory", email="mallory@rival.example", is_admin=True)
        )
        return Person("mallory", user.id, await accounts.token_for(user), shared.mesh.web_url, shared.http)


@pytest_asyncio.fixture(loop_scope="session")
async def socket(stranger: Person) -> AsyncIterator[Socket]:
    """The stranger's."""
    async with stranger.connected() as made:
        yield made


def told(socket: Socket, user_id: str) -> list[str]:
    """Return what was said of a user's presence."""
    events = [event for event in socket.events if event.get("type") == "presence_change"]
    return [event["presence"] for event in events if event["user"] == user_id]


async def test_presence_of_strangers_is_that_of_nobody(shared: Town, stranger: Person, socket: Socket) -> None:
    """Those who are there, those who come and go while one looks, and an id that nobody has: all the same."""
    ada, grace = shared["ada"], shared["grace"]
    ids = [ada.user_id, grace.user_id, NOBODY]
    async with ada.connected() as own:
        await socket.send(type="presence_sub", ids=[*ids, stranger.user_id])
        await socket.wait_for(lambda event: event.get("presence") == "active" and event["user"] == stranger.user_id)
        await own.send(type="presence_query", ids=[ada.user_id, stranger.user_id])
        await own.wait_for(lambda event: event.get("presence") == "active" and event["user"] == ada.user_id)
        async with grace.connected():
            await asyncio.sleep(SETTLE_S)
        await asyncio.sleep(SETTLE_S)
        assert [told(socket, each) for each in ids] == [["away"]] * 3
        assert told(own, stranger.user_id) == ["away"]
        await socket.send(type="presence_query", ids=ids)
        await socket.wait_for(lambda event: told(socket, NOBODY) == ["away", "away"])
        assert [told(socket, each) for each in ids] == [["away", "away"]] * 3
    assert await stranger.call("users.getPresence", user=ada.user_id) == {"ok": False, "error": "user_not_found"}


async def test_objects_members_and_names_of_strangers_are_not_known(
    shared: Town, stranger: Person, socket: Socket
) -> None:
    """Over the socket and over HTTP, with versions and ids that were heard of elsewhere."""
    ids = {shared["ada"].user_id: None, shared.general: 1, NOBODY: None}
    near = [shared["ada"].user_id, shared.general]
    await socket.send(id=1, type="objects", ids=ids)
    await socket.send(id=2, type="search", prefix="ad", near=near, inactive=True)
    await socket.send(id=3, type="members", channel=shared.general)
    answers: list[Json] = [
        await socket.wait_for(lambda event, number=number: event.get("reply_to") == number)  # type: ignore[misc]
        for number in (1, 2, 3)
    ]
    answers += [await stranger.call("client.objects", ids=ids), await stranger.call("client.search", prefix="ad")]
    for objects in (answers[0], answers[3]):
        assert (objects["users"], objects["channels"], set(objects["unknown"])) == ([], [], set(ids))
    for search in (answers[1], answers[4]):
        assert (search["users"], search["channels"]) == ([], [])
    assert answers[2]["error"]["msg"] == "channel_not_found"
    refused = {"ok": False, "error": "channel_not_found"}
    assert await stranger.call("client.members", channel=shared.general) == refused


async def test_a_boot_with_what_strangers_have_tells_nothing_of_it(shared: Town, stranger: Person) -> None:
    """Their conversation as the one on screen, their positions as those that one has."""
    theirs = await shared["ada"].ok("client.boot")
    boot = await stranger.ok("client.boot", channel=shared.general, since=theirs["token"])
    assert "history" not in boot
    assert not boot["is_delta"]
    assert boot["self"]["id"] == stranger.user_id
    assert shared.general not in [each["id"] for each in boot["channels"]]
    assert shared["ada"].user_id not in [each["id"] for each in boot["users"]]
