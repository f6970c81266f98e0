"""What is cached, over a real MariaDB: each value is kept, and gone once a write through another webapp is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict

import orjson
import pytest

from svc.kit.clock import SystemClock
from svc.webapp.cache import keys
from svc.webapp.cache.routes.route import Explained, Found, Step, Sum, Undelivered
from svc.webapp.cache.values import MEMBERS_MAX, SIDES_MAX
from svc.webapp.commit.log import Follow, Json, PutDirectory, PutUser, Unfollow, Write
from svc.webapp.commit.sweeping import run_sweepers
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.conversations.marks import ReadMarks
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.preferences import Preferences
from svc.webapp.store.bulk import Bulk
from svc.webapp.store.pools import Pools
from svc.webapp.store.rows import Conversation, ConversationKind, Team, Token, TokenKind, User
from tests.svc.webapp.cache.shared_memory import SharedMemory
from tests.svc.webapp.databases import Webapp, webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note, post

pytestmark = pytest.mark.mesh

PUBLIC = ConversationKind.PUBLIC
ROOM = Conversation(CHANNEL, TEAM, PUBLIC, "room", ALICE)
CREATE = Write(
    CHANNEL,
    (note(),),
    members_added=(ALICE,),
    create=ROOM,
    effects=(PutDirectory(TEAM), Follow(ALICE, TEAM, PUBLIC)),
)
JOIN = Write(CHANNEL, (note(),), members_added=(BOB,), unless_member=BOB, effects=(Follow(BOB, TEAM, PUBLIC),))
LEAVE = Write(CHANNEL, (note(),), members_removed=(BOB,), if_member=BOB, effects=(Unfollow(BOB),))
RENAME = Write(CHANNEL, (note(),), change={"name": "other"}, effects=(PutDirectory(TEAM),))
HIRE = Write(TEAM, effects=(PutUser(asdict(User(ALICE, TEAM, "alice"))),))


@pytest.fixture
def memory() -> SharedMemory:
    """The nodes of both webapps."""
    return SharedMemory(SystemClock())


@pytest.fixture
async def two(pools: Pools, memory: SharedMemory) -> AsyncIterator[tuple[Webapp, Webapp]]:
    """Two webapps on empty keyspaces."""
    async with webapp(pools, route=memory) as here, webapp(pools, route=memory) as there:
        yield here, there


def reading(running: Webapp) -> Reading:
    """Return the rules of reading."""
    directory = Directory(running.lookups, running.stores.channels, running.stores.workspaces)
    return Reading(directory, running.lookups, running.stores.channels)


async def texts(running: Webapp, limit: int = 100) -> list[str]:
    """Return the texts of the newest page as Alice reads them."""
    page = await reading(running).history(
        Caller(TEAM, ALICE), CHANNEL, latest_us=None, oldest_us=None, inclusive=False, limit=limit
    )
    return [found["text"] for found in page.messages]


async def name(running: Webapp) -> str:
    """Return the name of the conversation; "" when there is none."""
    found = await running.lookups.conversation(CHANNEL)
    many = await running.lookups.conversations([CHANNEL])
    assert many.get(CHANNEL) == found
    return found.name if found else ""


async def what_bob_sees(running: Webapp) -> tuple[bool, bool, bool, bool, int]:
    """Return Bob's membership from every side, and how many there are."""
    lookups = running.lookups
    ids = [row.channel_id for row in await lookups.memberships(BOB, "", 10, (PUBLIC,))]
    return (
        await lookups.is_member(CHANNEL, BOB),
        await lookups.membership(BOB, CHANNEL) is not None,
        CHANNEL in ids,
        BOB in (await lookups.first_members(CHANNEL)).user_ids,
        (await lookups.count_members([CHANNEL]))[CHANNEL],
    )


async def followed(running: Webapp, user_id: str) -> list[str]:
    """Return what a session of a user would follow from now on."""
    heads = await running.stores.channels.heads([user_id])
    return [row.channel_id for row in await running.lookups.followed(user_id, heads.get(user_id, 0))]


