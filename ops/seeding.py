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
from ops.lived_in import LivedIn
from svc.kit.ids import IdMint
from svc.webapp.domain.conversations.names import GENERAL
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.accounts import caller_of
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
    is_lived_in: bool = False
    """As after years of use, see `lived_in`: direct messages, emoji, read marks, the last messages everywhere. Then
    `channels` counts public ones only."""


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
        if spec.is_lived_in:
            return await self._live_in(spec, team, users, bot, rng, mint)
        plans = self._invent_channels(spec, users, bot, rng, mint)
        conversations = {conversation.id: conversation for conversation, _ in plans}
        await self._bulk.add_conversations(list(conversations.values()), lambda count: self._advance("channels", count))
        members = {conversation.id: [user.id for user in people] for conversation, people in plans}
        now_us = self._services.clock.wall_us()
        await self._bulk.add_members(members, conversations, now_us, lambda count: self._advance("memberships", count))
        await self._talk(plans, spec.messages, rng)
        return Seeded(team, users[0], bot, plans[0][0], sum(map(len, members.values())))

    async def _live_in(
        self, spec: SeedSpec, team: Team, users: Sequence[User], bot: User, rng: Random, mint: IdMint
    ) -> Seeded:
        """Fill a workspace as years of use do; see `lived_in` for its shape. `messages` come on top."""
        bulk, general = self._bulk, self._general(users[0], mint)
        people = sorted([*users, bot], key=lambda user: user.id)
        lived = LivedIn(people, general, spec.channels, rng, mint, self._services.clock.wall_us())
        await bulk.add_conversations(lived.conversations, lambda count: self._advance("channels", count))
        said = list(lived.messages())
        heads = {channel_id: head for planned in said for channel_id, head in planned.heads.items()}
        log = (row for planned in said for row in planned.log)
        messages = (row for planned in said for row in planned.messages)
        await bulk.add_log(
            ((channel_id, head.offset, head.ts_us, head.message_us) for channel_id, head in heads.items()),
            log,
            messages,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(bulk.add_member_rows(lived.members()))
            group.create_task(
                bulk.add_memberships(lived.memberships(), lambda count: self._advance("memberships", count))
            )
        await bulk.add_mentions(sorted(lived.mentions))
        await bulk.add_prefs(lived.prefs())
        await bulk.add_emoji(lived.emoji())
        await self._talk([(general, list(users))], spec.messages, rng)
        return Seeded(team, users[0], bot, general, lived.memberships_count)

    def _general(self, admin: User, mint: IdMint) -> Conversation:
        return Conversation(
            mint.mint("C"),
            admin.team_id,
            ConversationKind.PUBLIC,
            GENERAL,
            admin.id,
            self._now_s(),
            is_general=True,
        )

    def _invent_channels(
        self, spec: SeedSpec, users: Sequence[User], bot: User, rng: Random, mint: IdMint
    ) -> list[Plan]:
        """Return conversations and who is in them; everybody's first."""
        now_s, admin = self._now_s(), users[0]
        general = self._general(admin, mint)
        plans: list[Plan] = [(general, [*users, bot])]
        sizes = invention.channel_sizes(spec.channels - 1, len(users))
        for name, size in zip(invention.channels(spec.channels - 1, rng), sizes, strict=True):
            people = rng.sample(users, size)
            kind = ConversationKind.PRIVATE if rng.random() < PRIVATE_SHARE else ConversationKind.PUBLIC
            plans.append((Conversation(mint.mint("C"), admin.team_id, kind, name, people[0].id, now_s), people))
        return plans

    def _invent_users(self, team: Team, spec: SeedSpec, rng: Random, mint: IdMint) -> list[User]:
        return [
            self._user(mint.mint("U"), team.id, handle, full_name, f"{handle}@{spec.domain}.example", rng, number == 0)
            for number, (handle, full_name) in enumerate(invention.people(spec.users, rng))
        ]

    def _user(
        self, user_id: str, team_id: str, handle: str, full_name: str, email: str, rng: Random, is_admin: bool
    ) -> User:
        """Return a person with everything that a profile has."""
        now_s = self._now_s()
        emoji, text = invention.status(rng)
        return User(
            user_id,
            team_id,
            handle,
            real_name=full_name,
            display_name=full_name.split()[0],
            email=email,
            title=rng.choice(invention.TITLES),
            status_text=text,
            status_emoji=emoji,
            tz=rng.choice(invention.ZONES),
            avatar_hash=invention.avatar_hash(email),
            is_admin=is_admin,
            is_owner=is_admin,
            created_s=now_s,
            updated_s=now_s,
        )

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
