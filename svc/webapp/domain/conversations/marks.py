"""How far a user has read: one mark for each conversation, moved by the user's clients and told to all of them."""

from __future__ import annotations

from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.kit.ids import ts_from_us
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import ROUNDS_MAX, Writes
from svc.webapp.commit.log import Draft, Json, Write
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind
from svc.webapp.store.user import UserStore

__all__ = ["COUNTED_MAX", "ReadMarks", "marked"]

COUNTED_MAX = 1_000
"""Unread messages, and mentions, that are counted for an event: nobody reads a larger number."""

_EVENTS = {
    ConversationKind.PUBLIC: "channel_marked",
    ConversationKind.PRIVATE: "group_marked",
    ConversationKind.IM: "im_marked",
    ConversationKind.MPIM: "mpim_marked",
}


class ReadMarks:
    """The rules of read marks. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self, directory: Directory, lookups: Lookups, channels: ChannelStore, users: UserStore, writes: Writes
    ) -> None:
        self._directory = directory
        self._lookups = lookups
        self._channels = channels
        self._users = users
        self._writes = writes

    async def mark(self, caller: Caller, channel_id: str, ts_us: int) -> None:
        """Everything up to `ts_us` is read, and what is above it is not: a mark may move back as well as on.

        The row changes first, then the event tells it, so who knows the event's offset finds the row. A webapp that
        dies in between has not answered; whoever repeats the call tells it then. Refused `channel_not_found`,
        `not_in_channel`.
        """
        sight = await self._directory.see(caller, channel_id)
        if not sight.is_member:
            raise Refused("not_in_channel")
        await self._users.mark_read(caller.user_id, channel_id, ts_us)
        await self._lookups.forget_side(caller.user_id, channel_id)
        for _ in range(ROUNDS_MAX):
            await self._tell(caller.user_id, sight.conversation, ts_us)
            side = await self._users.membership(caller.user_id, channel_id)
            if side is None or side.last_read_us == ts_us:
                return
            # Another mark came at the same time, and ours may have been told after it.
            ts_us = side.last_read_us
        raise UnavailableError(f"a read mark was overtaken {ROUNDS_MAX} times while it was told")

    async def _tell(self, user_id: str, conversation: Conversation, ts_us: int) -> None:
        unread = await self._channels.count_unread(conversation.id, ts_us, COUNTED_MAX)
        # What is meant for somebody is unread by him.
        mentions = await self._users.count_mentions(user_id, conversation.id, ts_us, COUNTED_MAX) if unread else 0
        payload = marked(conversation.kind, conversation.id, ts_us, unread, mentions)
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(payload), sender_id=user_id)
        await self._writes.commit(Write(user_id, (draft,)))


def marked(kind: ConversationKind, channel_id: str, ts_us: int, unread: int, mentions: int) -> Json:
    """Return what the user's own sockets get. Pure."""
    event: Json = {
        "type": _EVENTS[kind],
        "channel": channel_id,
        "ts": ts_from_us(ts_us),
        "unread_count": unread,
        "unread_count_display": unread,
        "num_mentions": mentions,
        "num_mentions_display": mentions,
        "mention_count": mentions,
        "mention_count_display": mentions,
    }
    return event | {"dm_count": unread} if kind is ConversationKind.IM else event
