"""A client's boot: what it needs for its first screen, or what of that is new to it, in one answer.

Nothing is read twice and little of the database: what a user is in comes from the cache, labelled with the offset of
the user's own channel at which it was read; the edge tells that channel's head as it is now, with how far all others
have come. When it is above the label, what the user is in is read again. What was never read before its offset was
known cannot be older than the offset says, so the token in the answer promises nothing that is not in it.

The edge is asked once: it names the people of recent direct messages as well, since only it knows which are recent. Of
the database a boot costs one query when memcached has what it should, for unread mentions and preferences. When it has
nothing there are up to three more: what the user is in, conversations that only members know, members of groups. For
the label the edge says how far the user's own channel has come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from svc.kit.clock import Clock
from svc.kit.errors import NotFoundError, UnavailableError
from svc.shapes.lazy import OBJECTS_MAX
from svc.shapes.vouching import Vouched
from svc.webapp.cache.keys import sides_key
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.boot.answers import IMS_MAX, Details, Scope, Seen, likely_groups, near_ids
from svc.webapp.domain.boot.models import Models
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.models import channel_model
from svc.webapp.store.rows import ConversationKind, Membership
from svc.webapp.store.user import UserStore

__all__ = ["Boot", "Boots"]

Json = dict[str, Any]

HISTORY_MAX = 30
"""Messages of the conversation on screen: more than fit on it."""

ROUNDS_MAX = 3
"""Times that what the user is in may change while it boots."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What a client is told, and what its gateway need not ask."""

    answer: Json
    vouched: Vouched | None


