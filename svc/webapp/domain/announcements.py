"""Drafts of the events that tell a conversation, and a user's own sockets, who came and went. Pure."""

from __future__ import annotations

from parley.event.v1 import event_pb2
from svc.webapp.commit.log import Draft, Json, MessageDraft, Place
from svc.webapp.domain import shapes
from svc.webapp.store.rows import Conversation, ConversationKind

_DIRECT = (ConversationKind.IM, ConversationKind.MPIM)


def joined(
    conversation: Conversation, user_id: str, *, inviter_id: str = "", traceparent: str = ""
) -> tuple[Draft, ...]:
    """Return what a conversation hears of a new member: member_joined_channel, and the channel_join message.

    Direct messages hear nothing: opening one is not an event in it.
    """
    if conversation.kind in _DIRECT:
        return ()
    return (
        _membership(conversation, "member_joined_channel", user_id, inviter_id, traceparent),
        _notice(conversation, "join", user_id, f"<@{user_id}> has joined the channel", inviter_id, traceparent),
    )


def left(conversation: Conversation, user_id: str, *, traceparent: str = "") -> tuple[Draft, ...]:
    """Return what a conversation hears of a member that left: member_left_channel, and the channel_leave message."""
    return (
        _membership(conversation, "member_left_channel", user_id, "", traceparent),
        _notice(conversation, "leave", user_id, f"<@{user_id}> has left the channel", "", traceparent),
    )


def channel_joined(conversation: Conversation) -> Json:
    """Return what the joiner's own sockets get: the whole conversation, as group_joined where it is private."""
    kind = "channel_joined" if conversation.kind is ConversationKind.PUBLIC else "group_joined"
    return {"type": kind, "channel": shapes.conversation(conversation, is_member=True)}


def channel_left(conversation: Conversation) -> Json:
    """Return what the leaver's own sockets get."""
    kind = "channel_left" if conversation.kind is ConversationKind.PUBLIC else "group_left"
    return {"type": kind, "channel": conversation.id}


def channel_created(conversation: Conversation) -> Json:
    """Return what everybody's sockets get when a public conversation is made."""
    return {
        "type": "channel_created",
        "channel": {
            "id": conversation.id,
            "name": conversation.name,
            "name_normalized": conversation.name,
            "is_channel": True,
            "created": conversation.created_s,
            "creator": conversation.creator_id,
            "context_team_id": conversation.team_id,
        },
    }


def im_created(conversation: Conversation, peer_user_id: str) -> Json:
    """Return what a person's own sockets get when a direct message with `peer_user_id` is made."""
    return {
        "type": "im_created",
        "user": peer_user_id,
        "channel": {
            "id": conversation.id,
            "user": peer_user_id,
            "is_im": True,
            "created": conversation.created_s,
        },
    }


def _membership(conversation: Conversation, kind: str, user_id: str, inviter_id: str, traceparent: str) -> Draft:
    event: Json = {
        "type": kind,
        "user": user_id,
        "channel": conversation.id,
        "channel_type": "C" if conversation.kind is ConversationKind.PUBLIC else "G",
        "team": conversation.team_id,
    }
    if inviter_id:
        event["inviter"] = inviter_id
    return Draft(event_pb2.EVENT_KIND_MEMBERSHIP, lambda _: dict(event), sender_id=user_id, traceparent=traceparent)


def _notice(conversation: Conversation, verb: str, user_id: str, text: str, inviter_id: str, traceparent: str) -> Draft:
    subtype = f"{'channel' if conversation.kind is ConversationKind.PUBLIC else 'group'}_{verb}"
    extra: Json = {"inviter": inviter_id} if inviter_id else {}
    fields = shapes.message_fields(conversation.team_id, user_id=user_id, text=text, subtype=subtype, extra=extra)

    def payload(place: Place) -> Json:
        return {**fields, "channel": conversation.id, "ts": place.ts, "event_ts": place.ts}

    return Draft(
        event_pb2.EVENT_KIND_MESSAGE,
        payload,
        sender_id=user_id,
        message=MessageDraft(user_id, text, subtype=subtype, extra=shapes.encode_extra(extra)),
        traceparent=traceparent,
    )
