"""Do not disturb: what a user chose, changed, and told to its own sockets and to its workspace.

It stands in the user's preferences, which change first and are told then, as `preferences` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Write
from svc.webapp.domain.people import dnd_rules
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.people.dnd_rules import Dnd
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Prefs, User
from svc.webapp.store.user import UserStore

__all__ = ["DoNotDisturb"]

Json = dict[str, Any]


class DoNotDisturb:
    """The rules of not being disturbed. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, users: UserStore, lookups: Lookups, writes: Writes, clock: Clock) -> None:
        self._users = users
        self._lookups = lookups
        self._writes = writes
        self._clock = clock

    async def status(self, caller: Caller, user: User) -> Json:
        """Return the state of a user as the caller may see it."""
        prefs = await self._lookups.prefs(user.id)
        dnd = dnd_rules.dnd_of(orjson.loads(prefs.prefs))
        return dnd_rules.status(dnd, user.tz, self._now_s(), is_own=user.id == caller.user_id)

    async def statuses(self, users: Sequence[User]) -> dict[str, Json]:
        """Return the states of users, as others see them."""
        found = await self._users.prefs_of([user.id for user in users]) if users else {}
        now_s, shown = self._now_s(), {}
        for user in users:
            dnd = dnd_rules.dnd_of(orjson.loads(found.get(user.id, Prefs(user.id)).prefs))
            shown[user.id] = dnd_rules.status(dnd, user.tz, now_s, is_own=False)
        return shown

    async def snooze(self, caller: Caller, minutes: int) -> Json:
        """Snooze from now on, and return the state. Refused `missing_duration`, `snooze_failed` (too long)."""
        if minutes < 1:
            raise Refused("missing_duration")
        if minutes > dnd_rules.SNOOZE_MINUTES_MAX:
            raise Refused("snooze_failed")
        until_s = self._now_s() + 60 * minutes
        return await self._change(caller, lambda dnd, user: replace(dnd, snooze_until_s=until_s))

    async def end_snooze(self, caller: Caller) -> Json:
        """Snooze no longer, and return the state. Refused `snooze_not_active`."""
        now_s = self._now_s()

        def end(dnd: Dnd, user: User) -> Dnd:
            if dnd.snooze_until_s <= now_s:
                raise Refused("snooze_not_active")
            return replace(dnd, snooze_until_s=0)

        return await self._change(caller, end)

    async def end(self, caller: Caller) -> Json:
        """End the session of the day that runs, and snoozing; harmless when there is neither."""
        now_s = self._now_s()

        def end(dnd: Dnd, user: User) -> Dnd:
            start_s, end_s = dnd_rules.session(dnd, user.tz, now_s)
            ended_s = end_s if start_s <= now_s < end_s else dnd.ended_until_s
            return replace(dnd, snooze_until_s=0, ended_until_s=ended_s)

        return await self._change(caller, end)

    async def _change(self, caller: Caller, change: Callable[[Dnd, User], Dnd]) -> Json:
        user = await self._lookups.user(caller.team_id, caller.user_id)
        if user is None:
            raise Refused("user_not_found")
        now: list[Dnd] = []

        def changed(before: Prefs) -> Prefs:
            values = orjson.loads(before.prefs)
            now[:] = [change(dnd_rules.dnd_of(values), user)]
            return replace(before, prefs=orjson.dumps(values | {dnd_rules.KEPT: dnd_rules.kept(now[0])}))

        await self._users.change_prefs(user.id, changed)
        await self._lookups.forget_prefs(user.id)
        now_s = self._now_s()
        own = dnd_rules.status(now[0], user.tz, now_s, is_own=True)
        others = dnd_rules.status(now[0], user.tz, now_s, is_own=False)
        await self._tell(user.id, event_pb2.EVENT_KIND_USER, user.id, "dnd_updated", own)
        await self._tell(user.team_id, event_pb2.EVENT_KIND_WORKSPACE, user.id, "dnd_updated_user", others)
        return own

    async def _tell(
        self, channel_id: str, kind: event_pb2.EventKind.ValueType, user_id: str, name: str, status: Json
    ) -> None:
        payload: Json = {"type": name, "user": user_id, "dnd_status": status}
        await self._writes.commit(Write(channel_id, (Draft(kind, lambda _: dict(payload), sender_id=user_id),)))

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000