async def test_a_membership_is_seen_from_every_side_as_soon_as_the_join_is_done(two: tuple[Webapp, Webapp]) -> None:
    """And is gone as soon as the leave is, wherever it was read before."""
    here, there = two
    await here.writes.commit(CREATE)
    for _ in range(2):
        for running in (here, there):
            assert await what_bob_sees(running) == (False, False, False, False, 1)
            assert await followed(running, BOB) == []
        await here.writes.commit(JOIN)
        for running in (there, here):
            assert await what_bob_sees(running) == (True, True, True, True, 2)
            assert await followed(running, BOB) == [CHANNEL]
        await there.writes.commit(LEAVE)


async def test_read_marks_and_choices_are_seen_through_every_webapp_at_once(two: tuple[Webapp, Webapp]) -> None:
    """One conversation's mark, all of them, preferences and being away: wherever they were read before."""
    here, there = two
    alice = Caller(TEAM, ALICE)
    await here.writes.commit(CREATE)
    for number, (running, other) in enumerate([(here, there), (there, here)] * 3, start=1):
        lookups, stores = running.lookups, running.stores
        directory = Directory(lookups, stores.channels, stores.workspaces)
        await ReadMarks(directory, lookups, stores.channels, stores.users, running.writes).mark(alice, CHANNEL, number)
        choosing = Preferences(stores.users, lookups, running.writes)
        await choosing.set(alice, {"number": number})
        await choosing.set_away(alice, is_away=number % 2 == 1)
        side = await other.lookups.membership(ALICE, CHANNEL)
        assert side is not None
        [listed] = (await other.lookups.sides(ALICE)).rows
        assert side.last_read_us == listed.last_read_us == number
        chosen = await other.lookups.prefs(ALICE)
        assert (orjson.loads(chosen.prefs), chosen.away) == ({"number": number}, number % 2 == 1)


async def test_a_conversation_and_its_newest_page_follow_every_write(two: tuple[Webapp, Webapp]) -> None:
    """A name, a message, and the count of replies that a parent shows."""
    here, there = two
    assert await name(there) == ""
    await here.writes.commit(CREATE)
    assert [await name(running) for running in two] == ["room", "room"]
    await there.writes.commit(RENAME)
    assert [await name(running) for running in two] == ["other", "other"]
    assert await texts(there) == []
    parent = (await here.writes.commit(post(CHANNEL, "one"))).ts_us
    assert await texts(there) == ["one"]
    await there.writes.commit(post(CHANNEL, "two"))
    assert [await texts(here), await texts(here, 1)] == [["two", "one"], ["two"]]
    await here.writes.commit(Write(CHANNEL, (message("reply", thread_ts_us=parent),)))
    page = await reading(there).history(
        Caller(TEAM, ALICE), CHANNEL, latest_us=None, oldest_us=None, inclusive=False, limit=2
    )
    assert [found.get("reply_count", 0) for found in page.messages] == [0, 1]
    assert (page.has_more, page.last_ts_us) == (False, parent)


async def test_tokens_users_and_teams_are_as_the_last_write_left_them(two: tuple[Webapp, Webapp]) -> None:
    """One and many, and what there was none of before."""
    here, there = two
    token = Token(ALICE, b"\1" * 32, TokenKind.USER, TEAM)
    for running in two:
        assert await running.lookups.user(TEAM, ALICE) is None
        assert await running.lookups.token(ALICE, token.token_hash) is None
        assert await running.lookups.team(TEAM) is None
    await here.writes.commit(HIRE)
    await here.stores.users.add_token(token)
    await here.lookups.forget_token(token.token_hash)
    await here.stores.workspaces.put_team(Team(TEAM, "Acme", "acme", 1))
    await here.lookups.forget_team(TEAM)
    for running in (there, here):
        user = await running.lookups.user(TEAM, ALICE)
        assert user == await running.stores.workspaces.user(TEAM, ALICE)
        assert await running.lookups.users(TEAM, [ALICE, BOB]) == {ALICE: user}
        assert await running.lookups.token(ALICE, token.token_hash) == token
        team = await running.lookups.team(TEAM)
        assert team is not None
        assert team.name == "Acme"


