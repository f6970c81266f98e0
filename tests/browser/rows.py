"""Conversations in which much was said already: rows, as a database that is restored has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from ops.keyspaces import workspace_rules
from svc.webapp.domain.people.accounts import caller_of
from svc.webapp.store.decode import encode
from svc.webapp.store.rows import Message
from tests.mesh.towns import Town

SPAN_US = 10 * 86_400 * 1_000_000


async def channel_with(town: Town, name: str, count: int, text: Callable[[int], str], people: Sequence[str]) -> str:
    """Make a public channel of some people, in which `count` messages were said in the ten days until now."""
    users = [town[each].user_id for each in people]
    async with workspace_rules(town.mesh.dsns, town.mesh.memcached_addrs) as rules:
        services = rules.services
        team_id = (await town[people[0]].ok("auth.test"))["team_id"]
        maker = await services.workspaces.user(team_id, users[0])
        assert maker is not None
        made = (await services.conversations.create(caller_of(maker), name, is_private=False)).conversation
        for user in users:
            await services.conversations.admit(made, user)
        now_us = time.time_ns() // 1_000 - 60_000_000
        await rules.bulk.add_log((), (), map(encode, _said(made.id, users, count, text, now_us)))
    return made.id


def _said(
    channel_id: str, users: Sequence[str], count: int, text: Callable[[int], str], now_us: int
) -> Iterator[Message]:
    for number in range(1, count + 1):
        ts_us = now_us - SPAN_US + number * SPAN_US // count
        author = users[number // 3 % len(users)]
        yield Message(channel_id, ts_us, 1, author, "", "", text(number), 0, False, "", b"", 1)
