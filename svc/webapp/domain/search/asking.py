"""From what was typed to what the index is asked: names looked up, dates made instants, who asks and what it sees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parley.search.v1 import search_service_pb2 as pb
from svc.kit.clock import Clock
from svc.kit.ids import is_id
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.conversations.directory import DIRECT, Directory
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.search.dates import bounds
from svc.webapp.domain.search.parsing import Modifier, Parsed, Term, parse
from svc.webapp.store.rows import ConversationKind, Membership
from svc.webapp.store.user import MEMBERSHIPS_MAX
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["Asking", "Wish"]

NEAR_MAX = 300
"""Conversations, and people, that are told to be near; those that were read last."""
NEAR_WEEK = 1.0
NEAR_ELSE = 0.5
"""How near a conversation is that was read within a week, or not."""
NEAR_SELF = 0.5
_WEEK_US = 7 * 86_400 * 1_000_000
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{8,10})")
_CHANNEL = re.compile(r"<#([CDG][A-Z0-9]+)(?:\|[^>]*)?>")
_MARKS: Mapping[str, pb.Mark.ValueType] = {
    "link": pb.MARK_LINK,
    "links": pb.MARK_LINK,
    "url": pb.MARK_LINK,
    "reaction": pb.MARK_REACTION,
    "reactions": pb.MARK_REACTION,
    "pin": pb.MARK_PIN,
    "file": pb.MARK_FILE,
    "files": pb.MARK_FILE,
}
NOBODY = "-"
"""An id that nothing has: who looks for messages of nobody finds none."""


@dataclass(slots=True)
class Wish:
    """What a query amounts to."""

    request: pb.SearchRequest
    terms: list[Term] = field(default_factory=list)
    """What is looked for, to be highlighted."""


class Asking:
    """Reads queries. Methods raise Refused `no_query`, and UnavailableError when MySQL does not answer."""

    def __init__(self, directory: Directory, lookups: Lookups, workspaces: WorkspaceStore, clock: Clock) -> None:
        self._directory = directory
        self._lookups = lookups
        self._workspaces = workspaces
        self._clock = clock

    async def wish(self, caller: Caller, query: str) -> Wish:
        """Return the request that a caller's query amounts to, all but its page."""
        parsed = parse(query)
        if not parsed.terms and not parsed.modifiers:
            raise Refused("no_query")
        sides = await self._lookups.memberships(caller.user_id, "", MEMBERSHIPS_MAX, frozenset(ConversationKind))
        request = pb.SearchRequest(team_id=caller.team_id, user_id=caller.user_id)
        request.member_channel_ids.extend(each.channel_id for each in sides if each.kind != ConversationKind.PUBLIC)
        self._near(caller, sides, request)
        wish = Wish(request)
        for term in await self._modified(caller, parsed, sides, request):
            phrase = pb.Phrase(text=term.text[:500], is_prefix=term.is_prefix, is_exact=term.is_exact)
            (request.lacking_phrases if term.is_unwanted else request.phrases).append(phrase)
            if not term.is_unwanted:
                wish.terms.append(term)
        return wish

    async def _modified(
        self, caller: Caller, parsed: Parsed, sides: Sequence[Membership], request: pb.SearchRequest
    ) -> Iterable[Term]:
        """Carry out the modifiers; return the terms, with those that only looked like modifiers."""
        terms = list(parsed.terms)
        now = datetime.fromtimestamp(self._clock.wall_us() / 1e6, await self._zone(caller))
        for each in parsed.modifiers:
            where = request.lacking if each.is_unwanted else request.having
            match each.name:
                case "from":
                    where.author_ids.append(await self._user(caller, each.value) or NOBODY)
                case "in":
                    where.channel_ids.append(await self._channel(caller, each.value, sides) or NOBODY)
                case "to":
                    await self._addressed(caller, each.value, sides, request)
                case "has" | "is":
                    is_known = _has(each, where)
                    terms += [] if is_known else [_word(each)]
                case _:
                    terms += [] if _within(each, now, request) else [_word(each)]
        return terms[:50]

    async def _addressed(
        self, caller: Caller, value: str, sides: Sequence[Membership], request: pb.SearchRequest
    ) -> None:
        user_id = await self._user(caller, value) or NOBODY
        if user_id == caller.user_id:
            request.addressed_user_id = user_id
            request.direct_channel_ids.extend(each.channel_id for each in sides if each.kind in DIRECT)
            return
        request.having.channel_ids.append(_direct_with(user_id, sides) or NOBODY)
        request.having.author_ids.append(caller.user_id)

    async def _zone(self, caller: Caller) -> tzinfo:
        user = await self._lookups.user(caller.team_id, caller.user_id)
        try:
            return ZoneInfo(user.tz) if user is not None and user.tz else UTC
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC

    async def _user(self, caller: Caller, value: str) -> str:
        """Return whom `me`, `<@U…>`, an id, `@name` or `name` means; "" for nobody."""
        if value.lower() in ("me", "@me"):
            return caller.user_id
        found = _USER.fullmatch(value)
        if found is not None:
            return found[1] or found[2]
        user = await self._workspaces.user_by_name(caller.team_id, value.removeprefix("@").lower())
        return user.id if user is not None else ""

    async def _channel(self, caller: Caller, value: str, sides: Sequence[Membership]) -> str:
        """Return what `#name`, `name`, `<#C…>`, an id, or `@name` (the direct conversation) means; "" for nothing."""
        if value.startswith(("@", "<@")) or value.lower() == "me":
            return _direct_with(await self._user(caller, value), sides)
        found = _CHANNEL.fullmatch(value)
        reference = found[1] if found is not None else value if is_id(value, "CDG") else value.lower()
        try:
            return (await self._directory.find(caller, reference)).conversation.id
        except Refused:
            return ""

    def _near(self, caller: Caller, sides: Sequence[Membership], request: pb.SearchRequest) -> None:
        """Tell which conversations, and whom in them, the caller has to do with."""
        since_us = self._clock.wall_us() - _WEEK_US
        for side in sorted(sides, key=lambda side: -side.last_read_us)[:NEAR_MAX]:
            near = NEAR_WEEK if side.last_read_us >= since_us else NEAR_ELSE
            request.near_channels[side.channel_id] = near
            if side.peer_user_id:
                request.near_users[side.peer_user_id] = near
        request.near_users[caller.user_id] = NEAR_SELF


