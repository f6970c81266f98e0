"""What a run leaves for the judge: posts, what arrived on which stream, and what was stored in the end. Pure values.

Times are monotonic seconds of this machine; they compare between processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Outcome(Enum):
    """What the poster knows about a post in the end."""

    ACKED = "acked"
    """Answered with `ok`: it must be there, once."""
    REFUSED = "refused"
    """Answered with a reason that no other try changes."""
    UNKNOWN = "unknown"
    """Given up with at least one try unanswered: it may be there, at most once."""


class Kind(Enum):
    """What a reader can do, which decides what it is owed."""

    RESUMING = "resuming"
    """Our client library: owed everything, through any number of connections."""
    PLAIN = "plain"
    """A bare WebSocket that reconnects and cannot resume: owed what was posted while it was connected."""
    SDK = "sdk"
    """slack_sdk's RTM client: as PLAIN, but the end of a connection is known by its last frame alone."""


@dataclass(frozen=True, slots=True)
class Post:
    """One message that somebody wanted to post, over all tries. `key` is its client_msg_id, unique in the run.

    `writer` names the stream whose socket it was posted on, which gets the acknowledgement instead of the event; "" for
    posts by HTTP. `ts` and `offset` are as acknowledged.
    """

    key: str
    channel_id: str
    begun_at: float
    ended_at: float
    outcome: Outcome
    ts: str = ""
    offset: int = 0
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A persisted event that reached the application. `key` is "" for all but messages of the run.

    `session` numbers the connections of the stream, from 0.
    """

    channel_id: str
    offset: int
    ts: str
    key: str
    at: float
    session: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One connection: from its hello, or from the end of a resume, to its end; None while it lasted to the end."""

    hello_at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """An explicit `resume_failed` for a channel: what was missed up to `offset` will not come.

    `after` is the number of arrivals that the stream had before it.
    """

    channel_id: str
    offset: int
    after: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Everything that one reader received, in order."""

    name: str
    user_id: str
    kind: Kind
    sessions: tuple[Session, ...]
    arrivals: tuple[Arrival, ...]
    resets: tuple[Reset, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the durable log. `is_visible` says that clients get a frame for it; `key` as for Arrival."""

    offset: int
    ts: str
    key: str
    is_visible: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the run as conversations.history shows it."""

    ts: str
    key: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody did to a message, over all tries. `claim` says what, in the words of its event."""

    channel_id: str
    claim: str
    begun_at: float
    ended_at: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that reached an app; `subject` says what, `session` numbers its connections from 1: within one of them
    what comes first comes in order.
    """

    event_id: str
    channel_id: str
    subject: str
    session: int


@dataclass(frozen=True, slots=True)
class App:
    """What an app of the run heard, in order, and the conversations that it is in."""

    name: str
    channels: frozenset[str]
    heard: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message that was scheduled: acknowledged and wanted, it is posted once; taken back (not wanted), never."""

    key: str
    channel_id: str
    post_at: int
    """Unix seconds."""
    outcome: Outcome
    is_wanted: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """What the Web API says of a conversation in the end."""

    members: frozenset[str]
    topic: str
    name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the Web API shows it in the end; `reactions` are (name, users in their order)."""

    ts: str
    text: str
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A whole run.

    `members` names the judged conversations and who is in each; `base` is each one's head when the load began: what is
    older is not judged. `log` and `history` are whole, in order of offset, and of ts.
    """

    members: Mapping[str, frozenset[str]]
    base: Mapping[str, int]
    posts: tuple[Post, ...]
    streams: tuple[Stream, ...]
    log: Mapping[str, tuple[Entry, ...]]
    history: Mapping[str, tuple[Told, ...]]
    ended_at: float
    changes: tuple[Change, ...] = ()
    payloads: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """What clients get of each event of the log, in order; {} where that is nothing."""
    shown: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict)
    """Whole histories; and once more, from reactions.get, some of the messages that have reactions."""
    apps: tuple[App, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()
    standing: Mapping[str, Standing] = field(default_factory=dict)
