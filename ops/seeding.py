"""Filling a new workspace: users, channels, memberships and messages, many at a time.

All but the messages is written without events: nobody is connected to a workspace that does not exist yet, and 30,000
joins need not be told to nobody. So `populate` refuses a workspace that is there already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from ops import invention
from svc.kit.ids import IdMint
from svc.webapp.domain.accounts import caller_of
from svc.webapp.domain.names import GENERAL
from svc.webapp.domain.posts import Post
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.store.bulk import Bulk
from svc.webapp.store.rows import Conversation, ConversationKind, Team, User

AT_ONCE = 32
"""Posts under way: they are committed together, so more of them cost less each, up to about this many."""

PRIVATE_SHARE = 0.1
"""Of the channels."""

Advance = Callable[[str, int], None]
"""Told of each step: what (`users`, `channels`, `memberships`, `messages`), and how many more of it are done."""


Plan: TypeAlias = tuple[Conversation, list[User]]
"""A conversation and who is in it."""


@dataclass(frozen=True, slots=True)
class SeedSpec:
    """What to make. The same `seed` gives the same names, memberships and texts."""

    name: str
    domain: str
    users: int
    channels: int
    messages: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made."""

    team: Team
    admin: User
    bot: User
    general: Conversation
    memberships: int


class Seeder:
    """Makes one workspace. A run that is cut short leaves a workspace half full, to be dropped by hand."""

    def __init__(self, services: Services, bulk: Bulk, advance: Advance) -> None:
        """`advance` is told of progress."""
        self._services = services
        self._bulk = bulk
        self._advance = advance

    async def populate(self, spec: SeedSpec) -> Seeded:
        """Make the workspace. Raises Refused `name_taken` when there is one with this domain."""
        rng = Random(spec.seed)
        mint = IdMint(self._services.clock, rng)
        team, is_new = await self._services.accounts.team(spec.name, spec.domain)
        if not is_new:
            raise Refused("name_taken")
        users = self._invent_users(team, spec, rng, mint)
        await self._bulk.add_users(users, lambda count: self._advance("users", count))
        bot = await self._services.accounts.bot(team.id, "helper")
        plans = self._invent_channels(spec, users, bot, rng, mint)
        conversations = {conversation.id: conversation for conversation, _ in plans}
        await self._bulk.add_conversations(list(conversations.values()), lambda count: self._advance("channels", count))
        members = {conversation.id: [user.id for user in people] for conversation, people in plans}
        now_us = self._services.clock.wall_us()
        await self._bulk.add_members(members, conversations, now_us, lambda count: self._advance("memberships", count))
        await self._talk(plans, spec.messages, rng)
        return Seeded(team, users[0], bot, plans[0][0], sum(map(len, members.values())))

    def _invent_channels(
        self, spec: SeedSpec, users: Sequence[User], bot: User, rng: Random, mint: IdMint
    ) -> list[Plan]:
        """Return conversations and who is in them; everybody's first."""
        now_s, admin = self._now_s(), users[0]
        general = Conversation(
            mint.mint("C"), admin.team_id, ConversationKind.PUBLIC, GENERAL, admin.id, now_s, is_general=True
        )
        plans: list[Plan] = [(general, [*users, bot])]
        sizes = invention.channel_sizes(spec.channels - 1, len(users))
        for name, size in zip(invention.channels(spec.channels - 1, rng), sizes, strict=True):
            people = rng.sample(users, size)
            kind = ConversationKind.PRIVATE if rng.random() < PRIVATE_SHARE else ConversationKind.PUBLIC
            plans.append((Conversation(mint.mint("C"), admin.team_id, kind, name, people[0].id, now_s), people))
        return plans

    def _invent_users(self, team: Team, spec: SeedSpec, rng: Random, mint: IdMint) -> list[User]:
        now_s = self._now_s()
        return [
            User(
                mint.mint("U"),
                team.id,
                handle,
                real_name=full_name,
                display_name=full_name.split()[0],
                email=f"{handle}@{spec.domain}.example",
                title=rng.choice(invention.TITLES),
                tz=rng.choice(invention.ZONES),
                is_admin=number == 0,
                is_owner=number == 0,
                created_s=now_s,
                updated_s=now_s,
            )
            for number, (handle, full_name) in enumerate(invention.people(spec.users, rng))
        ]

    async def _talk(self, plans: Sequence[Plan], messages: int, rng: Random) -> None:
        """Post messages as people do: most of them in the large channels. AT_ONCE at a time, in no strict order."""
        weights = [len(people) for _, people in plans]
        waiting = iter(range(messages))

        async def work() -> None:
            for _ in waiting:
                conversation, people = rng.choices(plans, weights)[0]
                post = Post(text=invention.sentence(rng))
                await self._services.messages.post(caller_of(rng.choice(people)), conversation.id, post)
                self._advance("messages", 1)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())

    def _now_s(self) -> int:
        return self._services.clock.wall_us() // 1_000_000
