"""A client's boot: what it needs for its first screen, or what of that is new to it, in one answer.

Nothing is read twice and little of the database: what a user is in comes from the cache, labelled with the offset of
the user's own channel at which it was read; the edge tells that channel's head as it is now, with how far all others
have come. When it is above the label, what the user is in is read again. What was never read before its offset was
known cannot be older than the offset says, so the token in the answer promises nothing that is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from svc.kit.clock import Clock
from svc.kit.errors import NotFoundError, UnavailableError
from svc.shapes.lazy import OBJECTS_MAX
from svc.webapp.cache.keys import sides_key
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.boot import Details, Scope, Seen, near_ids
from svc.webapp.domain.boot_models import Models
from svc.webapp.domain.caller import Caller
from svc.webapp.domain.messages import Messages
from svc.webapp.domain.refusal import Refused
from svc.webapp.models import channel_model
from svc.webapp.store.rows import ConversationKind, Membership, Prefs
from svc.webapp.store.user import UserStore

__all__ = ["Boots"]

Json = dict[str, Any]

HISTORY_MAX = 30
"""Messages of the conversation on screen: more than fit on it."""

ROUNDS_MAX = 3
"""Times that what the user is in may change while it boots."""


class Boots:
    """Makes boots. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, lookups: Lookups, users: UserStore, models: Models, messages: Messages, clock: Clock) -> None:
        self._lookups = lookups
        self._users = users
        self._models = models
        self._messages = messages
        self._clock = clock

    async def boot(self, caller: Caller, since: Mapping[str, int], channel_id: str = "") -> Json:
        """Return a boot, without the way to a socket: all of it, or what is new since the positions `since`.

        With the newest messages of `channel_id`, where the caller may read it.
        """
        seen = await self.seen(caller, since)
        history = await self._history(caller, channel_id)
        mentions = await self._lookups.shared.unread_mentions(caller.user_id)
        scope = Scope(seen, mentions, self._clock.wall_us() / 1_000_000)
        groups = await self._lookups.first_members_of(scope.group_ids)
        members = {channel_id: page.user_ids for channel_id, page in groups.items()}
        prefs = Prefs(caller.user_id)
        if scope.is_complete:
            prefs = await self._lookups.prefs(caller.user_id, seen.own_head)
        users, channels = await self._described(caller, scope, scope.user_ids(members, _authors(history)))
        details = Details(
            mentions=mentions,
            channels=channels,
            members=members,
            users=users,
            prefs=orjson.loads(prefs.prefs),
            is_away=prefs.away,
        )
        answer = scope.answer(details)
        return answer if history is None else answer | {"history": history}

    async def joined(self, user_id: str) -> frozenset[str]:
        """Return the conversations that a user is in, as lists show them."""
        rows, _ = await self._own(user_id, 0)
        return frozenset(row.channel_id for row in rows)

    async def seen(self, caller: Caller, since: Mapping[str, int]) -> Seen:
        """Return what the caller is in and how far all of it has come, each no older than the offsets told.

        Refused `invalid_auth` when there is no such user (any more), `account_inactive`.
        """
        team_id, user_id = caller.team_id, caller.user_id
        rows, own_head = await self._own(user_id, since.get(user_id, 0))
        for _ in range(ROUNDS_MAX):
            ids = [row.channel_id for row in rows]
            model = await self._model(
                edge.BootRequest(
                    team_id=team_id,
                    user_id=user_id,
                    channel_ids=[user_id, *ids],
                    since_model_offset=since.get(team_id, 0) if user_id in since else 0,
                    near_ids=near_ids(rows),
                )
            )
            head = next((each.head_offset for each in model.activities if each.channel_id == user_id), 0)
            if head <= own_head:
                break
            rows, own_head = await self._own(user_id, head)
            if [row.channel_id for row in rows] == ids:
                break
        else:
            raise UnavailableError(f"what {user_id} is in changed {ROUNDS_MAX} times")
        if since.get(team_id) == model.model_offset and user_id in since:
            _say_nothing_changed(model)
        return Seen(team_id, user_id, rows, own_head, model, since)

    async def _model(self, request: edge.BootRequest) -> edge.BootResponse:
        try:
            model = await self._models.boot(request)
        except NotFoundError:
            raise Refused("invalid_auth") from None
        if model.self.deleted:
            raise Refused("account_inactive")
        return model

    async def _own(self, user_id: str, at_least: int) -> tuple[Sequence[Membership], int]:
        """Return what a user is in, with the offset of its own channel that this is no older than.

        That offset is `at_least` or more, unless no such offset was ever given.
        """
        sides = await self._lookups.sides(user_id)
        if sides.head < at_least:
            # Read between a change and the event that tells it, or an invalidation was lost.
            await self._lookups.forget((sides_key(user_id),))
            sides = await self._lookups.sides(user_id)
        return (sides.rows if sides.is_whole else await self._users.memberships(user_id)), sides.head

    async def _history(self, caller: Caller, channel_id: str) -> Json | None:
        if not channel_id:
            return None
        try:
            found = await self._messages.history(
                caller, channel_id, latest_us=None, oldest_us=None, inclusive=False, limit=HISTORY_MAX
            )
        except Refused:
            return None  # left, or made private, while the client was away: the boot says so itself
        return {"channel": channel_id, "messages": found.messages, "has_more": found.has_more}

    async def _described(
        self, caller: Caller, scope: Scope, user_ids: Sequence[str]
    ) -> tuple[list[boot_pb2.User], dict[str, boot_pb2.Channel]]:
        """Return users, and the conversations whose names are to be told; those that only members know from here."""
        kinds = {row.channel_id: row.kind for row in scope.told}
        public = [each for each in scope.undescribed if kinds[each] is ConversationKind.PUBLIC]
        users: list[boot_pb2.User] = []
        channels: dict[str, boot_pb2.Channel] = {}
        wanted = [*user_ids, *public]
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


def _say_nothing_changed(model: edge.BootResponse) -> None:
    """Make a delta of an answer for a client that has this model: offset 0 asks for all of it."""
    model.is_delta = True
    model.ClearField("team")
    model.ClearField("channels")
    model.ClearField("users")


def _authors(history: Json | None) -> list[str]:
    messages = history["messages"] if history is not None else ()
    return [message["user"] for message in messages if message.get("user")]
