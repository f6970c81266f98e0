"""What a storm of sessions costs the database: statements as they were really sent to a real one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import pytest

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.clock import SystemClock
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.values import SIDES_MAX
from svc.webapp.gate import Gate
from svc.webapp.gathering.reads import SharedReads
from svc.webapp.servicer import WebappServicer
from svc.webapp.store import user as user_store
from svc.webapp.store.decode import columns, encode
from svc.webapp.store.pools import Database, Pools, open_pools
from svc.webapp.store.query import KEYSPACES
from svc.webapp.store.rows import ConversationKind, Membership, Token, TokenKind, User
from svc.webapp.store.sql import insert_rows
from svc.webapp.store.user import UserStore
from tests.svc.webapp.databases import Webapp, webapp
from tests.svc.webapp.store.wiretap import Wiretap, wiretap
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM

pytestmark = pytest.mark.mesh

USERS = [f"U{number:010d}" for number in range(1, 2_001)]
ROOMS = [f"C{number:010d}" for number in range(1, 301)]
ROOMS_A_USER = 30


class Storming:
    """What of Services a session's beginning needs."""

    def __init__(self, running: Webapp) -> None:
        self.lookups: Lookups = running.lookups
        self.shared: SharedReads = running.lookups.shared


async def fill(database: Database, table: str, row_type: type, rows: Sequence[object]) -> None:
    """Insert rows."""
    for start in range(0, len(rows), 2_000):
        cells = [encode(row) for row in rows[start : start + 2_000]]
        await database.execute(*insert_rows(table, columns(row_type), cells))


async def populated(pools: Pools) -> dict[str, list[str]]:
    """Fill a workspace with people, what they are in, and heads; return who is in what."""
    rng = Random(3)
    rooms = {user_id: sorted(rng.sample(ROOMS, ROOMS_A_USER)) for user_id in USERS}
    users = [User(user_id, TEAM, user_id.lower()) for user_id in USERS]
    sides = [Membership(user_id, room, TEAM, ConversationKind.PUBLIC) for user_id in USERS for room in rooms[user_id]]
    await fill(pools.workspace, "users", User, users)
    await fill(pools.user, "memberships", Membership, sides)
    heads = ", ".join(f"('{channel_id}', 5, 9, 7)" for channel_id in (TEAM, *USERS, *ROOMS))
    await pools.channel.execute(
        "INSERT INTO heads (channel_id, last_offset, last_ts_us, last_message_us)"
        f" VALUES {heads} ON DUPLICATE KEY UPDATE last_offset = 5, last_message_us = 7"
    )
    return rooms


@pytest.fixture
async def tapped(pools: Pools) -> AsyncIterator[tuple[Wiretap, Pools]]:
    """Pools that are listened to."""
    async with wiretap({keyspace: pools.of(keyspace).dsn for keyspace in KEYSPACES}) as (tap, dsns):
        async with open_pools(dsns, SystemClock()) as listened:
            yield tap, listened


def tables(tap: Wiretap) -> Counter[str]:
    """How many statements went to each table."""
    return Counter(sent.sql.split(" FROM ")[1].split()[0] for sent in tap.take())


async def test_two_thousand_sessions_that_begin_at_once_are_tens_of_statements(
    pools: Pools, tapped: tuple[Wiretap, Pools]
) -> None:
    """With nothing cached at all; and each is told exactly what it follows."""
    rooms = await populated(pools)
    tap, listened = tapped
    async with webapp(listened) as here:
        tap.take()
        services: Any = Storming(here)
        servicer = WebappServicer(services, Gate(requests_max=10_000))
        context: Any = None
        answers = await asyncio.gather(
            *(
                servicer.ListSubscriptions(pb.ListSubscriptionsRequest(team_id=TEAM, user_id=user_id), context)
                for user_id in USERS
            )
        )
        counts = tables(tap)
    for user_id, answer in zip(USERS, answers, strict=True):
        expected = {user_id: 5, TEAM: 5} | dict.fromkeys(rooms[user_id], 5)
        assert {each.channel_id: each.offset for each in answer.heads} == expected
    # One by one they would be 10,000. It was 67 to 71: users 5, heads 29 to 33, prefs 10, memberships 23;
    # on a busy machine, where fewer have come by the time that a read begins, 83.
    assert sum(counts.values()) <= 200, counts


