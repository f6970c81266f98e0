"""Posting and reading messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from opentelemetry import trace

from parley.event.v1 import event_pb2
from svc.kit.ids import is_id, ts_from_us, us_from_ts
from svc.kit.telemetry import inject_traceparent
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.values import NEWEST_MAX
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import NOTICES, Draft, Effect, Json, Mention, MessageDraft, Place, Write
from svc.webapp.domain import shapes
from svc.webapp.domain import text as text_rules
from svc.webapp.domain.bots import Bots
from svc.webapp.domain.caller import Caller
from svc.webapp.domain.direct import DirectMessages
from svc.webapp.domain.directory import DIRECT, Directory, Sight
from svc.webapp.domain.posts import Post
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, Message
from svc.webapp.store.workspace import WorkspaceStore

_BROADCAST = "thread_broadcast"
_FILE_SHARE = "file_share"


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is stored."""

    channel_id: str
    ts_us: int
    offset: int
    message: Json
    """As history would show it."""

    @property
    def ts(self) -> str:
        """The message's ts in Slack's form."""
        return ts_from_us(self.ts_us)

    @property
    def position(self) -> str:
        """`<channel>:<offset>`, by which our clients dedupe and resume."""
        return f"{self.channel_id}:{self.offset}"


@dataclass(frozen=True, slots=True)
class History:
    """A page of messages, newest first."""

    messages: list[Json]
    has_more: bool
    last_ts_us: int
    """ts of the oldest one here, where the next page goes on; 0 for an empty page."""