def _direct_with(user_id: str, sides: Sequence[Membership]) -> str:
    found = (each.channel_id for each in sides if each.peer_user_id == user_id and each.kind == ConversationKind.IM)
    return next(found, "") if user_id else ""


def _has(each: Modifier, where: pb.Conditions) -> bool:
    """Carry out `has:` and `is:`; False for what is unknown."""
    value = each.value.lower()
    if each.name == "is" and value == "thread":
        where.marks.append(pb.MARK_THREAD)
    elif each.name == "has" and value in _MARKS:
        where.marks.append(_MARKS[value])
    elif each.name == "has" and len(value) > 2 and value.startswith(":") and value.endswith(":"):
        where.reactions.append(value.strip(":")[:100])
    else:
        return False
    return True


def _within(each: Modifier, now: datetime, request: pb.SearchRequest) -> bool:
    """Carry out a bound in time; False for one that cannot be read. An unwanted day is not one that can."""
    found = None if each.is_unwanted else bounds(each.name, each.value, now)
    if found is None:
        return False
    oldest_us, latest_us = found
    request.oldest_us = max(request.oldest_us, oldest_us)
    request.latest_us = min(request.latest_us or latest_us, latest_us) if latest_us else request.latest_us
    return True


def _word(each: Modifier) -> Term:
    return Term(f"{each.name} {each.value}", is_exact=True, is_unwanted=each.is_unwanted)
