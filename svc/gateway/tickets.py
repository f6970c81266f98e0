"""Pure: who may come in. A ticket is signed by webapp, names this gateway, lives for seconds, and works once.

Or it was signed by another gateway, for a session of its own that would have to come back: any gateway takes it, for
the minutes that it lives, and each takes it once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from svc.gateway.returning import Returned
from svc.kit.tokens import Signer, TokenExpired, TokenInvalid
from svc.shapes.vouching import Vouched
from svc.shapes.ways import Way

TICKET_KIND = "ticket"

SOCKET_MODE = "socket_mode"
"""What the claim `kind` says for an app's connection."""


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
    vouched: Vouched | None = None
    """What webapp found out while it made the ticket, if it did."""
    token_prefix: bytes = b""
    """First 16 bytes of the hash of the token that it was given for; b"" for none."""
    ends_unix_s: int = 0
    """When that token ends by itself, and the session with it; 0: never."""
    app_id: str = ""
    """A…, of an app's Socket Mode connection; "" for an RTM session."""
    way: Way | None = None
    """How its client came."""
    returned: Returned | None = None
    """What a gateway said of the session that comes back with it."""

    def claims(self) -> dict[str, Any]:
        """Return what a ticket says that is for the same bearer."""
        claims: dict[str, Any] = {"team": self.team_id, "user": self.user_id, "bot": self.bot_id, "kind": "rtm"}
        if self.token_prefix:
            claims["tok"] = base64.urlsafe_b64encode(self.token_prefix).decode()
        if self.ends_unix_s:
            claims["ends"] = self.ends_unix_s
        if self.way is not None:
            claims["way"] = self.way.claim()
        return claims

    @property
    def resumes(self) -> bool:
        """Whether a resume frame will come first."""
        return "resume" in self.flags

    @property
    def is_aware(self) -> bool:
        """Whether the client keeps positions, and wants to be told of them."""
        return self.resumes or "resume_aware" in self.flags

    @property
    def is_lazy_aware(self) -> bool:
        """Whether the client wants to have users before an event shows them."""
        return "lazy_aware" in self.flags


class TicketGate:
    """Admits each ticket once. Remembers used ones until they expire: at most `used_max`, then nobody comes in.

    A restart forgets them, and harms nothing: the next start has another instance id, so no older ticket names it.
    """

    def __init__(self, signer: Signer, instance_id: str, used_max: int = 200_000) -> None:
        """Admit tickets of `signer` for this instance."""
        self._signer = signer
        self._instance_id = instance_id
        self._used_max = used_max
        # By what it is for: those of one kind live about equally long.
        self._used: dict[bool, dict[str, float]] = {False: {}, True: {}}

    def admit(self, ticket: str, now_unix_s: float, enter: Callable[[Ticket], None] = lambda bearer: None) -> Ticket:
        """Return what the ticket says, and use it up. Raises TicketRefused.

        `enter` has the last word: when it raises, the ticket is not used, and works later.
        """
        try:
            claims = self._signer.verify(TICKET_KIND, ticket, now_unix_s)
        except TokenExpired as error:
            raise TicketRefused("Socket URL has expired") from error
        except TokenInvalid as error:
            raise TicketRefused("Socket URL is not valid") from error
        ticket_id, bearer = _read(claims)
        if bearer.returned is None and claims.get("gateway") != self._instance_id:
            raise TicketRefused("Socket URL belongs to another gateway")
        used = self._used[bearer.returned is not None]
        _forget_expired(used, now_unix_s)
        if ticket_id in used:
            raise TicketRefused("Socket URL has been used")
        if len(used) >= self._used_max:
            raise TicketRefused("too many connections at once")
        enter(bearer)
        used[ticket_id] = float(claims["exp"])
        return bearer


def _forget_expired(used: dict[str, float], now_unix_s: float) -> None:
    """Drop used tickets from the first one on that was used; those that live as long as others expire in that order."""
    while used:
        oldest = next(iter(used))
        if used[oldest] > now_unix_s:
            return
        del used[oldest]


def _read(claims: dict[str, Any]) -> tuple[str, Ticket]:
    """Return the id of a ticket and what it says."""
    ticket_id, team_id, user_id = claims.get("jti"), claims.get("team"), claims.get("user")
    if not (isinstance(ticket_id, str) and isinstance(team_id, str) and isinstance(user_id, str)):
        raise TicketRefused("Socket URL is not valid")
    return ticket_id, Ticket(
        team_id,
        user_id,
        str(claims.get("bot") or ""),
        _flags(claims.get("flags")),
        Vouched.of_claim(claims.get("vouched")),
        token_prefix(claims.get("tok")),
        claims["ends"] if isinstance(claims.get("ends"), int) else 0,
        str(claims.get("app") or "") if claims.get("kind") == SOCKET_MODE else "",
        Way.of_claim(claims.get("way")),
        Returned.of_claim(claims.get("return")),
    )


def token_prefix(claim: object) -> bytes:
    """Return the bytes of the claim `tok`. Raises TicketRefused: without them a session would outlive its token."""
    try:
        return base64.b64decode(claim, altchars=b"-_", validate=True) if isinstance(claim, str) else b""
    except ValueError:
        raise TicketRefused("Socket URL is not valid") from None


def _flags(value: Any) -> frozenset[str]:
    return frozenset(str(name) for name in value) if isinstance(value, list) else frozenset()
