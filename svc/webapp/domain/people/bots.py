"""Bots by id, remembered for a short while: every message of a bot carries its profile."""

from __future__ import annotations

from typing import NamedTuple

from svc.kit.clock import Clock
from svc.webapp.store.rows import Bot
from svc.webapp.store.workspace import WorkspaceStore

BOTS_REMEMBERED_MAX = 4_096
"""At about 300 bytes each, 1.2 MB; the oldest goes first."""

REMEMBERED_S = 60.0
"""A bot posts under its old name, or with its old picture, for at most this long."""


class KnownBot(NamedTuple):
    """A bot as it was a short while ago."""

    bot: Bot
    picture_url: str
    """Its user's, which is its own."""


class Bots:
    """A bounded memory of bots in front of the store."""

    def __init__(self, workspaces: WorkspaceStore, clock: Clock) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, KnownBot | None]] = {}

    async def get(self, team_id: str, bot_id: str) -> KnownBot | None:
        """Return the bot, or None. Raises UnavailableError when MySQL does not answer and it is not remembered."""
        key = (team_id, bot_id)
        now = self._clock.now()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        bot = await self._workspaces.bot(team_id, bot_id)
        user = await self._workspaces.user(team_id, bot.user_id) if bot is not None else None
        found = KnownBot(bot, user.picture_url if user is not None else "") if bot is not None else None
        self._known.pop(key, None)
        if len(self._known) >= BOTS_REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
        self._known[key] = (now + REMEMBERED_S, found)
        return found
