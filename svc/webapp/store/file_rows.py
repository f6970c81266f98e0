"""What the workspace keyspace holds of files: one frozen value a row, as in `rows`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["File", "FileShare", "FileState"]


class FileState(IntEnum):
    """How far a file has come; the numbers are stored, and only grow."""

    PENDING = 1
    """Promised, perhaps uploaded, shown to nobody."""
    READY = 2
    DELETED = 3
    """Its bytes may still be there."""
    GONE = 4
    """Deleted, and its bytes are removed."""


@dataclass(frozen=True, slots=True)
class File:
    """What is said of a file."""

    team_id: str
    id: str
    user_id: str
    """Its owner."""
    state: FileState
    name: str
    """At most 255 characters, as svc.webapp.files.names cleans it."""
    title: str
    filetype: str
    """As svc.webapp.files.kinds has it."""
    size: int
    """Bytes."""
    created_s: int
    extra: str = "{}"
    """JSON object with what else belongs to it: its preview, its size as a picture…"""
    revision_us: int = 0
    """Which write made this version; a lower one never replaces a higher one."""


@dataclass(frozen=True, slots=True)
class FileShare:
    """One of those who see a file: its owner, or a conversation."""

    team_id: str
    file_id: str
    channel_id: str
    """A conversation's, or the owner's."""
    ts_us: int
    """The message that brought it; 0 for its owner."""
    kind: int
    """Of the conversation, a ConversationKind; 0 for its owner."""
    user_id: str
    """The file's owner."""
    family: str
    """What kind of file it is, for lists: one of svc.webapp.files.kinds.FAMILIES."""
    created_s: int
    """The file's."""
