"""What the three keyspaces hold: one frozen value a row, its fields named and ordered as the table's columns.

Instants end in their unit: `_s` unix seconds, `_ms` milliseconds, `_us` microseconds. An absent text is "", an absent
number 0; no column is NULL. `decode` turns rows into these values, so that a column is named in one place.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

__all__ = [
    "AnnotationKind",
    "AnnotationRow",
    "Bot",
    "Conversation",
    "ConversationKind",
    "Emoji",
    "ItemKind",
    "ItemRow",
    "Member",
    "Membership",
    "Message",
    "Prefs",
    "Team",
    "Thread",
    "Token",
    "TokenKind",
    "User",
    "UserGroup",
]


class ConversationKind(IntEnum):
    """What a conversation is; the numbers are those of parley.boot.v1.ChannelKind."""

    PUBLIC = 1
    PRIVATE = 2
    IM = 3
    MPIM = 4


class AnnotationKind(IntEnum):
    """What somebody puts on a message; the numbers are stored."""

    REACTION = 1
    """By name and user."""
    PIN = 2
    """One a message: `name` and `user_id` are ""."""


class ItemKind(IntEnum):
    """Small things that a channel holds beside its messages; the numbers are stored."""

    BOOKMARK = 1
    """Of a conversation."""
    SCHEDULED = 2
    """A message to be posted later; of the user's channel who will have posted it."""
    REMINDER = 3
    """Of the user's channel who is reminded."""
    SAVED = 4
    """What a user has starred; of its own channel."""
    CLOSED = 5
    """A direct conversation that a user has put away, by its id; of the user's own channel."""
    REMINDING = 6
    """Of the user's channel who has set a reminder for somebody else, by the reminder's id."""


class TokenKind(StrEnum):
    """Whom a token speaks for."""

    BOT = "bot"
    USER = "user"
    APP = "app"
    """An app as such, not its bot: opens Socket Mode connections, and nothing else."""
    WEB = "web"
    """A person in a browser, by its cookie. To the rules it is a USER."""


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace. `icon_url`: of its picture, "" for none; `icon_revision_us`: which write set it: the last stays."""

    id: str
    name: str
    domain: str
    """Lower case, unique in the installation."""
    created_s: int
    icon_url: str = ""
    icon_revision_us: int = 0


@dataclass(frozen=True, slots=True)
class User:
    """A member of a workspace: a person or a bot's user. Name and email are unique in the team ("" emails are not)."""

    id: str
    team_id: str
    name: str
    real_name: str = ""
    display_name: str = ""
    email: str = ""
    title: str = ""
    status_text: str = ""
    status_emoji: str = ""
    tz: str = "UTC"
    avatar_hash: str = ""
    bot_id: str = ""
    app_id: str = ""
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    deleted: bool = False
    created_s: int = 0
    updated_s: int = 0
    version: int = 0
    """Offset of the workspace's channel at which this version was made; 0 when never changed."""
    revision_us: int = 0
    """Which write made this version; a lower one never replaces a higher one. The store sets it."""
    first_name: str = ""
    last_name: str = ""
    """"" for the first word of the full name, and for the rest of it."""
    phone: str = ""
    pronouns: str = ""
    status_expiration_s: int = 0
    """When the status goes by itself; 0 for one that stays."""
    fields: str = ""
    """JSON object of further fields, `{id: {"value": …, "alt": …}}`; "" for none. At most 64 KiB."""
    picture_url: str = ""
    """Of its own picture; "" for the one that `avatar_hash` names."""


@dataclass(frozen=True, slots=True)
class UserGroup:
    """Users of a workspace that a message can name together."""

    id: str
    """S…"""
    team_id: str
    name: str
    handle: str
    """Lower case; taken in `names`, so no conversation has it."""
    description: str = ""
    channel_ids: str = "[]"
    """JSON list of the conversations that come with it."""
    user_ids: str = "[]"
    """JSON list of those in it, in order of id."""
    created_s: int = 0
    created_by: str = ""
    updated_s: int = 0
    updated_by: str = ""
    deleted_s: int = 0
    """When it was disabled; 0 while it is enabled."""
    deleted_by: str = ""
    additional_channel_ids: str = "[]"
    """JSON list of further conversations to which its users may be added."""
    is_section: bool = False
    """Whether its conversations are a section of its users' sidebars."""
    revision_us: int = 0
    """Which write made this version; a lower one never replaces a higher one."""


