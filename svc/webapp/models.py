"""Rows as the boot models that the edge holds. Pure."""

from typing import cast

import orjson

from parley.boot.v1 import boot_pb2
from svc.webapp.store.rows import Conversation, Emoji, Team, User

__all__ = ["channel_model", "emoji_model", "team_model", "user_model"]


def team_model(team: Team) -> boot_pb2.Team:
    """Return a workspace."""
    return boot_pb2.Team(
        id=team.id, name=team.name, domain=team.domain, created_unix_s=team.created_s, icon_url=team.icon_url
    )


def emoji_model(emoji: Emoji) -> boot_pb2.Emoji:
    """Return a custom emoji that was not removed."""
    return boot_pb2.Emoji(name=emoji.name, value=emoji.value)


def user_model(user: User) -> boot_pb2.User:
    """Return a user."""
    return boot_pb2.User(
        id=user.id,
        team_id=user.team_id,
        name=user.name,
        real_name=user.real_name,
        display_name=user.display_name,
        email=user.email,
        is_bot=user.is_bot,
        bot_id=user.bot_id,
        app_id=user.app_id,
        deleted=user.deleted,
        is_admin=user.is_admin,
        is_owner=user.is_owner,
        title=user.title,
        status_text=user.status_text,
        status_emoji=user.status_emoji,
        tz=user.tz,
        avatar_hash=user.avatar_hash,
        version=user.version,
        updated_unix_s=user.updated_s,
        first_name=user.first_name,
        last_name=user.last_name,
        phone=user.phone,
        pronouns=user.pronouns,
        status_expiration_unix_s=user.status_expiration_s,
        fields=profile_fields(user.fields) if user.fields else (),
        picture_url=user.picture_url,
    )


def profile_fields(stored: str) -> list[boot_pb2.ProfileField]:
    """Return the further fields of a profile, in order of id."""
    fields: dict[str, dict[str, str]] = orjson.loads(stored or "{}")
    return [
        boot_pb2.ProfileField(id=field_id, value=each["value"], alt=each["alt"])
        for field_id, each in sorted(fields.items())
    ]


def channel_model(conversation: Conversation) -> boot_pb2.Channel:
    """Return a conversation."""
    return boot_pb2.Channel(
        id=conversation.id,
        team_id=conversation.team_id,
        name=conversation.name,
        # The numbers are the same by definition.
        kind=cast("boot_pb2.ChannelKind.ValueType", int(conversation.kind)),
        creator_id=conversation.creator_id,
        created_unix_s=conversation.created_s,
        topic=conversation.topic,
        purpose=conversation.purpose,
        is_archived=conversation.is_archived,
        is_general=conversation.is_general,
        version=conversation.version,
        updated_unix_ms=conversation.updated_ms,
        topic_creator_id=conversation.topic_by,
        topic_set_unix_s=conversation.topic_set_s,
        purpose_creator_id=conversation.purpose_by,
        purpose_set_unix_s=conversation.purpose_set_s,
        previous_names=conversation.previous_names.split(",") if conversation.previous_names else (),
    )
