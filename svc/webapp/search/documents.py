"""Messages as an index holds them: made of their rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from svc.webapp.commit.log import NOTHING_TO_READ
from svc.webapp.domain.messages.text import mentions
from svc.webapp.domain.shapes import TOMBSTONE, decode_extra
from svc.webapp.search.words import plain_text, words
from svc.webapp.store.rows import AnnotationKind, AnnotationRow, Conversation, ConversationKind, Message

__all__ = ["FILE", "LINK", "PIN", "REACTION", "THREAD", "Document", "Key", "document", "for_user", "reacted"]

Key = tuple[str, int]
"""A message's conversation and ts: what a document is known by."""

LINK, REACTION, PIN, FILE, THREAD = "link", "reaction", "pin", "file", "thread"
WORDS_MAX = 4_000
"""Of one message, its attachments included; a text of 40,000 characters has 7,000."""
DEPTH_MAX = 8
"""To which blocks are looked into; Slack's are four deep."""
_TEXTS = ("text", "title", "pretext", "fallback", "value", "name")


@dataclass(frozen=True, slots=True)
class Document:
    """What can be asked of a message."""

    channel_id: str
    ts_us: int
    user_id: str
    """Its author; "" for none."""
    public_in: str
    """The workspace whose members may all read it; "" when only those in the conversation may."""
    words: tuple[str, ...]
    """In order; what stood apart is kept apart by nothing, so a phrase may run from a text into a title."""
    marks: tuple[str, ...]
    """What it has and is: LINK and the others, `reacted(name)`, `for_user(id)`. Without white space."""
    reaction_count: int = 0

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.channel_id, self.ts_us


def reacted(name: str) -> str:
    """Return the mark of a reaction, named without colons."""
    return f"r:{''.join(name.split())}"


def for_user(user_id: str) -> str:
    """Return the mark of a message that mentions a user."""
    return f"to:{user_id}"


def document(
    row: Message, conversation: Conversation, annotations: Sequence[AnnotationRow] = (), *, has_replies: bool = False
) -> Document | None:
    """Return a message as it is indexed; None for what nobody looks for: notices of who came, and what was removed."""
    if row.subtype in NOTHING_TO_READ or row.subtype == TOMBSTONE:
        return None
    extra = decode_extra(row.extra)
    found = [*words(plain_text(row.text)), *_further(row.text, extra)]
    is_public = conversation.kind is ConversationKind.PUBLIC
    return Document(
        row.channel_id,
        row.ts_us,
        row.user_id,
        conversation.team_id if is_public else "",
        tuple(found[:WORDS_MAX]),
        tuple(dict.fromkeys(_marks(row, extra, annotations, has_replies=has_replies))),
        sum(each.kind is AnnotationKind.REACTION for each in annotations),
    )


def _further(text: str, extra: Mapping[str, Any]) -> list[str]:
    """Return the words of what comes with a text: blocks, where they say something else, attachments, files' names."""
    found: list[str] = []
    for part in _texts([extra.get("attachments"), extra.get("files")]):
        found += words(plain_text(part))
    there = set(words(plain_text(text)))
    blocks = [word for part in _texts(extra.get("blocks")) for word in words(plain_text(part))]
    # Most messages have their text a second time, as a block.
    return found if there.issuperset(blocks) else found + blocks


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, list):
        for each in value:
            yield from _texts(each, depth + 1)
    elif isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and name in _TEXTS:
                yield each
            elif isinstance(each, list | dict):
                yield from _texts(each, depth + 1)


def _marks(
    row: Message, extra: Mapping[str, Any], annotations: Sequence[AnnotationRow], *, has_replies: bool
) -> Iterable[str]:
    if "<http" in row.text or "http://" in row.text or "https://" in row.text:
        yield LINK
    if extra.get("files"):
        yield FILE
    if row.thread_ts_us or has_replies:
        yield THREAD
    for each in annotations:
        if each.kind is AnnotationKind.REACTION:
            yield REACTION
            yield reacted(each.name)
        else:
            yield PIN
    for user_id in mentions(row.text):
        yield for_user(user_id)
