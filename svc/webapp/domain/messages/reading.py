"""Reading messages: a conversation's history, a thread's replies, and what a message is shown with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from svc.kit.ids import us_from_ts
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.values import NEWEST_MAX
from svc.webapp.commit.log import AnnotationKind, Json
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.kept import MESSAGES_A_STATEMENT
from svc.webapp.store.rows import AnnotationRow, Conversation, Message

__all__ = ["History", "Reading", "Replies"]

PINS_COUNTED_MAX = 100
"""Slack's limit of a conversation's pins."""


_PUT_ON = ("reactions", "pinned_to")
_AROUND = (
    *("thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked", "subscribed"),
    *_PUT_ON,
)
"""What a message says that is not its own."""


@dataclass(frozen=True, slots=True)
class History:
    """A page of messages, newest first."""

    messages: list[Json]
    has_more: bool
    last_ts_us: int
    """ts of the oldest one here, where the next page goes on; 0 for an empty page."""
    pin_count: int = 0


@dataclass(frozen=True, slots=True)
class Replies:
    """A page of a thread, oldest first; the first page begins with the parent."""

    messages: list[Json]
    has_more: bool
    last_ts_us: int
    """ts of the newest one here, where the next page goes on."""


class Reading:
    """Reads messages on a caller's behalf. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, directory: Directory, lookups: Lookups, channels: ChannelStore) -> None:
        self._directory = directory
        self._lookups = lookups
        self._channels = channels

    async def history(
        self,
        caller: Caller,
        channel_id: str,
        *,
        latest_us: int | None,
        oldest_us: int | None,
        inclusive: bool,
        limit: int,
    ) -> History:
        """Return messages between two ts (exclusive unless `inclusive`), newest first: parents and broadcast replies.

        Refused `channel_not_found`; `not_in_channel` for bots that are no members.
        """
        sight = await self._directory.see(caller, channel_id)
        sight.check_readable(caller)
        if latest_us is None and oldest_us is None and limit <= NEWEST_MAX:
            page = await self._newest(sight.conversation, limit)
        else:
            rows, has_more = await self._channels.history(
                channel_id, latest_us=latest_us, oldest_us=oldest_us, inclusive=inclusive, limit=limit
            )
            shown = await self.shown(sight.conversation, rows)
            page = History(shown, has_more, rows[-1].ts_us if rows else 0, await self._pins(channel_id))
        await self._note_own(caller, channel_id, page.messages)
        return page

    async def replies(
        self,
        caller: Caller,
        channel_id: str,
        ts_us: int,
        *,
        latest_us: int | None = None,
        oldest_us: int | None = None,
        inclusive: bool = False,
        limit: int = 100,
        after_us: int = 0,
    ) -> Replies:
        """Return the thread that the message `ts_us` is of, from its parent on; the page after a reply is `after_us`.

        The parent is there whatever the bounds say, as Slack has it. Refused as `history`, and `thread_not_found`.
        """
        sight = await self._directory.see(caller, channel_id)
        sight.check_readable(caller)
        parent = await self._channels.message(channel_id, ts_us)
        if parent is not None and parent.thread_ts_us:
            parent = await self._channels.message(channel_id, parent.thread_ts_us)
        if parent is None:
            raise Refused("thread_not_found")
        room = limit if after_us else limit - 1
        rows, has_more = await self._channels.replies(
            channel_id,
            parent.ts_us,
            latest_us=latest_us,
            oldest_us=max(after_us, oldest_us or 0) or None,
            # What is behind a page is strictly behind it.
            inclusive=inclusive and not after_us,
            limit=max(room, 1),
        )
        if not room:
            rows, has_more = [], bool(rows)
        shown = rows if after_us else [parent, *rows]
        messages = await self.shown(sight.conversation, shown)
        await self._note_own(caller, channel_id, messages)
        return Replies(messages, has_more, shown[-1].ts_us if shown else 0)

    async def one(self, conversation: Conversation, row: Message) -> Json:
        """Return one message as history shows it."""
        return (await self.shown(conversation, [row]))[0]

    async def both(
        self, conversation: Conversation, before: Message, after: Message, *, is_bare: bool = False
    ) -> tuple[Json, Json]:
        """Return a message as it is and as it becomes, in the same surroundings; `is_bare`: nothing stays put on it."""
        shape = await self.one(conversation, before)
        around = {name: shape[name] for name in _AROUND if name in shape and not (is_bare and name in _PUT_ON)}
        return shape, shapes.message(after, conversation.team_id) | around

    async def shown(self, conversation: Conversation, rows: Sequence[Message]) -> list[Json]:
        """Return messages as history shows them: with what their threads amount to and what was put on them."""
        if not rows:
            return []
        channel_id = conversation.id
        parents = [row.ts_us for row in rows if not row.thread_ts_us]
        threads = await self._channels.threads(channel_id, parents) if parents else {}
        replied = [ts_us for ts_us, thread in threads.items() if thread.reply_count]
        repliers = await self._channels.repliers(channel_id, replied) if replied else {}
        annotations = await self._channels.annotations(channel_id, [row.ts_us for row in rows])
        return [
            shapes.message(
                row,
                conversation.team_id,
                threads.get(row.ts_us),
                repliers.get(row.ts_us, ()),
                annotations.get(row.ts_us, ()),
            )
            for row in rows
        ]

    async def _newest(self, conversation: Conversation, limit: int) -> History:
        """Return the first `limit` messages of the newest page, which is kept as it is shown."""

        async def load() -> Json:
            rows, has_more = await self._channels.history(conversation.id, limit=NEWEST_MAX)
            messages = await self.shown(conversation, rows)
            return {"messages": messages, "has_more": has_more, "pin_count": await self._pins(conversation.id)}

        page = await self._lookups.newest(conversation.id, load)
        found: list[Json] = [dict(message) for message in page["messages"][:limit]]
        has_more = bool(page["has_more"]) or len(page["messages"]) > limit
        return History(found, has_more, us_from_ts(found[-1]["ts"]) if found else 0, page["pin_count"])

    async def _pins(self, channel_id: str) -> int:
        return await self._channels.count_annotated(channel_id, AnnotationKind.PIN, PINS_COUNTED_MAX)

    async def _note_own(self, caller: Caller, channel_id: str, messages: Sequence[Json]) -> None:
        """Say of messages what is so for the caller only."""
        await self._note_subscribed(caller, channel_id, messages)
        await self._note_reacted(caller, channel_id, messages)

    async def _note_reacted(self, caller: Caller, channel_id: str, messages: Sequence[Json]) -> None:
        """Name the caller among those who reacted, also where only the first are named: else it cannot know of itself.

        Pages are shared between callers, so what is said to one is a list of its own.
        """
        unsure = {us_from_ts(each["ts"]): each for each in messages if _may_be_unnamed(each, caller.user_id)}
        stamps = list(unsure)
        for start in range(0, len(stamps), MESSAGES_A_STATEMENT):
            some = stamps[start : start + MESSAGES_A_STATEMENT]
            rows = await self._channels.annotated_by_user(channel_id, some, AnnotationKind.REACTION, caller.user_id)
            for row in rows:
                message = unsure[row.ts_us]
                message["reactions"] = [_naming(each, row) for each in message["reactions"]]

    async def _note_subscribed(self, caller: Caller, channel_id: str, messages: Sequence[Json]) -> None:
        """Say of the parents among these whether the caller follows their threads: who takes part in one does."""
        unknown: dict[int, Json] = {}
        for message in messages:
            if "reply_users" not in message:
                continue
            message["subscribed"] = caller.user_id in (message.get("user"), *message["reply_users"])
            if not message["subscribed"] and message["reply_users_count"] > len(message["reply_users"]):
                unknown[us_from_ts(message["ts"])] = message
        if unknown:
            for ts_us in await self._channels.threads_with(channel_id, list(unknown), caller.user_id):
                unknown[ts_us]["subscribed"] = True


def _may_be_unnamed(message: Json, user_id: str) -> bool:
    return any(
        each["count"] > len(each["users"]) and user_id not in each["users"] for each in message.get("reactions", ())
    )


def _naming(reaction: Json, row: AnnotationRow) -> Json:
    """Return a reaction with somebody of it named, last if not among the first."""
    if reaction["name"] != row.name or row.user_id in reaction["users"]:
        return reaction
    return {**reaction, "users": [*reaction["users"], row.user_id]}