class Messages:
    """The rules of messages. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: Directory,
        direct: DirectMessages,
        lookups: Lookups,
        channels: ChannelStore,
        workspaces: WorkspaceStore,
        bots: Bots,
        writes: Writes,
    ) -> None:
        self._directory = directory
        self._direct = direct
        self._lookups = lookups
        self._channels = channels
        self._workspaces = workspaces
        self._bots = bots
        self._writes = writes
        self._tracer = trace.get_tracer("parley.webapp")

    async def post(
        self,
        caller: Caller,
        reference: str,
        post: Post,
        *,
        told: Sequence[Draft] = (),
        effects: Sequence[Effect] = (),
    ) -> Posted:
        """Store a message and its event, durably, before returning.

        `told` are events that the conversation hears after it, `effects` what else becomes true with it.

        `reference` is an id, `#name`, `name`, or a user (id or `@handle`: the IM with them, opened if need be). The
        same `client_msg_id` by the same user in the same conversation gives the message that is there already.
        Refused `channel_not_found`, `not_in_channel`, `is_archived`, `cannot_reply_to_message`, and as Post's checks
        do.
        """
        body, extra = post.body(), post.extra()
        sight = await self._addressed(caller, reference)
        sight.check_writable()
        parent = await self._parent(sight.conversation.id, post.thread_ts_us)
        # The event carries this span's context, so what admin, channel and gateways do hangs below it.
        with self._tracer.start_as_current_span("webapp.commit"):
            draft, fields = await self._draft(caller, sight.conversation.id, post, body, extra, parent)
            meant_for = await self._meant_for(caller, sight.conversation, draft)
            committed = await self._writes.commit(
                Write(
                    sight.conversation.id,
                    drafts=(draft, *told),
                    request_id=post.request_id(caller.user_id),
                    # Whoever left a moment ago, on another webapp, is refused by the transaction itself.
                    if_member=caller.user_id,
                    effects=(*effects, *((Mention(meant_for),) if meant_for else ())),
                )
            )
        if committed.refused:
            raise Refused("not_in_channel")
        place = committed.places[0]
        if committed.duplicate:
            return await self._as_stored(caller, place)
        return Posted(place.channel_id, place.ts_us, place.offset, _placed(fields, place.ts, parent))

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
            return await self._newest(sight.conversation, limit)
        rows, has_more = await self._channels.history(
            channel_id, latest_us=latest_us, oldest_us=oldest_us, inclusive=inclusive, limit=limit
        )
        return History(await self._shown(sight.conversation, rows), has_more, rows[-1].ts_us if rows else 0)

    async def _newest(self, conversation: Conversation, limit: int) -> History:
        """Return the first `limit` messages of the newest page, which is kept as it is shown."""

        async def load() -> Json:
            rows, has_more = await self._channels.history(conversation.id, limit=NEWEST_MAX)
            return {"messages": await self._shown(conversation, rows), "has_more": has_more}

        page = await self._lookups.newest(conversation.id, load)
        found: list[Json] = page["messages"][:limit]
        has_more = bool(page["has_more"]) or len(page["messages"]) > limit
        return History(found, has_more, us_from_ts(found[-1]["ts"]) if found else 0)

    async def _shown(self, conversation: Conversation, rows: Sequence[Message]) -> list[Json]:
        parents = [row.ts_us for row in rows if not row.thread_ts_us]
        threads = await self._channels.threads(conversation.id, parents) if parents else {}
        return [shapes.message(row, conversation.team_id, threads.get(row.ts_us)) for row in rows]

    async def _addressed(self, caller: Caller, reference: str) -> Sight:
        reference = reference.strip()
        if reference.startswith("@"):
            user = await self._workspaces.user_by_name(caller.team_id, reference[1:].lower())
            reference = user.id if user else ""
        if is_id(reference, "UW"):
            return await self._direct.with_user(caller, reference)
        return await self._directory.find(caller, reference)

    async def _parent(self, channel_id: str, thread_ts_us: int) -> Message | None:
        """Return the parent of the thread that `thread_ts_us` (a message of it) belongs to."""
        if not thread_ts_us:
            return None
        found = await self._channels.message(channel_id, thread_ts_us)
        if found is not None and found.thread_ts_us:
            found = await self._channels.message(channel_id, found.thread_ts_us)
        # Notices of who came and went take no replies.
        if found is None or found.subtype in NOTICES:
            raise Refused("cannot_reply_to_message")
        return found

    async def _draft(
        self, caller: Caller, channel_id: str, post: Post, body: str, extra: Json, parent: Message | None
    ) -> tuple[Draft, Json]:
        """Return the draft, and the message's fields without its place."""
        subtype, more = await self._authorship(caller, post)
        extra = {**more, **extra}
        if parent is not None:
            extra["parent_user_id"] = parent.user_id
        is_broadcast = parent is not None and post.reply_broadcast
        stored = MessageDraft(
            user_id=caller.user_id,
            text=body,
            bot_id=caller.bot_id,
            subtype=subtype or (_BROADCAST if is_broadcast else _FILE_SHARE if post.files else ""),
            thread_ts_us=parent.ts_us if parent else 0,
            reply_broadcast=is_broadcast,
            client_msg_id=post.client_msg_id,
            extra=shapes.encode_extra(extra),
        )
        fields = _fields(caller, stored, extra)
        root = {"root": shapes.message(parent, caller.team_id)} if parent and is_broadcast else {}

        def payload(place: Place) -> Json:
            return {**_placed(fields, place.ts, parent), **root, "channel": channel_id, "event_ts": place.ts}

        draft = Draft(
            event_pb2.EVENT_KIND_MESSAGE,
            payload,
            sender_id=caller.user_id,
            mentions=text_rules.mentions(body),
            message=stored,
            origin_connection_id=post.origin_connection_id,
            traceparent=inject_traceparent(),
        )
        return draft, fields

    async def _meant_for(self, caller: Caller, conversation: Conversation, draft: Draft) -> tuple[str, ...]:
        """Return the members whose mentions the message adds to: whom it names, all others in a direct conversation.

        A reply that only its thread shows adds to none: no read mark of the conversation would ever pass it.
        """
        if draft.message is None or not draft.message.is_to_read:
            return ()
        if conversation.kind in DIRECT:
            # Nobody comes or goes here, so what is cached is right.
            people: Collection[str] = (await self._lookups.first_members(conversation.id)).user_ids
        else:
            named = [user_id for user_id in draft.mentions if user_id != caller.user_id]
            people = await self._channels.members_among(conversation.id, named) if named else ()
        return tuple(sorted(set(people) - {caller.user_id}))

    async def _authorship(self, caller: Caller, post: Post) -> tuple[str, Json]:
        """Return the subtype and the fields that say which bot speaks, and under which name."""
        if not caller.is_bot:
            return "", {}
        bot = await self._bots.get(caller.team_id, caller.bot_id)
        more: Json = {"app_id": bot.app_id} if bot else {}
        if not post.username:
            return "", more | ({"bot_profile": shapes.bot_profile(bot)} if bot else {})
        more["username"] = post.username[:80]
        icons = {"emoji": post.icon_emoji} if post.icon_emoji else {"image_48": post.icon_url} if post.icon_url else {}
        return "bot_message", more | ({"icons": icons} if icons else {})

    async def _as_stored(self, caller: Caller, place: Place) -> Posted:
        found = await self._channels.message(place.channel_id, place.ts_us)
        shape = shapes.message(found, caller.team_id) if found else {"type": "message", "ts": place.ts}
        return Posted(place.channel_id, place.ts_us, place.offset, shape)


def _fields(caller: Caller, stored: MessageDraft, extra: Json) -> Json:
    return shapes.message_fields(
        caller.team_id,
        user_id=stored.user_id,
        bot_id=stored.bot_id,
        subtype=stored.subtype,
        text=stored.text,
        client_msg_id=stored.client_msg_id,
        extra=extra,
    )


def _placed(fields: Json, ts: str, parent: Message | None) -> Json:
    placed = {**fields, "ts": ts}
    if parent is not None:
        placed["thread_ts"] = ts_from_us(parent.ts_us)
    return placed


def check_socket_text(text: str) -> None:
    """Check the narrower bound of a post over a socket. Refused `msg_too_long`."""
    if len(text) > text_rules.RTM_TEXT_CHARS_MAX:
        raise Refused("msg_too_long")
