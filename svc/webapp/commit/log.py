"""What a write to a channel's log is, and what becomes of it: plain values that domain, plan and committer share.

`plan` has the rules by which writes get their places; this file only says what they are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.kit.ids import ts_from_us
from svc.webapp.commit.alter import (
    ANNOTATION_NAME_CHARS_MAX,
    CHANGES_MAX,
    ITEM_BYTES_MAX,
    ITEM_ID_CHARS_MAX,
    Annotation,
    AnnotationKind,
    Guard,
    Item,
    ItemKind,
    MessageChange,
    MessageRemoval,
)
from svc.webapp.commit.consequences import (
    Effect,
    Follow,
    Json,
    Mention,
    MentionEverybody,
    PutApp,
    PutDirectory,
    PutEmoji,
    PutFile,
    PutPassword,
    PutTeamIcon,
    PutUser,
    PutUserGroup,
    Revoke,
    Unfollow,
    Unmention,
    UnmentionEverybody,
    Unshare,
)
from svc.webapp.store.rows import Conversation

__all__ = [
    "ANNOTATION_NAME_CHARS_MAX",
    "CHANGES_MAX",
    "DRAFTS_MAX",
    "EFFECTS_MAX",
    "ITEM_BYTES_MAX",
    "ITEM_ID_CHARS_MAX",
    "NOTHING_TO_READ",
    "NOTICES",
    "REQUEST_ID_BYTES_MAX",
    "Annotation",
    "AnnotationKind",
    "Committed",
    "Draft",
    "Effect",
    "Follow",
    "Guard",
    "Item",
    "ItemKind",
    "Json",
    "Mention",
    "MentionEverybody",
    "MessageChange",
    "MessageDraft",
    "MessageRemoval",
    "Place",
    "PutApp",
    "PutDirectory",
    "PutEmoji",
    "PutFile",
    "PutPassword",
    "PutTeamIcon",
    "PutUser",
    "PutUserGroup",
    "Revoke",
    "Unfollow",
    "Unmention",
    "UnmentionEverybody",
    "Unshare",
    "Write",
]

DRAFTS_MAX = 100
"""Events of one write. Inviting a hundred people at once is the largest that the Web API needs."""
EFFECTS_MAX = 200
"""Effects of one write: each member may be told, and the directory."""
REQUEST_ID_BYTES_MAX = 200
"""Of an idempotency key, as UTF-8: a user id, a colon and a client's UUID are 48; the column's width."""
NOTICES = frozenset({"channel_join", "channel_leave", "group_join", "group_leave"})
"""Subtypes of messages that tell who came and went: shown, and nothing that anybody has to read."""
NOTHING_TO_READ = NOTICES | {"tombstone"}
"""Subtypes of messages that make nothing unread: notices, and what is left of a removed message that has replies."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event ends up: known only once it is planned, so payloads are functions of it."""

    channel_id: str
    offset: int
    ts_us: int

    @property
    def ts(self) -> str:
        """Slack's form: seconds, a point, six digits."""
        return ts_from_us(self.ts_us)

    @property
    def position(self) -> str:
        """`<channel>:<offset>`, by which our clients dedupe and resume."""
        return f"{self.channel_id}:{self.offset}"


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """The message row that an event brings; it takes the event's ts and offset."""

    user_id: str
    text: str
    bot_id: str = ""
    subtype: str = ""
    thread_ts_us: int = 0
    reply_broadcast: bool = False
    client_msg_id: str = ""
    extra: bytes = b""

    @property
    def is_to_read(self) -> bool:
        """Whether the conversation is unread by it: what its history shows, notices apart."""
        return (not self.thread_ts_us or self.reply_broadcast) and self.subtype not in NOTHING_TO_READ


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to persist.

    `payload(place)` returns the client-facing JSON object (at most 512 KiB encoded); it may be called more than once,
    so it is a pure function. The plan adds "position" and, where missing, "event_ts" (and "ts" when the draft brings a
    message); None: nothing for clients. `model_change` has the event's offset stamped as `version` on its objects.
    """

    kind: event_pb2.EventKind.ValueType
    payload: Callable[[Place], Json | None]
    sender_id: str = ""
    mentions: tuple[str, ...] = ()
    message: MessageDraft | None = None
    origin_connection_id: str = ""
    traceparent: str = ""
    subscription_change: event_pb2.SubscriptionChange | None = None
    model_change: boot_pb2.ModelChange | None = None
    away_change: event_pb2.AwayChange | None = None
    revocation: event_pb2.Revocation | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Everything that one request changes in one channel: becomes true together, or not at all.

    `request_id`: caller's idempotency key in this channel ("" = none), at most 200 bytes; the same key again gives the
    first write's answer. Scope keys that clients choose by their user, so that nobody can claim another's.
    `if_member` / `unless_member`: the write is refused (nothing changes) unless the user is (is not) a member when the
    channel's head is locked; `unless_members`: unless none of them is. `create` inserts the conversation (kept as it is
    when it exists); `change` updates columns of it by name. Who comes and goes is told by the first draft's event. At
    most DRAFTS_MAX drafts and EFFECTS_MAX effects.
    `changed` to `items_dropped` are of what is there when the head is locked: at most CHANGES_MAX of each, each thing
    once. The change of anything is an event: a write with one of these has at least one draft (whose payload may be
    None). What the write itself posts cannot be named by them.
    """

    channel_id: str
    drafts: tuple[Draft, ...] = ()
    request_id: str = ""
    members_added: tuple[str, ...] = ()
    members_removed: tuple[str, ...] = ()
    create: Conversation | None = None
    change: Mapping[str, str | int | bool] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    if_member: str = ""
    unless_member: str = ""
    unless_members: tuple[str, ...] = ()
    unless_last: bool = False
    """Refused when nobody would be left of the members after those removed here are gone."""
    if_message_us: int = 0
    """ts of a message of the channel that has to be there: a reply's parent is not removed behind its back; 0: none."""
    if_revision_us: int = 0
    """Of the conversation as it was read: two who change it at once do not undo each other's change unseen; 0: any."""
    unless_archived: bool = False
    """Refused when the conversation is archived at the moment of the commit: its last word is that it was."""
    changed: tuple[MessageChange, ...] = ()
    removed: tuple[MessageRemoval, ...] = ()
    annotated: tuple[Annotation, ...] = ()
    """On messages that are there; refused when one is on its message already."""
    unannotated: tuple[Annotation, ...] = ()
    """Refused when one is not on its message."""
    items: tuple[Item, ...] = ()
    items_dropped: tuple[tuple[ItemKind, str], ...] = ()
    """By kind and id; refused when there is none, so of two who take one only one succeeds."""

    @property
    def alters(self) -> bool:
        """Whether it changes what was there before it, and so has to be told what that is."""
        return bool(
            self.changed or self.removed or self.annotated or self.unannotated or self.items or self.items_dropped
        )


class OutcomeUnknownError(UnavailableError):
    """The write may have become true: its commit was under way when the database went. Not to be repeated blindly."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a write. It is durable, unless `refused`."""

    channel_id: str
    places: tuple[Place, ...]
    """One for each draft, in order; those of the first write when `duplicate`."""
    ts_us: int
    """ts of the first draft (of the write itself when it has none)."""
    duplicate: bool = False
    """The request id was used before: nothing was written now."""
    refused: bool = False
    """A guard did not hold: nothing was written, `places` is empty."""
    refused_by: Guard | None = None
    """Which; None unless `refused`."""
    events: tuple[event_pb2.Event, ...] = ()
    """As committed; empty for a duplicate."""
    next_offset: int = 0
    """The offset that the write's first event got, or would have got; 0 when nothing was written."""
