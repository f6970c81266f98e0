"""Whom a message is meant for: the people, groups and whole conversations that it names, wherever in it they are named.

`<@U…>`, `<!subteam^S…>`, `<!here>`, `<!channel>` and `<!everyone>` count in the text, in what blocks and attachments
show as mrkdwn, and as elements of rich text. The first half of this file is pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Effect, Mention, MentionEverybody, Unmention, UnmentionEverybody
from svc.webapp.domain.conversations.directory import DIRECT
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation

__all__ = ["NOBODY", "Actives", "Audience", "Broadcast", "GroupMembers", "Named", "NoGroups", "named"]

USERS_MAX = 1_000
"""Users and groups named by one message that count: beyond them it is meant for nobody in particular."""
EVERYBODY_MAX = 1_000
"""Members up to which a post counts each of them itself; of a larger conversation an effect does, a batch at a time.
There `<!here>` counts for all, since to know who is here would take as long."""


class Broadcast(IntEnum):
    """Which members a message calls."""

    NONE = 0
    HERE = 1
    """Those who are active."""
    ALL = 2


@dataclass(frozen=True, slots=True)
class Named:
    """Who is named in a message."""

    users: tuple[str, ...] = ()
    """U…, in order, each once."""
    groups: tuple[str, ...] = ()
    """S…"""
    broadcast: Broadcast = Broadcast.NONE

    @property
    def is_anybody(self) -> bool:
        """Whether somebody is."""
        return bool(self.users or self.groups or self.broadcast)


NOBODY = Named()

_MARK = re.compile(
    r"<(?:@(?P<user>[UW][A-Z0-9]{1,20})|!subteam\^(?P<group>S[A-Z0-9]{1,20})|!(?P<all>here|channel|everyone|group))"
    r"(?:\|[^<>]*)?>"
)
_RANGES = {"here": Broadcast.HERE, "channel": Broadcast.ALL, "everyone": Broadcast.ALL, "group": Broadcast.ALL}
_SHOWN = ("text", "pretext", "value")
"""What an attachment, and a field of one, shows as mrkdwn."""


def named(text: str, extra: Mapping[str, object]) -> Named:
    """Return who is named in a message's text, blocks and attachments."""
    users: dict[str, None] = {}
    groups: dict[str, None] = {}
    broadcast = Broadcast.NONE
    for user, group, everybody in _marks(text, extra):
        if user and len(users) < USERS_MAX:
            users[user] = None
        if group and len(groups) < USERS_MAX:
            groups[group] = None
        broadcast = max(broadcast, _RANGES.get(everybody, Broadcast.NONE))
    return Named(tuple(users), tuple(groups), broadcast)


_Marks = Iterator[tuple[str, str, str]]


def _marks(text: str, extra: Mapping[str, object]) -> _Marks:
    yield from _in_text(text)
    if "blocks" in extra:
        yield from _in_blocks(extra["blocks"])
    attachments = extra.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict):
            yield from _in_attachment(attachment)


def _in_text(text: object) -> _Marks:
    if isinstance(text, str) and "<" in text:
        for found in _MARK.finditer(text):
            yield found["user"] or "", found["group"] or "", found["all"] or ""


def _in_attachment(attachment: Mapping[str, object]) -> _Marks:
    fields = attachment.get("fields")
    for shown in (attachment, *(fields if isinstance(fields, list) else ())):
        if isinstance(shown, dict):
            for name in _SHOWN:
                yield from _in_text(shown.get(name))
    yield from _in_blocks(attachment.get("blocks"))


def _in_blocks(blocks: object) -> _Marks:
    """Yield from blocks and all that is in them. Without recursion: they may be nested as deep as JSON may."""
    waiting = [blocks]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        elif isinstance(each, dict):
            yield from _of_element(each)
            waiting.extend(reversed(list(each.values())))


