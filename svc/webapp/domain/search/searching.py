"""Searching for messages and files on a caller's behalf.

The index says where to look, the rows what is there: its conversation, whether the caller is in it, and the message are
read from the primary after it has answered. What was edited is shown as it is now, what was removed, or is no longer
for the caller, is left out, and the page is that much shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol
from uuid import UUID

from parley.search.v1 import search_service_pb2 as pb
from svc.kit.errors import UnavailableError
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import NOTHING_TO_READ, Json
from svc.webapp.domain import shapes
from svc.webapp.domain.files.seeing import FileQuestion, SeenFiles
from svc.webapp.domain.messages.links import MessageLink, permalink
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.search.asking import Asking, Wish
from svc.webapp.domain.search.highlights import highlighted
from svc.webapp.search.words import words
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind, Message

__all__ = ["FoundFiles", "FoundMessages", "MessageIndex", "NoIndex", "Page", "Searching"]

OFFSET_MAX = 10_000
"""Hits that may be passed over; the contract's limit. Slack ends at its hundredth page of a hundred."""
FILES_MAX = 1_000
"""The newest files whose names are looked at."""


class MessageIndex(Protocol):
    """Where messages are looked up (search_tier)."""

    async def search(self, request: pb.SearchRequest) -> pb.SearchResponse:
        """Return a page of hits. Raises ParleyError when it cannot be asked."""
        ...


class NoIndex:
    """Where there is no search instance: a MessageIndex that cannot be asked."""

    async def search(self, request: pb.SearchRequest) -> pb.SearchResponse:
        """Raise UnavailableError."""
        raise UnavailableError("there is no search instance")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of what is found, and in which order."""

    count: int = 20
    number: int = 1
    is_best: bool = False
    is_ascending: bool = False
    is_highlighted: bool = False
    skipped: int | None = None
    """Hits before it, where pages go on from one another; None: as many as the pages before it have."""
    until_us: int = 0
    """What was said later is not found, so that a list stays as it is from page to page; 0: everything is."""

    @property
    def offset(self) -> int:
        """Hits before it."""
        return (self.number - 1) * self.count if self.skipped is None else self.skipped


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """A page of messages as clients see them, and how many there are in all."""

    matches: Sequence[Json]
    total: int


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """A page of files as clients see them, and how many there are in all."""

    matches: Sequence[Json]
    total: int


class Searching:
    """The rules of search. Methods raise Refused `no_query`, and ParleyError when index or MySQL do not answer."""

    def __init__(
        self, asking: Asking, index: MessageIndex, lookups: Lookups, channels: ChannelStore, files: SeenFiles
    ) -> None:
        self._asking = asking
        self._index = index
        self._lookups = lookups
        self._channels = channels
        self._files = files

    async def messages(self, caller: Caller, query: str, page: Page, base_url: str) -> FoundMessages:
        """Return a page of the messages that a query is about."""
        wish = await self._asking.wish(caller, query)
        wish.request.order = pb.ORDER_BEST if page.is_best else pb.ORDER_NEWEST
        if page.until_us:
            wish.request.latest_us = min(wish.request.latest_us or page.until_us, page.until_us)
        hits, total = await self._hits(wish.request, page)
        keys = {(hit.channel_id, hit.ts_us): hit.score for hit in hits}
        conversations = await self._seen(caller, {hit.channel_id for hit in hits})
        there = [key for key in keys if key[0] in conversations]
        rows = await self._channels.messages_by_key(there) if there else []
        messages = {(row.channel_id, row.ts_us): row for row in rows if row.subtype not in NOTHING_TO_READ}
        names = await self._names(caller, {row.user_id for row in rows if row.user_id}, conversations)
        matches = []
        for key, score in keys.items():
            row = messages.get(key)
            if row is not None:
                shape = _match(row, conversations[row.channel_id], names, base_url)
                shape["score"] = round(score, 6)
                if page.is_highlighted:
                    is_loose = page.is_best and bool(wish.terms)
                    shape["text"] = highlighted(str(shape["text"]), wish.terms, is_loose=is_loose)
                matches.append(shape)
        return FoundMessages(matches, total)

    async def files(self, caller: Caller, query: str, page: Page, base_url: str) -> FoundFiles:
        """Return a page of the files whose names or titles have all the words, of the newest FILES_MAX."""
        wish = await self._asking.wish(caller, query)
        listed = await self._files.listed(caller, FileQuestion(), base_url, FILES_MAX)
        found = [shape for shape in listed.files if _is_wanted(shape, wish)]
        if page.is_ascending:
            found.reverse()
        return FoundFiles(found[page.offset : page.offset + page.count], len(found))

    async def _hits(self, request: pb.SearchRequest, page: Page) -> tuple[Sequence[pb.Hit], int]:
        request.offset, request.limit = page.offset, page.count
        if page.is_ascending:
            # The same list from its other end, which has to be known first.
            request.offset, request.limit = 0, 0
            total = (await self._index.search(request)).total
            end = max(0, total - page.offset)
            request.offset = max(0, end - page.count)
            request.limit = end - request.offset
            if not request.limit:
                return (), total
        if request.offset > OFFSET_MAX:
            request.offset, request.limit = 0, 0
        answer = await self._index.search(request)
        return (tuple(reversed(answer.hits)) if page.is_ascending else tuple(answer.hits)), answer.total

    async def _seen(self, caller: Caller, channel_ids: set[str]) -> Mapping[str, Conversation]:
        """Return those of the conversations that the caller may read now, by what MySQL says and no cache."""
        if not channel_ids:
            return {}
        found = await self._channels.conversations(sorted(channel_ids))
        own = {each.id: each for each in found.values() if each.team_id == caller.team_id}
        closed = {each.id for each in own.values() if each.kind is not ConversationKind.PUBLIC}
        member_in = await self._channels.member_in(caller.user_id, closed) if closed else set()
        return {channel_id: each for channel_id, each in own.items() if channel_id not in closed - member_in}

    async def _names(
        self, caller: Caller, author_ids: set[str], conversations: Mapping[str, Conversation]
    ) -> Mapping[str, str]:
        """Return the handles of authors, and the other person of each direct conversation by the conversation's id."""
        users = await self._lookups.users(caller.team_id, sorted(author_ids)) if author_ids else {}
        names = {user_id: user.name for user_id, user in users.items()}
        direct = [each.id for each in conversations.values() if each.kind is ConversationKind.IM]
        pages = await self._lookups.first_members_of(direct) if direct else {}
        for channel_id, members in pages.items():
            others = [user_id for user_id in members.user_ids if user_id != caller.user_id]
            names[channel_id] = others[0] if others else caller.user_id
        return names


