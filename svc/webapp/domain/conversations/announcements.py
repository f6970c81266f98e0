"""What tells a conversation, a workspace and a user's own sockets who came and went, and what became of it. Pure."""

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
    invited: Json = {"inviter": inviter_id} if inviter_id else {}
    return (
        _membership(conversation, "member_joined_channel", user_id, inviter_id, traceparent),
        _notice(conversation, "join", user_id, f"<@{user_id}> has joined the channel", invited, traceparent),
    )


def left(conversation: Conversation, user_id: str, *, remover_id: str = "", traceparent: str = "") -> tuple[Draft, ...]:
    """Return what a conversation hears of a member that left, or was removed by `remover_id`: member_left_channel, and
    the channel_leave message.
    """
    how = f"was removed from the channel by <@{remover_id}>" if remover_id else "has left the channel"
    return (
        _membership(conversation, "member_left_channel", user_id, "", traceparent),
        _notice(conversation, "leave", user_id, f"<@{user_id}> {how}", {}, traceparent),
    )


def renamed(conversation: Conversation, by_id: str, name: str, traceparent: str = "") -> tuple[Draft, ...]:
    """Return what a conversation hears of its new name: group_rename where it is private, and the message."""
    text = f'<@{by_id}> has renamed the channel from "{conversation.name}" to "{name}"'
    notice = _notice(conversation, "name", by_id, text, {"old_name": conversation.name, "name": name}, traceparent)
    return (*_to_members(conversation, channel_rename(conversation, name), by_id, traceparent), notice)


def archived(conversation: Conversation, by_id: str, *, is_archived: bool, traceparent: str = "") -> tuple[Draft, ...]:
    """Return what a conversation hears of being archived, or of not being so any more."""
    verb, text = ("archive", "archived the channel") if is_archived else ("unarchive", "un-archived the channel")
    event = channel_archive(conversation, by_id, is_archived=is_archived)
    notice = _notice(conversation, verb, by_id, f"<@{by_id}> {text}", {}, traceparent)
    return (*_to_members(conversation, event, by_id, traceparent), notice)


def described(conversation: Conversation, by_id: str, what: str, value: str, traceparent: str = "") -> Draft:
    """Return the message by which a conversation hears of its new topic or purpose (`what`); "" clears it."""
    text = f"<@{by_id}> set the channel {what}: {value}" if value else f"<@{by_id}> cleared the channel {what}"
    return _notice(conversation, what, by_id, text, {what: value}, traceparent)


def channel_rename(conversation: Conversation, name: str) -> Json:
    """Return what everybody's sockets get of a public conversation's new name, and members' of a private one's."""
    is_public = conversation.kind is ConversationKind.PUBLIC
    channel = {
        "id": conversation.id,
        "name": name,
        "name_normalized": name,
        "created": conversation.created_s,
        "is_channel": is_public,
        "is_group": not is_public,
        "is_im": False,
        "is_mpim": conversation.kind is ConversationKind.MPIM,
    }
    return {"type": f"{_family(conversation)}_rename", "channel": channel}


def channel_archive(conversation: Conversation, by_id: str, *, is_archived: bool) -> Json:
    """Return what sockets get, as for `channel_rename`, of a conversation that was archived or unarchived."""
    verb = "archive" if is_archived else "unarchive"
    return {"type": f"{_family(conversation)}_{verb}", "channel": conversation.id, "user": by_id}


def direct_open(conversation: Conversation, user_id: str, *, is_open: bool) -> Json:
    """Return what a person's own sockets get when it opens a direct conversation, or puts it away."""
    kind = "im" if conversation.kind is ConversationKind.IM else "mpim"
    return {"type": f"{kind}_{'open' if is_open else 'close'}", "user": user_id, "channel": conversation.id}


def channel_joined(conversation: Conversation) -> Json:
    """Return what the joiner's own sockets get: the whole conversation, as group_joined where it is private."""
    return {"type": f"{_family(conversation)}_joined", "channel": shapes.conversation(conversation, is_member=True)}


def channel_left(conversation: Conversation, remover_id: str = "") -> Json:
    """Return what the leaver's own sockets get; `remover_id`: who made it leave."""
    event: Json = {"type": f"{_family(conversation)}_left", "channel": conversation.id}
    return event | {"actor_id": remover_id} if remover_id else event


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


def _family(conversation: Conversation) -> str:
    """Return what names of events begin with."""
    return "channel" if conversation.kind is ConversationKind.PUBLIC else "group"


def _to_members(conversation: Conversation, event: Json, by_id: str, traceparent: str) -> tuple[Draft, ...]:
    """Return the event as one of the conversation itself, unless it is public: then the whole workspace is told."""
    if conversation.kind is ConversationKind.PUBLIC:
        return ()
    return (Draft(event_pb2.EVENT_KIND_CHANNEL, lambda _: dict(event), sender_id=by_id, traceparent=traceparent),)


def _notice(conversation: Conversation, verb: str, user_id: str, text: str, extra: Json, traceparent: str) -> Draft:
    subtype = f"{_family(conversation)}_{verb}"
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
