"""Posting messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opentelemetry import trace

from parley.event.v1 import event_pb2
from svc.kit.ids import is_id, ts_from_us
from svc.kit.telemetry import inject_traceparent, span_within
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import NOTICES, Committed, Draft, Effect, Guard, Json, MessageDraft, Place, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.messages import text as text_rules
from svc.webapp.domain.messages.authorship import Authorship, has_scope
from svc.webapp.domain.messages.editing import BROADCAST
from svc.webapp.domain.messages.mentions import Audience, Named, named
from svc.webapp.domain.messages.naming import Naming
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ConversationKind, Message
from svc.webapp.store.workspace import WorkspaceStore
from svc.webapp.unfurl.offers import Offer, Offered, to_nobody

PUBLIC = "chat:write.public"
"""The scope of bots that post into public conversations which they are not in."""

_REFUSALS = {Guard.ARCHIVED: "is_archived", Guard.MESSAGE: "cannot_reply_to_message"}
"""What a refused write means; whoever is none of the members has left meanwhile."""

_FILE_SHARE = "file_share"
_ME = "me_message"


@dataclass(frozen=True, slots=True)
class Posted(Place):
    """A message that is stored, and where."""

    message: Json
    """As history would show it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A post that may be stored, as far as could be seen."""

    sight: Sight
    post: Post
    """With its names replaced."""
    body: str
    extra: Json
    parent: Message | None


@dataclass(frozen=True, slots=True)
class _Drafted:
    """A message's draft, its fields without its place, and whom it names."""

    draft: Draft
    fields: Json
    stored: MessageDraft
    who: Named