def _of_element(element: Mapping[str, object]) -> _Marks:
    match element:
        case {"type": "user", "user_id": str(user_id)}:
            yield user_id, "", ""
        case {"type": "usergroup", "usergroup_id": str(group_id)}:
            yield "", group_id, ""
        case {"type": "broadcast", "range": str(everybody)}:
            yield "", "", everybody
        case {"type": "mrkdwn" | "markdown", "text": str(text)}:
            yield from _in_text(text)


class Actives(Protocol):
    """What knows who is here: the presence tier in production."""

    async def active_among(self, user_ids: Sequence[str]) -> Collection[str]:
        """Return those of the users that are active; those whose server cannot be asked are left out. Never fails."""
        ...


class GroupMembers(Protocol):
    """What knows user groups."""

    async def members_of_groups(self, team_id: str, group_ids: Sequence[str]) -> Collection[str]:
        """Return the users that are in any of these groups of the workspace; unknown and disabled groups have none."""
        ...


class NoGroups:
    """A workspace without user groups."""

    async def members_of_groups(self, team_id: str, group_ids: Sequence[str]) -> Collection[str]:
        """Return nobody."""
        return ()


class Audience:
    """Knows whose mentions a message adds to, as effects of the write that brings it or takes it away.

    All others in a direct conversation; elsewhere those members that it names. Never the author. Methods raise
    UnavailableError when MySQL does not answer.
    """

    def __init__(
        self, lookups: Lookups, channels: ChannelStore, actives: Actives, groups: GroupMembers | None = None
    ) -> None:
        self._lookups = lookups
        self._channels = channels
        self._actives = actives
        self._groups = groups or NoGroups()

    async def mentioned(self, conversation: Conversation, author_id: str, who: Named) -> tuple[Effect, ...]:
        """Return the effects of a message that readers of the conversation have to read."""
        if conversation.kind in DIRECT:
            return _mention(await self._all_of(conversation), author_id)
        if not who.is_anybody:
            return ()
        if not who.broadcast:
            return _mention(await self._members_named(conversation, who), author_id)
        if await self._is_large(conversation):
            return (MentionEverybody(but=author_id),)
        people = await self._channels.members(conversation.id, limit=EVERYBODY_MAX)
        if who.broadcast is Broadcast.ALL:
            return _mention(people, author_id)
        here = await self._actives.active_among(people)
        return _mention({*here, *(await self._members_named(conversation, who))}, author_id)

    async def unmentioned(self, conversation: Conversation, ts_us: int, who: Named) -> tuple[Effect, ...]:
        """Return the effects of removing a message; whoever it was not meant for loses nothing."""
        if conversation.kind in DIRECT:
            people: Collection[str] = await self._all_of(conversation)
        elif not who.is_anybody:
            return ()
        elif not who.broadcast:
            people = {*who.users, *(await self._grouped(conversation.team_id, who.groups))}
        elif await self._is_large(conversation):
            return (UnmentionEverybody(ts_us),)
        else:
            people = await self._channels.members(conversation.id, limit=EVERYBODY_MAX)
        return (Unmention(ts_us, tuple(sorted(people))[:EVERYBODY_MAX]),) if people else ()

    async def _members_named(self, conversation: Conversation, who: Named) -> Collection[str]:
        people = {*who.users, *(await self._grouped(conversation.team_id, who.groups))}
        return await self._channels.members_among(conversation.id, sorted(people)) if people else ()

    async def _grouped(self, team_id: str, group_ids: Sequence[str]) -> Collection[str]:
        return await self._groups.members_of_groups(team_id, group_ids) if group_ids else ()

    async def _all_of(self, conversation: Conversation) -> Collection[str]:
        # Nobody comes to a direct conversation or goes, so what is cached is right.
        return (await self._lookups.first_members(conversation.id)).user_ids

    async def _is_large(self, conversation: Conversation) -> bool:
        counts = await self._lookups.count_members([conversation.id])
        return counts[conversation.id] > EVERYBODY_MAX


def _mention(people: Collection[str], author_id: str) -> tuple[Effect, ...]:
    others = sorted(set(people) - {author_id})
    return (Mention(tuple(others[:EVERYBODY_MAX])),) if others else ()
