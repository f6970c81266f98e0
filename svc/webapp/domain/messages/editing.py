"""What is to become of a message, and who may say so. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from svc.webapp.commit.log import NOTHING_TO_READ, NOTICES, Effect, Json, PutFile, Unshare
from svc.webapp.domain import shapes
from svc.webapp.domain.messages import posts
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Message
from svc.webapp.unfurl.links import may_link, previewed_links
from svc.webapp.unfurl.previews import still_linked

__all__ = [
    "BROADCAST",
    "FILES_MAX",
    "Brought",
    "Edit",
    "broadcast",
    "is_own",
    "links_of",
    "may_delete",
    "may_update",
    "previewed",
    "unfurled",
]

BROADCAST = "thread_broadcast"
"""Subtype of a reply that its conversation shows as well."""


FILES_MAX = 20
"""Of one message: each takes up to 4 KB of one, which may have 256."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that a message is to show which was there before."""

    shown: Json
    """As the message has it."""
    effect: PutFile
    """By which the readers of the message see it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to become of a message. None: as it is; empty: gone."""

    text: str | None = None
    markdown_text: str = ""
    blocks: Sequence[object] | None = None
    attachments: Sequence[object] | None = None
    metadata: Mapping[str, object] | None = None
    file_ids: Sequence[str] | None = None
    """The files that it is to show, in order: some of its own, and some of `brought`."""
    brought: Mapping[str, Brought] = field(default_factory=dict)
    """By id, files of the caller that the message may show."""
    reply_broadcast: bool = False
    """A reply becomes one that its conversation shows as well; whatever else is as it is."""
    link_names: bool = False
    is_parsed: bool = False

    def applied(self, before: str, extra: Json) -> tuple[str, Json]:
        """Return a message's text and further fields as they become. Refused as a Post's are.

        A text by itself is the whole of it: blocks that said the same go. Blocks by themselves are, too.
        """
        after = dict(extra)
        text, is_worded = before, self.text is not None or bool(self.markdown_text)
        if is_worded or self.blocks is not None:
            text = posts.checked_text(self.text or "", self.markdown_text, self.blocks or ())
            after.pop("blocks", None)
        if self.blocks:
            after["blocks"] = posts.stored_blocks(self.blocks)
        if self.attachments is not None:
            after.pop("attachments", None)
        elif after.get("attachments"):
            had, has = _links(before, extra), _links(text, after)
            kept = still_linked(after.pop("attachments"), frozenset(had).difference(has))
            after |= {"attachments": kept} if kept else {}
        if self.attachments:
            after["attachments"] = posts.stored_attachments(self.attachments)
        if self.metadata is not None:
            after.pop("metadata", None)
        if self.metadata:
            after["metadata"] = posts.checked_metadata(self.metadata)
        if self.file_ids is not None:
            after["files"] = self._files(extra)
        if not text.strip() and not any(after.get(name) for name in ("blocks", "attachments", "files")):
            raise Refused("no_text")
        posts.check_size(after)
        return text, after

    def _files(self, extra: Json) -> list[Json]:
        """Refused `file_not_found`, `invalid_arguments`."""
        ids = list(self.file_ids or ())
        if len(ids) > FILES_MAX:
            raise Refused("invalid_arguments")
        own = {str(each["id"]): each for each in extra.get("files", ())}
        if any(each not in own and each not in self.brought for each in ids):
            raise Refused("file_not_found")
        return [own[each] if each in own else self.brought[each].shown for each in ids]

    def effects(self, team_id: str, before: Message, after: Message) -> tuple[Effect, ...]:
        """Return who sees the files of a message from now on that it did not show before, and who does not any more."""
        had, has = _file_ids(before), _file_ids(after)
        gone = tuple(each for each in had if each not in has)
        puts = (self.brought[each].effect for each in has if each not in had)
        return (*((Unshare(team_id, before.ts_us, gone),) if gone else ()), *puts)

    @property
    def may_link(self) -> bool:
        """Whether there may be a link in what it is to say."""
        return bool(self.blocks) or may_link(self.text or self.markdown_text)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to become of it."""
        given = (self.text, self.blocks, self.attachments, self.metadata, self.file_ids)
        return not self.markdown_text and not self.reply_broadcast and all(each is None for each in given)


def is_own(caller: Caller, row: Message) -> bool:
    """Tell whether the caller wrote a message: a bot what is said by it, under whatever name; a person what it said
    itself and no app did for it.
    """
    return row.bot_id == caller.bot_id if caller.is_bot else not row.bot_id and row.user_id == caller.user_id


def may_update(caller: Caller, row: Message) -> bool:
    """Tell whether the caller may say it otherwise: who wrote it, and nobody else. Notices, and what is left of a
    removed message, are the server's words.
    """
    return is_own(caller, row) and row.subtype not in NOTHING_TO_READ


def may_delete(caller: Caller, row: Message, *, is_admin: bool) -> bool:
    """Tell whether the caller may remove it: who wrote it, and a person who is an admin, also notices."""
    if row.subtype == shapes.TOMBSTONE:
        return False
    return is_admin or (is_own(caller, row) and row.subtype not in NOTICES)


def broadcast(row: Message) -> Message:
    """Return a reply as one that its conversation shows as well; any other message as it is."""
    if not row.thread_ts_us or row.reply_broadcast:
        return row
    return replace(row, reply_broadcast=True, subtype=row.subtype or BROADCAST)


def _file_ids(row: Message) -> list[str]:
    return [str(each["id"]) for each in shapes.decode_extra(row.extra).get("files", ())]


def links_of(row: Message) -> tuple[str, ...]:
    """Return the addresses of a message that get a preview."""
    return _links(row.text, shapes.decode_extra(row.extra))


def _links(text: str, extra: Json) -> tuple[str, ...]:
    return previewed_links(text, extra.get("blocks", ()))


def previewed(row: Message, previews: Mapping[str, Json]) -> Message | None:
    """Return a message with what some addresses lead to; None when it names none of them any more, or shows each.

    What an app has shown of an address stands. Refused `too_many_attachments`, `msg_too_long`.
    """
    extra = shapes.decode_extra(row.extra)
    shown = extra.get("attachments", [])
    there = {each.get("from_url") for each in shown}
    new = [previews[url] for url in _links(row.text, extra) if url in previews and url not in there]
    if row.subtype == shapes.TOMBSTONE or not new:
        return None
    extra["attachments"] = posts.stored_attachments([*shown, *new])
    posts.check_size(extra)
    return replace(row, extra=shapes.encode_extra(extra))


def unfurled(caller: Caller, row: Message, unfurls: Mapping[str, object]) -> Message:
    """Return a message with what its addresses lead to. Pure. Refused `cannot_unfurl_url`, `invalid_unfurls_format`,
    `too_many_attachments`.
    """
    extra = shapes.decode_extra(row.extra)
    said = row.text.replace("&amp;", "&") + str(extra.get("blocks", ""))
    kept = [each for each in extra.get("attachments", ()) if each.get("from_url") not in unfurls]
    for url, unfurl in unfurls.items():
        if not isinstance(unfurl, dict):
            raise Refused("invalid_unfurls_format")
        if url.replace("&amp;", "&") not in said:
            raise Refused("cannot_unfurl_url")
        author = {"bot_id": caller.bot_id, "app_id": caller.app_id} if caller.is_bot else {}
        kept.append({**unfurl, **author, "from_url": url, "app_unfurl_url": url, "is_app_unfurl": True})
    extra["attachments"] = posts.stored_attachments(kept)
    posts.check_size(extra)
    return replace(row, extra=shapes.encode_extra(extra))
