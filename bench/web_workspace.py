"""The workspace of the web client's benchmark: a lived-in one, and in it a channel in which very much was said.

Rows are written before anybody connects. The channel's log is empty, as that of an old channel is after its retention:
history comes from the messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random, SystemRandom

from ops.invention import sentence
from ops.keyspaces import Workbench, workspace_rules
from ops.local.mesh import Mesh
from ops.seeding import Seeder, SeedSpec
from svc.kit.ids import IdMint
from svc.webapp.store.decode import encode
from svc.webapp.store.rows import Conversation, ConversationKind, Membership, Message, User

PEOPLE_PER_CHANNEL = 3.2
VISITORS = 40
"""People who have a session in a browser; all of them are in the channel."""
SESSION_S = 86_400
SPAN_US = 300 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in: `session` is the cookie's token."""

    user_id: str
    session: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """What was made."""

    visitors: Sequence[Visitor]
    channel_id: str
    channels: int


async def make_workspace(mesh: Mesh, users: int, messages: int) -> Workspace:
    """Fill an empty mesh. Minutes for tens of thousands of people."""
    channels = max(2, round(users / PEOPLE_PER_CHANNEL))
    async with workspace_rules(mesh.dsns) as rules:
        services = rules.services
        spec = SeedSpec("Bench", "bench", users, channels, is_lived_in=True)
        made = await Seeder(services, rules.bulk, lambda what, count: None).populate(spec)
        found = [user for user in await services.workspaces.users(made.team.id, limit=users) if not user.is_bot]
        chosen = Random(2).sample(found, min(VISITORS, len(found)))
        channel_id = await _long_channel(rules, chosen, messages)
        visitors = [
            Visitor(user.id, await services.accounts.token_for(user, SESSION_S, is_web=True)) for user in chosen
        ]
    return Workspace(visitors, channel_id, channels)


async def _long_channel(rules: Workbench, people: Sequence[User], messages: int) -> str:
    """Make a channel in which people have said so much, all of it read."""
    now_us, maker = time.time_ns() // 1_000, people[0]
    created_s = (now_us - SPAN_US) // 1_000_000 - 1
    channel_id = IdMint(rules.services.clock, SystemRandom()).mint("C")
    row = Conversation(channel_id, maker.team_id, ConversationKind.PUBLIC, "long-story", maker.id, created_s)
    members = sorted(user.id for user in people)
    await rules.bulk.add_conversations([row])
    await rules.bulk.add_member_rows((channel_id, member, created_s * 1_000_000) for member in members)
    await rules.bulk.add_memberships(
        Membership(
            member,
            channel_id,
            maker.team_id,
            ConversationKind.PUBLIC,
            joined_us=created_s * 1_000_000,
            last_read_us=now_us,
        )
        for member in members
    )
    said = _said(channel_id, members, messages, now_us)
    await rules.bulk.add_log([(channel_id, messages, now_us, now_us)], (), map(encode, said))
    return channel_id


def _said(channel_id: str, authors: Sequence[str], count: int, now_us: int) -> Iterator[Message]:
    """Yield messages in bursts of one author, of one to some sentences, the newest of them now."""
    rng, author = Random(5), authors[0]
    for number in range(1, count + 1):
        if rng.random() < 0.6:
            author = rng.choice(authors)
        text = " ".join(sentence(rng) for _ in range(rng.choice((1, 1, 1, 2, 3, 6))))
        ts_us = now_us - SPAN_US + number * SPAN_US // count
        yield Message(channel_id, ts_us, number, author, "", "", f"No {number}: {text}", 0, False, "", b"", number)