@dataclass(frozen=True, slots=True)
class Bot:
    """An app's bot: what posts through a bot token, beside the user that it acts as."""

    id: str
    team_id: str
    user_id: str
    app_id: str
    name: str
    deleted: bool = False
    updated_s: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. Its truth is in the channel keyspace; the directory copies public and private ones."""

    id: str
    team_id: str
    kind: ConversationKind
    name: str = ""
    """Lower case, unique in the team; "" for direct messages."""
    creator_id: str = ""
    created_s: int = 0
    topic: str = ""
    topic_by: str = ""
    topic_set_s: int = 0
    purpose: str = ""
    purpose_by: str = ""
    purpose_set_s: int = 0
    is_archived: bool = False
    is_general: bool = False
    version: int = 0
    """Directory only: offset of the workspace's channel at which this version was told; 0 when never."""
    updated_ms: int = 0
    revision_us: int = 0
    """ts of the write that made this version. The log sets it; a lower one never replaces a higher one."""
    previous_names: str = ""
    """Names that it had before, the newest first, separated by commas; at most 20."""


@dataclass(frozen=True, slots=True)
class Emoji:
    """A custom emoji of a workspace, or what is left of one."""

    team_id: str
    name: str
    """Without colons, lower case; at most 100 characters."""
    value: str
    """Address of the picture, or `alias:NAME`; at most 1,000 characters. "" when it was removed."""
    version: int = 0
    """Offset of the workspace's channel at which this version was told; 0 when never."""
    revision_us: int = 0
    """Which write made this version; a lower one never replaces a higher one."""


@dataclass(frozen=True, slots=True)
class Member:
    """Channel keyspace: a user in a conversation."""

    channel_id: str
    user_id: str
    joined_us: int


@dataclass(frozen=True, slots=True)
class Membership:
    """User keyspace: a conversation of a user; the same fact as Member from the other side."""

    user_id: str
    channel_id: str
    team_id: str
    kind: ConversationKind
    peer_user_id: str = ""
    """The other person of an IM (the user itself for notes to self); "" for all other kinds."""
    joined_us: int = 0
    last_read_us: int = 0
    from_offset: int = 0
    """Offset of the conversation's log before the join: a session that hears of it starts after this one."""
    revision_us: int = 0
    """ts in the conversation of the join or leave that made this true; a lower one never replaces a higher one."""
    active: bool = True
    """False: the user has left. Kept so that a late, repeated join cannot bring it back."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is now. Its ts is its identity in the conversation."""

    channel_id: str
    ts_us: int
    offset: int
    user_id: str
    bot_id: str
    subtype: str
    text: str
    thread_ts_us: int
    """ts of the thread's parent when it is a reply, else 0 (also on the parent)."""
    reply_broadcast: bool
    client_msg_id: str
    extra: bytes
    """JSON object with what else belongs to the message; b"" when nothing does."""
    revision: int = 0
    """Offset of the event that told its last change; its own offset while there was none."""


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """Something that is on a message."""

    channel_id: str
    ts_us: int
    """Of the message."""
    kind: AnnotationKind
    name: str
    user_id: str
    by_id: str
    at_us: int
    """Who put it there, and the ts of the write that did."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A small thing that a channel holds beside its messages."""

    channel_id: str
    kind: ItemKind
    id: str
    due_us: int
    """When something has to become of it; 0: never."""
    body: bytes
    """JSON."""
    at_us: int
    """ts of the write that put it there, as it is now."""


@dataclass(frozen=True, slots=True)
class Thread:
    """What a parent says about its replies."""

    channel_id: str
    ts_us: int
    reply_count: int
    latest_reply_us: int


@dataclass(frozen=True, slots=True)
class Token:
    """A token's record; the token itself is never stored, only its SHA-256."""

    user_id: str
    token_hash: bytes
    kind: TokenKind
    team_id: str
    bot_id: str = ""
    app_id: str = ""
    scopes: str = ""
    """Comma-separated, without spaces."""
    created_s: int = 0
    revoked_s: int = 0
    """0 while it is valid."""
    expires_s: int = 0
    """When it ends by itself; 0 for one that does not."""


@dataclass(frozen=True, slots=True)
class Prefs:
    """What a user chose; without a row it is as if nothing was."""

    user_id: str
    prefs: bytes = b"{}"
    """A JSON object, at most 64 KiB."""
    away: bool = False
    """Whether it said itself that it is away."""
    revision: int = 0
    """Counts the changes; 0 when there was none."""