async def test_one_session_is_as_many_statements_as_ever(pools: Pools, tapped: tuple[Wiretap, Pools]) -> None:
    """Nothing is held back, and nothing is read twice."""
    await populated(pools)
    tap, listened = tapped
    async with webapp(listened) as here:
        tap.take()
        services: Any = Storming(here)
        context: Any = None
        request = pb.ListSubscriptionsRequest(team_id=TEAM, user_id=USERS[0])
        await WebappServicer(services).ListSubscriptions(request, context)
        assert tables(tap) == {"users": 1, "heads": 2, "memberships": 1, "prefs": 1}


async def test_a_storm_of_boots_is_tens_of_statements(pools: Pools, tapped: tuple[Wiretap, Pools]) -> None:
    """Tokens, and what is meant for each; what does not exist is nobody's, and odd text reaches no store."""
    await populated(pools)
    tap, listened = tapped
    async with webapp(listened) as here:
        users, shared = here.stores.users, here.lookups.shared
        hashes = {user_id: user_id.encode().ljust(32, b".") for user_id in USERS}
        for user_id in USERS[:20]:
            await users.add_token(Token(user_id, hashes[user_id], TokenKind.USER, TEAM))
        await users.put_membership(Membership(USERS[0], CHANNEL, TEAM, ConversationKind.PUBLIC, revision_us=9))
        await users.mention([(user_id, CHANNEL, 8) for user_id in USERS[:2]])
        tap.take()
        tokens = await asyncio.gather(*(shared.token(user_id, hashes[user_id]) for user_id in USERS))
        mentions = await asyncio.gather(*(shared.unread_mentions(user_id) for user_id in USERS))
        assert [token.user_id for token in tokens if token] == USERS[:20]
        assert mentions[0] == {CHANNEL: 1}
        counts = tables(tap)
        # It was 26: tokens 5, mentions 21.
        assert sum(counts.values()) <= 30, counts
        assert await shared.token(USERS[1], hashes[USERS[0]]) is None
        assert await shared.user("T0000000009", USERS[0]) is None
        tap.take()
        odd = "ü' OR 1 = 1"
        assert await shared.activity([odd]) == {}
        assert (await shared.user(TEAM, odd), await shared.memberships(odd), await shared.token(odd, b"")) == (
            None,
            (),
            None,
        )
        assert tap.take() == []


async def test_many_users_memberships_are_whole_or_known_not_to_be(
    running: Webapp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the limit of a statement cuts; the first ones of who is in too many."""
    monkeypatch.setattr(user_store, "ROWS_A_STATEMENT", 7)
    users: UserStore = running.stores.users
    people = {ALICE: 3, BOB: 5, "U0000000003": 0, "U0000000004": 7, "U0000000005": 1, "U0000000006": 6}
    for user_id, count in people.items():
        for number in range(count):
            side = Membership(user_id, f"C{number:010d}", TEAM, ConversationKind.PUBLIC, revision_us=1)
            await users.put_membership(side)
        await users.put_membership(
            Membership(user_id, "C9999999999", TEAM, ConversationKind.PUBLIC, revision_us=1, active=False)
        )
    found = await users.memberships_of(list(reversed(people)), 6)
    assert {user_id: len(sides) for user_id, sides in found.items()} == {
        user_id: min(6, count) for user_id, count in people.items() if count
    }
    for user_id, sides in found.items():
        assert sides == (await users.memberships(user_id))[:6]


async def test_who_is_in_too_much_to_be_cached_is_read_whole(running: Webapp) -> None:
    """One more than is kept is read to know that there are more."""
    rows = ", ".join(
        f"('{ALICE}', 'C{number:010d}', '{TEAM}', 1, '', 0, 0, 0, 1, 1)" for number in range(SIDES_MAX + 5)
    )
    await running.pools.user.execute(f"INSERT INTO memberships VALUES {rows}")
    assert not (await running.lookups.sides(ALICE)).is_whole
    assert len(await running.lookups.followed(ALICE, 0)) == SIDES_MAX + 5