def _match(row: Message, conversation: Conversation, names: Mapping[str, str], base_url: str) -> Json:
    """Return a message as a hit shows it."""
    shape = shapes.message(row, conversation.team_id)
    shape |= {
        "iid": str(UUID(bytes=blake2b(f"{row.channel_id}:{row.ts_us}".encode(), digest_size=16).digest())),
        "channel": _channel(conversation, names),
        "user": row.user_id,
        "username": str(shape.get("username") or names.get(row.user_id, "")),
        "permalink": permalink(base_url, MessageLink(row.channel_id, row.ts_us, row.thread_ts_us)),
    }
    shape.pop("metadata", None)  # for those who asked an app for it
    return shape


def _channel(conversation: Conversation, names: Mapping[str, str]) -> Json:
    """Return the conversation of a hit: Slack names a direct one by the other person's id."""
    kind = conversation.kind
    shape: Json = {
        "id": conversation.id,
        "name": conversation.name,
        "is_channel": kind is ConversationKind.PUBLIC,
        "is_group": kind is ConversationKind.PRIVATE,
        "is_im": kind is ConversationKind.IM,
        "is_mpim": kind is ConversationKind.MPIM,
        "is_private": kind is not ConversationKind.PUBLIC,
        "is_archived": conversation.is_archived,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
    }
    if kind is ConversationKind.IM:
        shape["name"] = shape["user"] = names.get(conversation.id, "")
    return shape


def _is_wanted(file: Json, wish: Wish) -> bool:
    """Tell whether a file is one of those asked for: by name, owner, conversation and time. Pure."""
    request = wish.request
    there = words(f"{file.get('title', '')} {file.get('name', '')}")
    shown_in = {*file.get("channels", ()), *file.get("groups", ()), *file.get("ims", ())}
    created_us = int(file.get("created", 0)) * 1_000_000
    owner = file.get("user")
    having, lacking = request.having, request.lacking
    return (
        all(_stands(each, there) for each in request.phrases)
        and not any(_stands(each, there) for each in request.lacking_phrases)
        and (not having.author_ids or owner in having.author_ids)
        and (not having.channel_ids or not shown_in.isdisjoint(having.channel_ids))
        and owner not in lacking.author_ids
        and shown_in.isdisjoint(lacking.channel_ids)
        and created_us >= request.oldest_us
        and (not request.latest_us or created_us < request.latest_us)
    )


def _stands(phrase: pb.Phrase, there: Sequence[str]) -> bool:
    wanted = words(phrase.text)
    if phrase.is_exact:
        return any(list(there[at : at + len(wanted)]) == wanted for at in range(len(there) - len(wanted) + 1))
    # Names of files are searched by their beginnings: nobody types report-2026-q1-final.
    return all(any(word.startswith(each) for word in there) for each in wanted)