class Messages:
    """The rules of posting. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: Directory,
        direct: DirectMessages,
        channels: ChannelStore,
        workspaces: WorkspaceStore,
        authorship: Authorship,
        naming: Naming,
        audience: Audience,
        reading: Reading,
        writes: Writes,
        previews: Offer = to_nobody,
    ) -> None:
        """`previews`: takes messages with links when they are stored."""
        self._directory = directory
        self._direct = direct
        self._channels = channels
        self._workspaces = workspaces
        self._authorship = authorship
        self._naming = naming
        self._audience = audience
        self._reading = reading
        self._writes = writes
        self._previews = previews
        self._tracer = trace.get_tracer("parley.webapp")

    async def post(
        self,
        caller: Caller,
        reference: str,
        post: Post,
        *,
        told: Sequence[Draft] = (),
        effects: Sequence[Effect] = (),
        request_id: str = "",
    ) -> Posted:
        """Store a message and its event, durably, before returning.

        `told` are events that the conversation hears after it, `effects` what else becomes true with it. `request_id`:
        the idempotency key of who has one of its own.

        `reference` is an id, `#name`, `name`, or a user (id or `@handle`: the IM with them, opened if need be). The
        same `client_msg_id` by the same user in the same conversation gives the message that is there already.
        Refused `channel_not_found`, `not_in_channel`, `is_archived`, `cannot_reply_to_message`, and as Post's checks
        do.
        """
        ready = await self.ready(caller, reference, post)
        conversation, parent = ready.sight.conversation, ready.parent
        # The event carries this span's context, so what admin, channel and gateways do hangs below it.
        with span_within(self._tracer, "webapp.commit"):
            root = await self._reading.one(conversation, parent) if parent is not None else {}
            drafted = await self._draft(caller, ready, root)
            replied = (_replied(conversation.id, caller, root),) if parent is not None else ()
            mentioned: tuple[Effect, ...] = ()
            # A reply that only its thread shows adds to none: no read mark of the conversation would ever pass it.
            if drafted.stored.is_to_read:
                mentioned = await self._audience.mentioned(conversation, caller.user_id, drafted.who)
            committed = await self._writes.commit(
                Write(
                    conversation.id,
                    drafts=(drafted.draft, *replied, *told),
                    request_id=request_id or post.request_id(caller.user_id),
                    # Whoever left a moment ago, on another webapp, is refused by the transaction itself.
                    if_member=caller.user_id if ready.sight.is_member else "",
                    unless_archived=True,
                    if_message_us=parent.ts_us if parent is not None else 0,
                    effects=(*effects, *mentioned),
                )
            )
        if not committed.refused and not committed.duplicate:
            wish = post.wish(ready.body, is_bot=caller.is_bot)
            if wish is not None:
                self._previews(Offered(conversation.id, committed.places[0].ts_us, wish))
        return await self._posted(ready, committed, drafted.fields)

    async def ready(self, caller: Caller, reference: str, post: Post) -> Ready:
        """Return the post as it would be stored now. Refused as `post`; nothing is stored, but a direct conversation
        that was not there is opened.
        """
        if post.link_names or post.is_parsed:
            text = await self._naming.linked(caller, post.text, with_urls=post.is_parsed)
            post = replace(post, text=text, link_names=False, is_parsed=False)
        body, extra = post.body(), post.extra()
        sight = await self.addressed(caller, reference)
        _check_writable(caller, sight)
        return Ready(sight, post, body, extra, await self._parent(sight.conversation.id, post.thread_ts_us))

    async def addressed(self, caller: Caller, reference: str) -> Sight:
        """Return the conversation that a message goes to; see `post`. Refused `channel_not_found`."""
        reference = reference.strip()
        if reference.startswith("@"):
            user = await self._workspaces.user_by_name(caller.team_id, reference[1:].lower())
            reference = user.id if user else ""
        if is_id(reference, "UW"):
            return await self._direct.with_user(caller, reference)
        return await self._directory.find(caller, reference)

    async def _posted(self, ready: Ready, committed: Committed, fields: Json) -> Posted:
        if committed.refused:
            raise Refused(_REFUSALS.get(committed.refused_by or Guard.MEMBER, "not_in_channel"))
        place = committed.places[0]
        shape = _placed(fields, place.ts, ready.parent)
        if committed.duplicate:
            found = await self._channels.message(place.channel_id, place.ts_us)
            conversation = ready.sight.conversation
            shape = await self._reading.one(conversation, found) if found else {"type": "message", "ts": place.ts}
        return Posted(place.channel_id, place.offset, place.ts_us, shape)

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

    async def _draft(self, caller: Caller, ready: Ready, root: Json) -> _Drafted:
        post, parent, channel_id = ready.post, ready.parent, ready.sight.conversation.id
        subtype, more = await self._authorship.of(caller, post)
        extra = {**more, **ready.extra}
        is_broadcast = parent is not None and post.reply_broadcast
        if parent is not None:
            extra["parent_user_id"] = shapes.SLACKBOT if parent.subtype == shapes.TOMBSTONE else parent.user_id
        stored = MessageDraft(
            user_id=caller.user_id,
            text=ready.body,
            bot_id=caller.bot_id,
            subtype=_subtype(post, subtype, is_broadcast=is_broadcast),
            thread_ts_us=parent.ts_us if parent else 0,
            reply_broadcast=is_broadcast,
            client_msg_id=post.client_msg_id,
            extra=shapes.encode_extra(extra),
        )
        fields = shapes.message_fields(
            caller.team_id,
            user_id=stored.user_id,
            bot_id=stored.bot_id,
            subtype=stored.subtype,
            text=stored.text,
            client_msg_id=stored.client_msg_id,
            extra=extra,
        )
        who = named(ready.body, extra)

        def payload(place: Place) -> Json:
            shown = {**_placed(fields, place.ts, parent), "channel": channel_id, "event_ts": place.ts}
            return shown | {"root": shapes.slim(root)} if is_broadcast else shown

        draft = Draft(
            event_pb2.EVENT_KIND_MESSAGE,
            payload,
            sender_id=caller.user_id,
            mentions=who.users[: text_rules.MENTIONS_MAX],
            message=stored,
            origin_connection_id=post.origin_connection_id,
            traceparent=inject_traceparent(),
        )
        return _Drafted(draft, fields, stored, who)


def _replied(channel_id: str, caller: Caller, root: Json) -> Draft:
    """Return the event right behind a reply, that tells what its thread has become. `root`: the parent before it.

    Of replies at the same time some may tell the same count; who reads the parent gets the true one.
    """
    users = list(dict.fromkeys([*root.get("reply_users", ()), caller.user_id]))

    def payload(place: Place) -> Json:
        message = shapes.slim(root) | {
            "thread_ts": root["ts"],
            "reply_count": root.get("reply_count", 0) + 1,
            "reply_users_count": max(len(users), root.get("reply_users_count", 0)),
            "reply_users": users[: shapes.REPLY_USERS_MAX],
            # The reply is the event before this one.
            "latest_reply": ts_from_us(place.ts_us - 1),
            "is_locked": False,
        }
        message.pop("subscribed", None)
        hidden = {"type": "message", "subtype": "message_replied", "hidden": True}
        return {**hidden, "channel": channel_id, "message": message, "ts": place.ts, "event_ts": place.ts}

    return Draft(event_pb2.EVENT_KIND_MESSAGE, payload)


def _check_writable(caller: Caller, sight: Sight) -> None:
    is_open = sight.conversation.kind is ConversationKind.PUBLIC and caller.is_bot and has_scope(caller, PUBLIC)
    is_open = is_open or caller.guest_of == sight.conversation.id
    replace(sight, is_member=sight.is_member or is_open).check_writable()


def _subtype(post: Post, subtype: str, *, is_broadcast: bool) -> str:
    if post.is_me:
        return _ME
    return subtype or (BROADCAST if is_broadcast else _FILE_SHARE if post.files else "")


def _placed(fields: Json, ts: str, parent: Message | None) -> Json:
    placed = {**fields, "ts": ts}
    if parent is not None:
        placed["thread_ts"] = ts_from_us(parent.ts_us)
    return placed


def check_socket_text(text: str) -> None:
    """Check the narrower bound of a post over a socket. Refused `msg_too_long`."""
    if len(text) > text_rules.RTM_TEXT_CHARS_MAX:
        raise Refused("msg_too_long")
