"""Pure: who may come in. A ticket is signed by webapp, names this gateway, lives for seconds, and works once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from svc.kit.tokens import Signer, TokenExpired, TokenInvalid

TICKET_KIND = "ticket"


class TicketRefused(Exception):
    """The ticket opens nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says of its bearer."""

    team_id: str
    user_id: str
    bot_id: str
    """B… for bots, else empty."""
    flags: frozenset[str]
    """Options of rtm.connect, such as `batch_presence_aware`."""


class TicketGate:
    """Admits each ticket once. Remembers used ones until they expire: at most `used_max`, then nobody comes in.

    A restart forgets them, and harms nothing: the next start has another instance id, so no older ticket names it.
    """

    def __init__(self, signer: Signer, instance_id: str, used_max: int = 200_000) -> None:
        """Admit tickets of `signer` for this instance."""
        self._signer = signer
        self._instance_id = instance_id
        self._used_max = used_max
        self._used: dict[str, float] = {}

    def admit(self, ticket: str, now_unix_s: float) -> Ticket:
        """Return what the ticket says, and use it up. Raises TicketRefused."""
        try:
            claims = self._signer.verify(TICKET_KIND, ticket, now_unix_s)
        except TokenExpired as error:
            raise TicketRefused("Socket URL has expired") from error
        except TokenInvalid as error:
            raise TicketRefused("Socket URL is not valid") from error
        if claims.get("gateway") != self._instance_id:
            raise TicketRefused("Socket URL belongs to another gateway")
        return self._use(claims, now_unix_s)

    def _use(self, claims: dict[str, Any], now_unix_s: float) -> Ticket:
        ticket_id, team_id, user_id = claims.get("jti"), claims.get("team"), claims.get("user")
        if not (isinstance(ticket_id, str) and isinstance(team_id, str) and isinstance(user_id, str)):
            raise TicketRefused("Socket URL is not valid")
        self._forget_expired(now_unix_s)
        if ticket_id in self._used:
            raise TicketRefused("Socket URL has been used")
        if len(self._used) >= self._used_max:
            raise TicketRefused("too many connections at once")
        self._used[ticket_id] = float(claims["exp"])
        return Ticket(team_id, user_id, str(claims.get("bot") or ""), _flags(claims.get("flags")))

    def _forget_expired(self, now_unix_s: float) -> None:
        """Drop used tickets from the oldest on; all live equally long, so the expired ones come first."""
        while self._used:
            oldest = next(iter(self._used))
            if self._used[oldest] > now_unix_s:
                return
            del self._used[oldest]


def _flags(value: Any) -> frozenset[str]:
    return frozenset(str(name) for name in value) if isinstance(value, list) else frozenset()
