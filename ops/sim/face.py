"""The rules of a simulated webapp: posts, joins and leaves as the domain writes them, with no more than counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ops.sim.lookups import TEAM
from parley.event.v1 import event_pb2
from svc.kit.ids import ts_from_us
from svc.webapp.commit.effects import Stores, Writes
from svc.webapp.commit.log import Draft, Effect, Follow, Json, MessageDraft, Place, Unfollow, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.messages.messages import Posted, Ready
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.gathering.reads import SharedReads
from svc.webapp.limits.limiter import Unlimited
from svc.webapp.store.rows import ConversationKind


@dataclass(frozen=True, slots=True)
class Rules:
    """What posts and memberships go through (see Messages); `messages` is itself, as the servicer asks for it."""

    writes: Writes
    directory: Directory

    @property
    def messages(self) -> Rules:
        """See Services."""
        return self

    async def addressed(self, caller: Caller, reference: str) -> Sight:
        """See Messages.addressed."""
        return await self.directory.find(caller, reference)

    async def ready(self, caller: Caller, reference: str, post: Post) -> Ready:
        """See Messages.ready."""
        body, extra = post.body(), post.extra()
        sight = await self.addressed(caller, reference)
        sight.check_writable()
        return Ready(sight, post, body, extra, None)

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
        """See Messages.post."""
        extra = post.extra()

        def payload(place: Place) -> Json:
            return {
                "type": "message",
                "channel": place.channel_id,
                "user": caller.user_id,
                "text": post.text,
                "client_msg_id": post.client_msg_id,
                **extra,
                **({"thread_ts": ts_from_us(post.thread_ts_us)} if post.thread_ts_us else {}),
            }

        draft = Draft(
            event_pb2.EVENT_KIND_MESSAGE,
            payload,
            sender_id=caller.user_id,
            message=MessageDraft(
                caller.user_id,
                post.text,
                thread_ts_us=post.thread_ts_us,
                client_msg_id=post.client_msg_id,
                extra=shapes.encode_extra(extra),
            ),
            origin_connection_id=post.origin_connection_id,
        )
        committed = await self.writes.commit(
            Write(
                reference,
                (draft, *told),
                request_id=request_id or post.request_id(caller.user_id),
                if_member=caller.user_id,
                if_message_us=post.thread_ts_us,
                effects=tuple(effects),
            )
        )
        if committed.refused:
            raise Refused(str(committed.refused_by))
        place = committed.places[0]
        return Posted(place.channel_id, place.offset, place.ts_us, {"text": post.text})

    async def join(self, user_id: str, channel_id: str) -> bool:
        """See Conversations.admit."""
        committed = await self.writes.commit(
            Write(
                channel_id,
                (_told("member_joined_channel", user_id), _told("message", user_id)),
                members_added=(user_id,),
                unless_member=user_id,
                effects=(
                    Follow(
                        user_id,
                        TEAM,
                        ConversationKind.PUBLIC,
                        payload={"type": "channel_joined", "channel": {"id": channel_id}},
                    ),
                ),
            )
        )
        return not committed.refused

    async def leave(self, user_id: str, channel_id: str) -> bool:
        """See Conversations.leave."""
        committed = await self.writes.commit(
            Write(
                channel_id,
                (_told("member_left_channel", user_id),),
                members_removed=(user_id,),
                if_member=user_id,
                effects=(Unfollow(user_id, {"type": "channel_left", "channel": channel_id}),),
            )
        )
        return not committed.refused

    async def note(self, channel_id: str) -> None:
        """Write an event that has nothing for clients: a change of the model alone."""
        await self.writes.commit(Write(channel_id, (Draft(event_pb2.EVENT_KIND_CHANNEL, lambda _: None),)))


class Reads:
    """What reads for gateways go to; with `Rules`, the part of Services that the servicer needs."""

    def __init__(self, lookups: object, stores: Stores) -> None:
        self.lookups = lookups
        self.channels = stores.channels
        self.users = stores.users
        self.limits = Unlimited()
        self.shared = SharedReads(stores.workspaces, stores.channels, stores.users)
        self.messages: Rules


def _told(kind: str, user_id: str) -> Draft:
    return Draft(
        event_pb2.EVENT_KIND_MEMBERSHIP,
        lambda place: {"type": kind, "user": user_id, "channel": place.channel_id},
        sender_id=user_id,
    )
