"""Notes: messages that one user alone sees, on the sockets that it has open now, and that nobody keeps.

They travel on the user's own channel as transient events: no offset, no log, dropped first when there is too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.ids import is_id, ts_from_us
from svc.webapp.commit.log import Json
from svc.webapp.domain import shapes
from svc.webapp.domain.messages.authorship import Authorship
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore

__all__ = ["Notes", "Seal", "Tell"]

Tell = Callable[[Sequence[event_pb2.Event]], None]
"""Where transient events go; must not block or raise."""

Seal = Callable[[str, str, str, str, Sequence[object]], str]
"""Seals what is shown: user, conversation, ts, bot and blocks."""


class Notes:
    """Sends notes. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        messages: Messages,
        channels: ChannelStore,
        authorship: Authorship,
        tell: Tell,
        clock: Clock,
        seal: Seal | None = None,
    ) -> None:
        """`seal` proves what an app has shown when somebody clicks in it; without it nobody can."""
        self._messages = messages
        self._channels = channels
        self._authorship = authorship
        self._tell = tell
        self._clock = clock
        self._seal = seal

    async def post(self, caller: Caller, reference: str, user_id: str, post: Post) -> str:
        """Show a message to one member of a conversation; return its ts. Both have to be in it.

        Refused `channel_not_found`, `not_in_channel`, `is_archived`, `user_not_in_channel`, and as a Post's checks do.
        """
        ready = await self._messages.ready(caller, reference, post)
        conversation = ready.sight.conversation
        if not is_id(user_id, "UW") or not await self._channels.is_member(conversation.id, user_id):
            raise Refused("user_not_in_channel")
        subtype, more = await self._authorship.of(caller, post)
        fields = shapes.message_fields(
            caller.team_id,
            user_id=caller.user_id,
            bot_id=caller.bot_id,
            subtype=subtype,
            text=ready.body,
            extra={**more, **ready.extra},
        )
        if ready.parent is not None:
            fields["thread_ts"] = ts_from_us(ready.parent.ts_us)
        return self._send(user_id, conversation.id, fields)

    def say(self, team_id: str, user_id: str, channel_id: str, text: str) -> str:
        """Show a user what the server itself has to say about a conversation."""
        return self._send(user_id, channel_id, shapes.message_fields(team_id, user_id=shapes.SLACKBOT, text=text))

    def _send(self, user_id: str, channel_id: str, fields: Json) -> str:
        ts = ts_from_us(self._clock.wall_us())
        shown = {**fields, "channel": channel_id, "ts": ts, "event_ts": ts, "is_ephemeral": True}
        if self._seal is not None and fields.get("bot_id") and fields.get("blocks"):
            shown["seal"] = self._seal(user_id, channel_id, ts, fields["bot_id"], fields["blocks"])
        # No sender: whoever it is, it sees its own note as well.
        self._tell([event_pb2.Event(channel_id=user_id, kind=event_pb2.EVENT_KIND_USER, payload=orjson.dumps(shown))])
        return ts