async def test_what_does_not_fit_is_read_from_the_store(two: tuple[Webapp, Webapp], pools: Pools) -> None:
    """A user of many conversations, and a conversation of many members."""
    here, _ = two
    rooms = {f"C{number:010d}": Conversation(f"C{number:010d}", TEAM, PUBLIC) for number in range(SIDES_MAX + 1)}
    people = [f"U{number:010d}" for number in range(MEMBERS_MAX + 1)]
    await Bulk(pools).add_members({channel_id: [ALICE] for channel_id in rooms}, rooms, 1)
    await Bulk(pools).add_members({CHANNEL: people}, {CHANNEL: ROOM}, 1)
    assert len(await followed(here, ALICE)) == SIDES_MAX + 1
    page = await here.lookups.memberships(ALICE, "C0000000010", 5, (PUBLIC,))
    assert [row.channel_id for row in page] == [f"C{number:010d}" for number in range(11, 16)]
    first = await here.lookups.first_members(CHANNEL)
    assert (first.is_whole, first.user_ids) == (False, tuple(people[:MEMBERS_MAX]))


async def test_a_session_misses_no_conversation_though_every_invalidation_is_lost(
    two: tuple[Webapp, Webapp], memory: SharedMemory
) -> None:
    """What it follows is checked against the head of the user's own channel; nothing that is told before is missing."""
    here, there = two
    await here.writes.commit(CREATE)
    assert await followed(there, BOB) == []
    memory.loses = True
    await here.writes.commit(JOIN)
    assert (await there.lookups.sides(BOB)).rows == ()
    for running in two:
        assert await followed(running, BOB) == [CHANNEL]
    memory.loses = False
    assert await followed(there, BOB) == [CHANNEL]
    assert len((await there.lookups.sides(BOB)).rows) == 1


class Dying:
    """A webapp's way to the nodes that dies when it comes to delete."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self.reached = asyncio.Event()

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See Route."""
        return await self._memory.get(keys, lease_s)

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """Never return."""
        self.reached.set()
        await asyncio.Event().wait()
        return {}

    async def add(self, key: str, step: Step) -> Sum | None:
        """See Route."""
        return await self._memory.add(key, step)

    def explain(self, key: str) -> Explained:
        """See Route."""
        return Explained("dying")


@pytest.mark.parametrize(
    ("write", "read", "before", "after"),
    [
        (post(CHANNEL, "two"), texts, ["one"], ["two", "one"]),
        (RENAME, name, "room", "other"),
        (JOIN, what_bob_sees, (False, False, False, False, 1), (True, True, True, True, 2)),
        (JOIN, lambda running: followed(running, BOB), [], [CHANNEL]),
    ],
    ids=["post", "rename", "join", "followed"],
)
async def test_what_a_webapp_did_not_come_to_forget_is_forgotten_by_others_within_two_seconds(
    pools: Pools,
    memory: SharedMemory,
    write: Write,
    read: Callable[[Webapp], Awaitable[object]],
    before: object,
    after: object,
) -> None:
    """It is killed between its commit and the invalidation, after it committed and before anything was published."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(webapp(pools, route=memory))
        await here.writes.commit(CREATE)
        await here.writes.commit(post(CHANNEL, "one"))
        assert await read(here) == before
        dying = Dying(memory)
        async with webapp(pools, route=dying) as there:
            doomed = asyncio.ensure_future(there.writes.commit(write))
            await dying.reached.wait()
            assert not there.link.published
            committed = time.monotonic()
        await asyncio.wait({doomed})
        assert await read(here) == before
        forget = here.lookups.forget_events
        await stack.enter_async_context(
            run_sweepers(here.stores.outbox, here.publisher, here.effects, SystemClock(), forget)
        )
        while await read(here) != after:
            assert time.monotonic() - committed < 2.5
            await asyncio.sleep(0.02)


async def test_an_event_is_published_once_its_write_is_forgotten(pools: Pools, memory: SharedMemory) -> None:
    """Whoever hears of a change and reads, finds it."""
    async with webapp(pools, route=memory) as here:
        await here.writes.commit(CREATE)
        assert await texts(here) == []
        heard: list[Json] = []
        offer = here.publisher.offer

        def offering(events: Sequence[object]) -> None:
            heard.append({"gone": keys.newest_key(CHANNEL) not in memory.items})
            offer(events)  # type: ignore[arg-type]

        here.committer._lanes[0]._aftermath._publish = offering
        await asyncio.gather(*(here.writes.commit(post(CHANNEL, str(number))) for number in range(20)))
        assert heard
        assert all(each["gone"] for each in heard)
