"""What a message is before it is stored: what the caller gave, checked by the rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from svc.webapp.commit.log import Json
from svc.webapp.domain.messages import text as text_rules
from svc.webapp.domain.messages.blocks import checked_blocks
from svc.webapp.domain.refusal import Refused
from svc.webapp.unfurl.links import may_link
from svc.webapp.unfurl.offers import Wish, wish_of

ATTACHMENTS_MAX = 100
METADATA_BYTES_MAX = 8_000
MARKDOWN_CHARS_MAX = 12_000
"""Slack's limits."""

EXTRA_BYTES_MAX = 256 * 1024
"""Blocks and attachments as stored. An event's payload may have 512 KiB, of which text takes at most 160."""

CLIENT_MSG_ID_CHARS_MAX = 64
"""A UUID has 36."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message that someone wants to post."""

    text: str = ""
    markdown_text: str = ""
    blocks: Sequence[object] = ()
    attachments: Sequence[object] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    thread_ts_us: int = 0
    """ts of a message in the thread; 0 for a message of its own."""
    reply_broadcast: bool = False
    client_msg_id: str = ""
    username: str = ""
    icon_emoji: str = ""
    icon_url: str = ""
    mrkdwn: bool = True
    link_names: bool = False
    """Whether `@name` and `#name` in the text are to become what they name (also with `parse=full`)."""
    is_parsed: bool = False
    """`parse=full`: addresses in the text become links, too."""
    is_me: bool = False
    """Says what its author does, as `/me` does."""
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    """Whether previews of links to words, and to pictures and films, are wanted; None: as is usual for its author."""
    files: Sequence[Json] = ()
    """Objects of the files that it brings, as `files.shape` makes them."""
    origin_connection_id: str = ""
    """The socket that posts; it gets the answer instead of the event."""

    def body(self) -> str:
        """Return the text as it will be stored. Refused `no_text`, `markdown_text_conflict`, `msg_too_long`."""
        stored = checked_text(self.text, self.markdown_text, self.blocks)
        if not stored.strip() and not self.blocks and not self.attachments and not self.files:
            raise Refused("no_text")
        return stored

    def extra(self) -> Json:
        """Return what is stored beside the text.

        Refused `invalid_blocks`, `invalid_blocks_format`, `too_many_attachments`, `invalid_attachments`,
        `invalid_metadata_format`, `metadata_too_large`, `msg_too_long`.
        """
        extra: Json = {}
        if self.blocks:
            extra["blocks"] = stored_blocks(self.blocks)
        if self.attachments:
            extra["attachments"] = stored_attachments(self.attachments)
        if self.metadata:
            extra["metadata"] = checked_metadata(self.metadata)
        if not self.mrkdwn:
            extra["mrkdwn"] = False
        if self.files:
            extra |= {"files": list(self.files), "upload": True, "display_as_bot": False}
        check_size(extra)
        return extra

    def wish(self, body: str, *, is_bot: bool) -> Wish | None:
        """Return of which of its links previews are wanted; None when it has none, or of none. `body`: as stored."""
        # Blocks are looked into later: most that there are have a link.
        if not may_link(body) and not self.blocks:
            return None
        wish = wish_of(is_bot=is_bot, links=self.unfurl_links, media=self.unfurl_media)
        return wish if wish.is_any else None

    def request_id(self, user_id: str) -> str:
        """Return the idempotency key of this post by `user_id`; "" when the client gave none.

        It holds the user's id, so that nobody can claim another's key, and a digest, so that its length is bounded.
        Files are brought into a conversation together once, so their ids are a key.
        Refused `invalid_arguments` when the client's own is too long.
        """
        if not self.client_msg_id and self.files:
            ids = ",".join(sorted(str(file["id"]) for file in self.files))
            return f"files:{user_id}:{sha256(ids.encode()).hexdigest()[:40]}"
        if not self.client_msg_id:
            return ""
        if len(self.client_msg_id) > CLIENT_MSG_ID_CHARS_MAX:
            message = f"[ERROR] must have at most {CLIENT_MSG_ID_CHARS_MAX} characters [json-pointer:/client_msg_id]"
            raise Refused("invalid_arguments", {"response_metadata": {"messages": [message]}})
        return f"post:{user_id}:{sha256(self.client_msg_id.encode()).hexdigest()[:40]}"


def checked_text(text: str, markdown_text: str, blocks: Sequence[object]) -> str:
    """Return the text as it will be stored. Refused `markdown_text_conflict`, `msg_too_long`."""
    if not markdown_text:
        return text_rules.stored_text(text)
    if text or blocks:
        raise Refused("markdown_text_conflict")
    if len(markdown_text) > MARKDOWN_CHARS_MAX:
        raise Refused("msg_too_long")
    return text_rules.stored_text(markdown_text)


def stored_blocks(blocks: Sequence[object]) -> list[Json]:
    """Return blocks as they are stored, each with its id. Refused as `checked_blocks` does."""
    return _with_block_ids(checked_blocks(blocks))


def stored_attachments(attachments: Sequence[object]) -> list[Json]:
    """Return attachments as they are stored, numbered. Refused `too_many_attachments`, `invalid_attachments`."""
    if len(attachments) > ATTACHMENTS_MAX:
        raise Refused("too_many_attachments")
    objects = [item for item in attachments if isinstance(item, dict)]
    if len(objects) != len(attachments):
        raise Refused("invalid_attachments")
    return _numbered(objects)


def checked_metadata(metadata: Mapping[str, object]) -> Json:
    """Return a message's metadata. Refused `invalid_metadata_format`, `metadata_too_large`."""
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if len(orjson.dumps(dict(metadata))) > METADATA_BYTES_MAX:
        raise Refused("metadata_too_large")
    return dict(metadata)


def check_size(extra: Mapping[str, object]) -> None:
    """Check what is stored beside a text. Refused `msg_too_long`."""
    if len(orjson.dumps(extra)) > EXTRA_BYTES_MAX:
        raise Refused("msg_too_long")


def _with_block_ids(blocks: Sequence[Json]) -> list[Json]:
    # Interactive clients answer by block_id, so each block has one, made from its content and place when not given.
    return [
        block
        if isinstance(block.get("block_id"), str) and block["block_id"]
        else {**block, "block_id": sha256(orjson.dumps([index, block])).hexdigest()[:5]}
        for index, block in enumerate(blocks)
    ]


def _numbered(attachments: Sequence[Json]) -> list[Json]:
    return [
        {
            **attachment,
            "id": index,
            "fallback": str(
                attachment.get("fallback")
                or attachment.get("text")
                or attachment.get("title")
                or "[no preview available]"
            ),
        }
        for index, attachment in enumerate(attachments, start=1)
    ]
