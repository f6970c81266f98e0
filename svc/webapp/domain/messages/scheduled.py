"""Messages to be posted later: kept as items of the user's own channel who will have posted them.

Posted by a sweeper of any webapp under a key of their own and only then dropped, so that each is posted once, whoever
dies in between. What cannot be posted any more when its time comes is dropped, and its author told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import UnavailableError
from svc.kit.ids import IdMint, is_id
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Item, ItemKind, Json, Write
from svc.webapp.domain.messages.messages import Messages, Ready
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.slackbot import Slackbot
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ItemRow, TokenKind

__all__ = ["AHEAD_S_MAX", "SCHEDULED_MAX", "Scheduled", "ScheduledMessages"]

log = logging.getLogger(__name__)

AHEAD_S_MAX = 120 * 86_400
"""Slack's limit."""
SCHEDULED_MAX = 1_000
"""Messages of one user that wait: one statement reads them all."""
WINDOW_S, WINDOW_MAX = 300, 30
"""Slack's limit: so many into one conversation within five minutes."""
MINTS_MAX = 3
"""Two webapps give two messages of one user the same id once in a thousand times that it is done in one millisecond."""
SETTLED_S = 5
"""So short a time before its moment a message is as good as posted, and nobody can take it back: a sweeper may be
posting it."""

_KEPT = frozenset(each.name for each in fields(Post)) - {"files", "origin_connection_id", "client_msg_id"}

_CALLER = ("team_id", "user_id", "kind", "bot_id", "app_id", "scopes")
"""What is kept of who schedules: it speaks later as it would have spoken then."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message that waits."""

    id: str
    channel_id: str
    post_at: int
    created_s: int
    caller: Caller
    post: Post

    @classmethod
    def of(cls, row: ItemRow) -> Scheduled:
        """Read a stored one. Raises ValueError, KeyError or TypeError for what is none of ours."""
        body: Json = orjson.loads(row.body)
        by: Mapping[str, Any] = body["caller"]
        caller = Caller(**{**by, "kind": TokenKind(by["kind"])})
        return cls(row.id, body["channel"], body["post_at"], body["created"], caller, Post(**body["post"]))

    @property
    def body(self) -> bytes:
        """As it is stored."""
        # What is not said is not kept: an older webapp reads it as well.
        post = {name: value for name, value in asdict(self.post).items() if name in _KEPT and value is not None}
        by = {"post": post, "caller": {name: getattr(self.caller, name) for name in _CALLER}}
        return orjson.dumps({"channel": self.channel_id, "post_at": self.post_at, "created": self.created_s, **by})

    @property
    def shape(self) -> Json:
        """As chat.scheduledMessages.list shows it."""
        shape: Json = {"id": self.id, "channel_id": self.channel_id, "post_at": self.post_at}
        return shape | {"date_created": self.created_s, "text": self.post.text or self.post.markdown_text}


