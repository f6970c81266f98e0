"""What the server itself has to say to somebody: a message in its notes to itself, kept like any other.

Who is not there finds it on coming back, unread and counted as a mention.
"""

from __future__ import annotations

from parley.event.v1 import event_pb2
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Json, Mention, MessageDraft, Place, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.people.caller import Caller

__all__ = ["Slackbot"]


class Slackbot:
    """Says it. Methods raise UnavailableError when MySQL does not answer."""

    def __init__(self, direct: DirectMessages, writes: Writes) -> None:
        self._direct = direct
        self._writes = writes

    async def say(self, team_id: str, user_id: str, text: str, key: str) -> None:
        """Tell one user, durably, before returning; the same `key` again is the same message."""
        conversation = (await self._direct.with_user(Caller(team_id, user_id), user_id)).conversation
        fields = shapes.message_fields(team_id, user_id=shapes.SLACKBOT, text=text)

        def payload(place: Place) -> Json:
            return {**fields, "channel": conversation.id, "ts": place.ts, "event_ts": place.ts}

        draft = Draft(event_pb2.EVENT_KIND_MESSAGE, payload, message=MessageDraft(shapes.SLACKBOT, text))
        await self._writes.commit(Write(conversation.id, (draft,), request_id=key, effects=(Mention((user_id,)),)))