class Boots:
    """Makes boots. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, lookups: Lookups, users: UserStore, models: Models, reading: Reading, clock: Clock) -> None:
        self._lookups = lookups
        self._users = users
        self._models = models
        self._reading = reading
        self._clock = clock

    async def boot(self, caller: Caller, since: Mapping[str, int], channel_id: str = "") -> Boot:
        """Return a boot, without the way to a socket: all of it, or what is new since the positions `since`.

        With the newest messages of `channel_id`, where the caller may read it.
        """
        seen, members = await self._seen(caller, since)
        history = await self._history(caller, channel_id)
        mentions, prefs = await self._lookups.shared.unread_and_prefs(caller.user_id)
        scope = Scope(seen, mentions, self._clock.wall_us() / 1_000_000)
        members = await self._members(scope.group_ids, members)
        user_ids = scope.user_ids(members, _authors(history))
        users, channels = await self._described(caller, scope, user_ids, seen.model)
        details = Details(
            mentions=mentions,
            channels=channels,
            members=members,
            users=users,
            prefs=orjson.loads(prefs.prefs) if scope.is_complete else {},
            is_away=prefs.away,
        )
        answer = scope.answer(details)
        # What was chosen is read after the offset of the user's own channel was, and so no older than that.
        return Boot(answer if history is None else answer | {"history": history}, scope.vouched(prefs.away))

    async def joined(self, user_id: str) -> frozenset[str]:
        """Return the conversations that a user is in, as lists show them."""
        rows, _ = await self._own(user_id, 0)
        return frozenset(row.channel_id for row in rows)

    async def seen(self, caller: Caller, since: Mapping[str, int]) -> Seen:
        """Return what the caller is in and how far all of it has come, each no older than the offsets told.

        Refused `invalid_auth` when there is no such user (any more), `account_inactive`.
        """
        return (await self._seen(caller, since, is_described=False))[0]

    async def _seen(
        self, caller: Caller, since: Mapping[str, int], *, is_described: bool = True
    ) -> tuple[Seen, Mapping[str, Sequence[str]]]:
        """Return `seen` with the people of recent direct messages, and the members of the groups that were looked at
        for that.

        A delta tells of few people if any: they are asked for when they are known.
        """
        team_id, user_id = caller.team_id, caller.user_id
        since_model_offset = since.get(team_id, 0) if user_id in since else 0

        async def read_head() -> int:
            request = edge.BootRequest(
                team_id=team_id, user_id=user_id, channel_ids=[user_id], since_model_offset=since_model_offset
            )
            try:
                return _head(await self._models.boot(request), user_id)
            except NotFoundError:
                return 0  # the boot itself says what that means

        is_described = is_described and not since
        rows, own_head = await self._own(user_id, since.get(user_id, 0), read_head)
        for _ in range(ROUNDS_MAX):
            ids = [row.channel_id for row in rows]
            request = edge.BootRequest(
                team_id=team_id,
                user_id=user_id,
                channel_ids=[user_id, *ids],
                since_model_offset=since_model_offset,
                near_ids=near_ids(rows),
            )
            members = await self._ask_for_people(request, rows) if is_described else {}
            model = await self._model(request)
            head = _head(model, user_id)
            if head <= own_head:
                break
            rows, own_head = await self._own(user_id, head)
            if [row.channel_id for row in rows] == ids:
                break
        else:
            raise UnavailableError(f"what {user_id} is in changed {ROUNDS_MAX} times")
        if since.get(team_id) == model.model_offset and user_id in since:
            _say_nothing_changed(model)
        return Seen(team_id, user_id, rows, own_head, model, since), members

    async def _ask_for_people(
        self, request: edge.BootRequest, rows: Sequence[Membership]
    ) -> Mapping[str, Sequence[str]]:
        """Ask for the people whom a first screen is likely to show, with all else; return the members of groups."""
        request.peer_ids.extend(["", *(row.peer_user_id for row in rows)])
        request.recent_max = IMS_MAX
        members = await self._members(likely_groups(rows), {})
        people = dict.fromkeys(user_id for group in members.values() for user_id in group)
        people.pop(request.user_id, None)
        request.user_ids.extend(list(people)[:OBJECTS_MAX])
        return members

    async def _members(self, group_ids: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Return who is in groups, those that are `known` as they are: nobody joins or leaves one."""
        found = await self._lookups.first_members_of([each for each in group_ids if each not in known])
        pages = {channel_id: page.user_ids for channel_id, page in found.items()}
        return {each: known.get(each) or pages[each] for each in group_ids if each in known or each in pages}

    async def _model(self, request: edge.BootRequest) -> edge.BootResponse:
        try:
            model = await self._models.boot(request)
        except NotFoundError:
            raise Refused("invalid_auth") from None
        if model.self.deleted:
            raise Refused("account_inactive")
        return model

    async def _own(
        self, user_id: str, at_least: int, head: Callable[[], Awaitable[int]] | None = None
    ) -> tuple[Sequence[Membership], int]:
        """Return what a user is in, with the offset of its own channel that this is no older than.

        That offset is `at_least` or more, unless no such offset was ever given. `head` says how far that channel has
        come without a query, if what the user is in has to be read; it may be somewhat behind.
        """
        sides = await self._lookups.sides(user_id, head=head)
        if sides.head < at_least:
            # Read between a change and the event that tells it, or an invalidation was lost.
            await self._lookups.forget((sides_key(user_id),))
            sides = await self._lookups.sides(user_id)
        return (sides.rows if sides.is_whole else await self._users.memberships(user_id)), sides.head

    async def _history(self, caller: Caller, channel_id: str) -> Json | None:
        if not channel_id:
            return None
        try:
            found = await self._reading.history(
                caller, channel_id, latest_us=None, oldest_us=None, inclusive=False, limit=HISTORY_MAX
            )
        except Refused:
            return None  # left, or made private, while the client was away: the boot says so itself
        return {"channel": channel_id, "messages": found.messages, "has_more": found.has_more}

    async def _described(
        self, caller: Caller, scope: Scope, user_ids: Sequence[str], model: edge.BootResponse
    ) -> tuple[list[boot_pb2.User], dict[str, boot_pb2.Channel]]:
        """Return users, and the conversations whose names are to be told; those that only members know from here.

        The edge is asked for whom it has not named in `model`.
        """
        named = {each.id: each for each in model.users}
        kinds = {row.channel_id: row.kind for row in scope.told}
        public = [each for each in scope.undescribed if kinds[each] is ConversationKind.PUBLIC]
        users = [named[each] for each in user_ids if each in named]
        channels: dict[str, boot_pb2.Channel] = {}
        wanted = [*(each for each in user_ids if each not in named), *public]
        for start in range(0, len(wanted), OBJECTS_MAX):
            known = [edge.KnownObject(id=each) for each in wanted[start : start + OBJECTS_MAX]]
            found = await self._models.objects(edge.GetObjectsRequest(team_id=caller.team_id, objects=known))
            users.extend(found.users)
            channels.update((each.id, each) for each in found.channels)
        # One that was made a moment ago may not have reached the edge.
        others = [each for each in scope.undescribed if each not in channels]
        if others:
            rows = await self._lookups.conversations(others)
            channels.update((each, channel_model(row)) for each, row in rows.items())
        return users, channels


def _head(model: edge.BootResponse, user_id: str) -> int:
    """Return how far the user's own channel has come."""
    return next((each.head_offset for each in model.activities if each.channel_id == user_id), 0)


def _say_nothing_changed(model: edge.BootResponse) -> None:
    """Make a delta of an answer for a client that has this model: offset 0 asks for all of it."""
    model.is_delta = True
    model.ClearField("team")
    model.ClearField("channels")
    model.ClearField("users")


def _authors(history: Json | None) -> list[str]:
    messages = history["messages"] if history is not None else ()
    return [message["user"] for message in messages if message.get("user")]