class ScheduledMessages:
    """The rules of messages that wait. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        messages: Messages,
        slackbot: Slackbot,
        lookups: Lookups,
        channels: ChannelStore,
        writes: Writes,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._messages = messages
        self._lookups = lookups
        self._slackbot = slackbot
        self._channels = channels
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def add(self, caller: Caller, reference: str, post_at: int, post: Post) -> tuple[Scheduled, Ready]:
        """Let a message be posted at `post_at` (unix seconds). Everything that could be wrong now is refused now.

        Refused `time_in_past`, `time_too_far`, `restricted_too_many`, and as chat.postMessage.
        """
        now_s = self._clock.wall_us() // 1_000_000
        if post_at <= now_s:
            raise Refused("time_in_past")
        if post_at > now_s + AHEAD_S_MAX:
            raise Refused("time_too_far")
        ready = await self._messages.ready(caller, reference, post)
        channel_id = ready.sight.conversation.id
        waiting = await self._all(caller.user_id)
        near = [w for w in waiting if w.channel_id == channel_id and abs(w.post_at - post_at) < WINDOW_S]
        if len(waiting) >= SCHEDULED_MAX or len(near) >= WINDOW_MAX:
            raise Refused("restricted_too_many")
        for _ in range(MINTS_MAX):
            scheduled = Scheduled(self._mint.mint("Q"), channel_id, post_at, now_s, caller, ready.post)
            item = Item(ItemKind.SCHEDULED, scheduled.id, scheduled.body, post_at * 1_000_000, is_new=True)
            if not (await self._writes.commit(Write(caller.user_id, (_silent(),), items=(item,)))).refused:
                return scheduled, ready
        raise UnavailableError(f"no free id for a scheduled message of {caller.user_id}")

    async def delete(self, caller: Caller, reference: str, scheduled_id: str) -> None:
        """Take a message back that waits. Refused `invalid_scheduled_message_id`, `channel_not_found`."""
        channel_id = (await self._messages.addressed(caller, reference)).conversation.id
        row = await self._channels.item(caller.user_id, ItemKind.SCHEDULED, scheduled_id) if scheduled_id else None
        now_us = self._clock.wall_us()
        if row is None or row.due_us <= now_us + SETTLED_S * 1_000_000 or Scheduled.of(row).channel_id != channel_id:
            raise Refused("invalid_scheduled_message_id")
        if not await self._drop(row):
            raise Refused("invalid_scheduled_message_id")

    async def waiting(
        self, caller: Caller, channel_id: str, oldest_s: int | None, latest_s: int | None
    ) -> Sequence[Scheduled]:
        """Return the caller's messages that wait, the soonest first: of one conversation ("": all), between two times.

        Refused `invalid_channel`.
        """
        if channel_id and not is_id(channel_id, "CDG"):
            raise Refused("invalid_channel")
        found = [
            each
            for each in await self._all(caller.user_id)
            if (not channel_id or each.channel_id == channel_id)
            and (oldest_s is None or each.post_at >= oldest_s)
            and (latest_s is None or each.post_at <= latest_s)
        ]
        return sorted(found, key=lambda each: (each.post_at, each.id))

    async def due(self, row: ItemRow) -> None:
        """Post a message whose time has come, then drop it. Idempotent; the kit's errors mean that it has to be tried
        again.
        """
        scheduled = Scheduled.of(row)
        caller = scheduled.caller
        author = await self._lookups.user(caller.team_id, caller.user_id)
        if author is None or author.deleted:
            log.info("scheduled message %s is dropped: its author is gone", scheduled.id)
            await self._drop(row)
            return
        try:
            await self._messages.post(
                caller, scheduled.channel_id, scheduled.post, request_id=f"scheduled:{scheduled.id}"
            )
        except Refused as refusal:
            log.warning("scheduled message %s of %s is dropped: %s", scheduled.id, caller.user_id, refusal.code)
            where = f"<#{scheduled.channel_id}>"
            text = f"Your scheduled message to {where} could not be sent ({refusal.code}): {scheduled.post.text[:200]}"
            # Before it is forgotten, and kept: its author need not be there to hear it.
            await self._slackbot.say(caller.team_id, caller.user_id, text, f"unscheduled:{scheduled.id}")
        await self._drop(row)

    async def _all(self, user_id: str) -> list[Scheduled]:
        rows = await self._channels.items(user_id, ItemKind.SCHEDULED, "", SCHEDULED_MAX)
        return [Scheduled.of(row) for row in rows]

    async def _drop(self, row: ItemRow) -> bool:
        """Forget a message; False when somebody else has."""
        write = Write(row.channel_id, (_silent(),), items_dropped=((ItemKind.SCHEDULED, row.id),))
        return not (await self._writes.commit(write)).refused


def _silent() -> Draft:
    """Return an event that clients are not told: it gives the change its place in the log."""
    return Draft(event_pb2.EVENT_KIND_USER, lambda _: None)
