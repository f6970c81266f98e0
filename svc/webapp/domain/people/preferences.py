"""What a user chose, changed and told to its own sockets: preferences, and being away by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from parley.event.v1 import event_pb2
from svc.kit.errors import UnavailableError
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import ROUNDS_MAX, Writes
from svc.webapp.commit.log import Draft, Json, Write
from svc.webapp.domain.people import prefs
from svc.webapp.domain.people.caller import Caller
from svc.webapp.store.rows import Prefs
from svc.webapp.store.user import UserStore

__all__ = ["Preferences"]


class Preferences:
    """The rules of what users choose. Methods raise Refused, and UnavailableError when MySQL does not answer.

    The row changes first, then the event tells it: who knows the event's offset finds the row. A webapp that dies in
    between has not answered; whoever repeats the call tells it then.
    """

    def __init__(self, users: UserStore, lookups: Lookups, writes: Writes) -> None:
        self._users = users
        self._lookups = lookups
        self._writes = writes

    async def get(self, caller: Caller) -> Json:
        """Return all preferences of the caller."""
        return prefs.shown((await self._lookups.prefs(caller.user_id)).prefs)

    async def set(self, caller: Caller, change: Mapping[str, object]) -> Json:
        """Set preferences, null removing one, and return those named as they are now. Refused as `prefs` says."""
        prefs.check(change)
        row = await self._users.change_prefs(
            caller.user_id, lambda before: replace(before, prefs=prefs.changed(before.prefs, change))
        )
        await self._lookups.forget_prefs(caller.user_id)
        told: Json = {}
        for _ in range(ROUNDS_MAX):
            now = _named(row, change)
            # Of two changes at once the older may have been told last: then the newer is told again.
            news = {name: value for name, value in now.items() if name not in told or told[name] != value}
            if not news:
                return now
            drafts = tuple(_pref_change(caller.user_id, name, value) for name, value in news.items())
            await self._writes.commit(Write(caller.user_id, drafts))
            told, row = now, await self._users.prefs(caller.user_id)
        raise UnavailableError(f"preferences were overtaken {ROUNDS_MAX} times while they were told")

    async def set_away(self, caller: Caller, *, is_away: bool) -> None:
        """Say that the caller is away whatever its connections do, or that they decide."""
        row = await self._users.change_prefs(caller.user_id, lambda before: replace(before, away=is_away))
        await self._lookups.forget_prefs(caller.user_id)
        for _ in range(ROUNDS_MAX):
            told = row.away
            await self._writes.commit(Write(caller.user_id, (_away_change(caller.user_id, is_away=told),)))
            row = await self._users.prefs(caller.user_id)
            if row.away is told:
                return
        raise UnavailableError(f"a change of presence was overtaken {ROUNDS_MAX} times while it was told")


def _named(row: Prefs, names: Mapping[str, object]) -> Json:
    values = prefs.shown(row.prefs)
    return {name: values.get(name) for name in names}


def _pref_change(user_id: str, name: str, value: object) -> Draft:
    payload: Json = {"type": "pref_change", "user": user_id, "name": name, "value": value}
    return Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(payload), sender_id=user_id)


def _away_change(user_id: str, *, is_away: bool) -> Draft:
    payload: Json = {"type": "manual_presence_change", "presence": "away" if is_away else "active"}
    return Draft(
        event_pb2.EVENT_KIND_USER,
        lambda _: dict(payload),
        sender_id=user_id,
        away_change=event_pb2.AwayChange(is_away_by_hand=is_away),
    )
