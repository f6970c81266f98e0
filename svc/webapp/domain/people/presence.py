"""Who is online, as the presence tier says."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from svc.kit.errors import ParleyError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presence:
    """A user's state; the rest is told to the user itself only."""

    is_active: bool = False
    connection_count: int = 0
    last_activity_s: int = 0
    """Unix seconds; 0 when never seen."""


class PresenceSource(Protocol):
    """What knows presence: the presence tier in production."""

    async def presence(self, user_id: str) -> Presence:
        """Return one user's state. Raises ParleyError when its server cannot be asked."""
        ...

    async def active_among(self, user_ids: Sequence[str]) -> Collection[str]:
        """Return those of the users that are active; those whose server cannot be asked are left out. Never fails."""
        ...


async def presence_or_away(source: PresenceSource, user_id: str) -> Presence:
    """Return a user's state; away when nobody can be asked, as presence is never worth failing a request for."""
    try:
        return await source.presence(user_id)
    except ParleyError as error:
        log.debug("presence cannot be asked, answering away: %s", error)
        return Presence()
