"""The whole model in one answer, for clients that know no other boot (rtm.start).

A large workspace is 40 MB of JSON, so it is encoded part by part as the parts come, 500 objects in some 10 ms, and
between two parts others have their turn. Bounds: AT_ONCE_MAX such answers at a time in one webapp.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as edge
from svc import shapes
from svc.kit.clock import Clock
from svc.kit.ids import ts_from_us
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.boot.answers import Seen
from svc.webapp.domain.boot.boots import Boots
from svc.webapp.domain.boot.models import Models
from svc.webapp.domain.people import dnd_rules
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.prefs import OURS
from svc.webapp.domain.people.usergroups import UserGroups, ids_of
from svc.webapp.domain.people.usergroups import shape as usergroup
from svc.webapp.domain.refusal import RateLimited
from svc.webapp.models import channel_model
from svc.webapp.store.rows import ConversationKind, Membership

__all__ = ["FullBoots"]

Json = dict[str, Any]

AT_ONCE_MAX = 2
"""Answers of up to 40 MB each, with as much while they are put together."""
WAIT_S = 3.0
"""Longest wait for one's turn."""
RETRY_AFTER_S = 5.0

PAGE = 500


@dataclass(slots=True)
class _Parts:
    """The public side of a model, encoded; what came before a team is forgotten when all of it comes again."""

    team: boot.Team = field(default_factory=boot.Team)
    users: list[bytes] = field(default_factory=list)
    channels: list[bytes] = field(default_factory=list)
    bots: list[Json] = field(default_factory=list)


class FullBoots:
    """Makes whole models. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, boots: Boots, lookups: Lookups, models: Models, usergroups: UserGroups, clock: Clock) -> None:
        self._boots = boots
        self._lookups = lookups
        self._models = models
        self._usergroups = usergroups
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)

    async def start(self, caller: Caller, *, is_mpim_aware: bool = True, locale: str = "") -> Json:
        """Return users, conversations and all that goes with them, as one caller sees it, without the way to a socket.

        Direct messages of several people are among the private channels for who does not know of them, as at Slack.
        `locale`: is told of everybody and of every conversation; "": of none.
        Refused `ratelimited` when too many such answers are being made.
        """
        async with self._turn():
            seen = await self._boots.seen(caller, {})
            mentions = await self._lookups.shared.unread_mentions(caller.user_id)
            prefs = await self._lookups.prefs(caller.user_id, seen.own_head)
            side = _Side(seen, mentions, {"locale": locale} if locale else {})
            parts = await self._parts(caller, side)
            own = await self._own(side)
            if not is_mpim_aware:
                own = {**own, "groups": own["groups"] + own["mpims"], "mpims": []}
            me, chosen = seen.model.self, orjson.loads(prefs.prefs)
            return {
                "self": {
                    "id": me.id,
                    "name": me.name,
                    "prefs": {name: value for name, value in chosen.items() if name not in OURS},
                    "manual_presence": "away" if prefs.away else "active",
                },
                "team": shapes.team(parts.team),
                "users": _joined(parts.users),
                "channels": _joined(parts.channels),
                **own,
                "bots": parts.bots,
                "subteams": await self._subteams(caller),
                "dnd": dnd_rules.status(dnd_rules.dnd_of(chosen), me.tz, self._now_s(), is_own=True),
                "cache_ts": self._now_s(),
                "cache_version": "v1",
            }

    async def _subteams(self, caller: Caller) -> Json:
        """Return the user groups that are enabled, and which of them the caller is in."""
        groups = [each for each in await self._usergroups.all(caller.team_id) if not each.deleted_s]
        mine = [each.id for each in groups if caller.user_id in ids_of(each.user_ids)]
        return {"self": mine, "all": [usergroup(each) for each in groups]}

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WAIT_S):
                await self._turns.acquire()
        except TimeoutError:
            raise RateLimited(RETRY_AFTER_S) from None
        try:
            yield
        finally:
            self._turns.release()

    async def _parts(self, caller: Caller, side: _Side) -> _Parts:
        parts, now_s = _Parts(), self._now_s()
        async for part in self._models.model(edge.ReadModelRequest(team_id=caller.team_id)):
            if part.HasField("team"):
                parts = _Parts(part.team)
            for start in range(0, len(part.users), PAGE):
                users = [side.told | shapes.user(each, now_s=now_s) for each in part.users[start : start + PAGE]]
                parts.users.append(orjson.dumps(users))
                await asyncio.sleep(0)
            for start in range(0, len(part.channels), PAGE):
                channels = [side.shown(each) for each in part.channels[start : start + PAGE]]
                parts.channels.append(orjson.dumps(channels))
                await asyncio.sleep(0)
            parts.bots.extend(shapes.bot(each) for each in part.users if each.bot_id)
        return parts

    async def _own(self, side: _Side) -> Json:
        """Return the conversations that only their members know of."""
        found: dict[ConversationKind, list[Json]] = {kind: [] for kind in ConversationKind}
        ids = [row.channel_id for row in side.rows if row.kind is not ConversationKind.PUBLIC]
        for start in range(0, len(ids), PAGE):
            known = await self._lookups.conversations(ids[start : start + PAGE])
            groups = [each.id for each in known.values() if each.kind is ConversationKind.MPIM]
            members = await self._lookups.first_members_of(groups)
            for conversation in known.values():
                shape = side.shown(channel_model(conversation))
                if conversation.id in members:
                    shape["members"] = list(members[conversation.id].user_ids)
                found[conversation.kind].append(shape)
        return {
            "groups": found[ConversationKind.PRIVATE],
            "ims": found[ConversationKind.IM],
            "mpims": found[ConversationKind.MPIM],
        }

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


class _Side:
    """One user's side of conversations."""

    def __init__(self, seen: Seen, mentions: Mapping[str, int], told: Json) -> None:
        """`told`: what is said of every user and every conversation besides."""
        self.told = told
        self.rows: Sequence[Membership] = seen.rows
        self._by_id = {row.channel_id: row for row in seen.rows}
        self._latest_us = {each.channel_id: each.latest_message_ts_us for each in seen.model.activities}
        self._mentions = mentions

    def shown(self, channel: boot.Channel) -> Json:
        """Return a conversation with what its member has read of it."""
        row = self._by_id.get(channel.id)
        if row is None:
            return {**self.told, **shapes.channel(channel, is_member=False)}
        latest_us = self._latest_us.get(channel.id, 0)
        return {
            **self.told,
            **shapes.channel(channel, is_member=True, peer_user_id=row.peer_user_id),
            "is_open": True,
            "last_read": ts_from_us(row.last_read_us),
            "has_unreads": latest_us > row.last_read_us,
            "mention_count": self._mentions.get(channel.id, 0),
        }


def _joined(lists: Sequence[bytes]) -> orjson.Fragment:
    """Return encoded lists as one."""
    inner = b",".join(each[1:-1] for each in lists if len(each) > len(b"[]"))
    return orjson.Fragment(b"[" + inner + b"]")
