"""What a write may do to what is there already: values that `log` passes on, and which `changes` has the rules of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from svc.webapp.store.rows import AnnotationKind, ItemKind

__all__ = [
    "ANNOTATION_NAME_CHARS_MAX",
    "CHANGES_MAX",
    "ITEM_BYTES_MAX",
    "ITEM_ID_CHARS_MAX",
    "Annotation",
    "AnnotationKind",
    "Guard",
    "Item",
    "ItemKind",
    "MessageChange",
    "MessageRemoval",
]

CHANGES_MAX = 100
"""Messages, annotations and items, of each, that one write may change."""
ANNOTATION_NAME_CHARS_MAX = 128
"""An emoji's name is at most 100, with a tone of skin 113; the column's width."""
ITEM_ID_CHARS_MAX = 64
"""The column's width: a conversation's id and a ts are 29."""
ITEM_BYTES_MAX = 256 * 1024
"""Of an item's body: a scheduled message with its blocks is the largest."""


class Guard(StrEnum):
    """What was not as a write requires it."""

    MEMBER = "member"
    """`if_member` is none, or `unless_member` or one of `unless_members` is one."""
    LAST = "last"
    """`unless_last`: those who leave are all who are left."""
    MESSAGE = "message"
    """A message is not there, or was changed since it was read; or one to be removed has replies."""
    ANNOTATION = "annotation"
    """One to be made is there already, one to be taken away is not."""
    ITEM = "item"
    """One that must be there is not, or the other way round."""
    CHANGED = "changed"
    """The conversation was changed since it was read: `if_revision_us` is not its revision."""
    ARCHIVED = "archived"
    """The conversation is archived."""


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message of the channel becomes this; what is None stays. Its ts and offset stay in any case, its revision
    becomes the offset of the write's first event. One that gets a subtype of NOTHING_TO_READ makes nothing unread; a
    reply that is broadcast is from then on what the conversation's readers have to read, at its own ts.
    """

    ts_us: int
    revision: int
    """Of the message as it was read: two who edit it at once do not undo each other's work unseen."""
    text: str | None = None
    extra: bytes | None = None
    subtype: str | None = None
    reply_broadcast: bool | None = None


@dataclass(frozen=True, slots=True)
class MessageRemoval:
    """A message of the channel is gone, with its annotations; its thread, if it is a reply, counts one less.

    Refused (Guard.MESSAGE) when it has replies that the same write does not remove: such a one is changed instead.
    """

    ts_us: int
    revision: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something on a message of the channel: there once for each kind, name and user."""

    ts_us: int
    kind: AnnotationKind
    name: str = ""
    user_id: str = ""
    by_id: str = ""
    """Who put it there."""


@dataclass(frozen=True, slots=True)
class Item:
    """A small thing that a channel holds: at most ITEM_BYTES_MAX of JSON, found by kind and id."""

    kind: ItemKind
    id: str
    """At most 64 characters."""
    body: bytes
    due_us: int = 0
    """When something has to become of it; 0: never."""
    is_new: bool | None = None
    """True: there must be none with this kind and id; False: there must be one; None: either."""
