"""Keys, and which of them a write makes wrong. Pure.

Whoever writes a cached row in another way than through the log names its key beside the write; for what goes through
the log these functions are that place. Each write of the log is answered for twice: by `changed_by`, right after its
commit, and by `behind_event` or `behind_effect`, from the rows that the commit left in the outbox, when the webapp that
committed died before it got there. So what `changed_by` names, the others have to name as well: a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator

from parley.event.v1 import event_pb2
from svc.webapp.cache import policy
from svc.webapp.commit.log import (
    Effect,
    Follow,
    Mention,
    PutApp,
    PutDirectory,
    PutTeamIcon,
    PutUser,
    PutUserGroup,
    Revoke,
    Unfollow,
    Unmention,
    Write,
)

__all__ = [
    "app_key",
    "behind_effect",
    "behind_event",
    "changed_by",
    "commands_key",
    "conversation_key",
    "count_key",
    "group_key",
    "member_key",
    "members_key",
    "newest_key",
    "prefs_key",
    "side_key",
    "sides_key",
    "team_key",
    "token_key",
    "user_key",
]

_CONVERSATIONS = "CDG"
"""Letters of the channels that are conversations; users' and workspaces' have a log and nothing that is cached."""


def changed_by(write: Write) -> Iterator[str]:
    """Yield the keys whose rows the transaction of this write changes. What its effects change, they forget."""
    channel_id = write.channel_id
    if write.drafts and channel_id[:1] in _CONVERSATIONS:
        yield newest_key(channel_id)
    for user_id in (*write.members_added, *write.members_removed):
        yield member_key(channel_id, user_id)
    if write.members_added or write.members_removed:
        yield members_key(channel_id)
        yield count_key(channel_id)
    if write.create is not None or write.change:
        yield conversation_key(channel_id)


def behind_event(event: event_pb2.Event) -> Iterator[str]:
    """Yield the keys that the write of this event may have made wrong, effects apart."""
    if event.channel_id[:1] in _CONVERSATIONS:
        yield newest_key(event.channel_id)
        yield conversation_key(event.channel_id)


def behind_effect(channel_id: str, effect: Effect) -> Iterator[str]:
    """Yield the keys that this effect of a write on `channel_id`, or the write itself, may have made wrong."""
    match effect:
        case Follow() | Unfollow():
            yield member_key(channel_id, effect.user_id)
            yield members_key(channel_id)
            yield count_key(channel_id)
            yield side_key(effect.user_id, channel_id)
            yield sides_key(effect.user_id)
            yield conversation_key(channel_id)
        case PutDirectory():
            yield conversation_key(channel_id)
        case PutUser():
            yield user_key(effect.user["team_id"], effect.user["id"])
        case PutUserGroup():
            yield group_key(effect.group["team_id"], effect.group["id"])
        case Revoke():
            for token_hash in effect.token_hashes:
                yield token_key(bytes.fromhex(token_hash))
        case PutApp():
            yield app_key(effect.app["team_id"], effect.app["id"])
            yield commands_key(effect.app["team_id"])
        case PutTeamIcon():
            yield team_key(channel_id)
        case Mention() | Unmention():
            return  # counts are not cached


def token_key(token_hash: bytes) -> str:
    """Key of a token's record; the hash is not a secret that opens anything."""
    return f"{policy.TOKEN.prefix}:{token_hash.hex()}"


def member_key(channel_id: str, user_id: str) -> str:
    """Key of a membership, from the conversation's side."""
    return f"{policy.MEMBER.prefix}:{channel_id}:{user_id}"


def side_key(user_id: str, channel_id: str) -> str:
    """Key of a membership, from the user's side."""
    return f"{policy.SIDE.prefix}:{user_id}:{channel_id}"


def sides_key(user_id: str) -> str:
    """Key of all memberships of a user."""
    return f"{policy.SIDES.prefix}:{user_id}"


def members_key(channel_id: str) -> str:
    """Key of the first page of a conversation's members."""
    return f"{policy.MEMBERS.prefix}:{channel_id}"


def count_key(channel_id: str) -> str:
    """Key of the number of a conversation's members."""
    return f"{policy.COUNT.prefix}:{channel_id}"


def conversation_key(channel_id: str) -> str:
    """Key of a conversation."""
    return f"{policy.CONVERSATION.prefix}:{channel_id}"


def user_key(team_id: str, user_id: str) -> str:
    """Key of a user."""
    return f"{policy.USER.prefix}:{team_id}:{user_id}"


def team_key(team_id: str) -> str:
    """Key of a workspace."""
    return f"{policy.TEAM.prefix}:{team_id}"


def group_key(team_id: str, group_id: str) -> str:
    """Key of a user group."""
    return f"{policy.GROUP.prefix}:{team_id}:{group_id}"


def app_key(team_id: str, app_id: str) -> str:
    """Key of an app."""
    return f"{policy.APP.prefix}:{team_id}:{app_id}"


def commands_key(team_id: str) -> str:
    """Key of which app of a workspace has which slash command."""
    return f"{policy.COMMANDS.prefix}:{team_id}"


def prefs_key(user_id: str) -> str:
    """Key of what a user chose."""
    return f"{policy.PREFS.prefix}:{user_id}"


def newest_key(channel_id: str) -> str:
    """Key of the newest page of a conversation's history."""
    return f"{policy.NEWEST.prefix}:{channel_id}"
