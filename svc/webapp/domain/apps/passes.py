"""Passes that let an app answer a person: a trigger_id opens one view, a response_url takes five answers.

Both are signed, so they need no row to be known by; only their uses are counted, in the database, for all webapps
together. A crash loses no pass, and gives none a use more.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.kit.tokens import Signer, TokenExpired, TokenInvalid
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.apps import AppStore

__all__ = ["RESPONSES_MAX", "RESPONSE_PATH", "RESPONSE_S", "TRIGGER_S", "Passes", "ResponsePass", "TriggerPass"]

TRIGGER_S = 3.0
"""How long a trigger_id is good; Slack's."""
RESPONSE_S = 1_800.0
RESPONSES_MAX = 5
"""How long a response_url is good, and how often; Slack's."""
RESPONSE_PATH = "response/"
"""Where response_urls are, below the installation's address."""

_TRIGGER, _RESPONSE = "app-trigger", "app-response"
_KEPT_S = 3_600
"""How long an expired trigger is told from a wrong one, and the uses of a pass are remembered beyond its end."""


@dataclass(frozen=True, slots=True)
class TriggerPass:
    """What a trigger_id stands for: this person did something to this app a moment ago."""

    user_id: str
    view_id: str = ""
    """The view that it was done in, upon which another may be pushed; "" for none."""


@dataclass(frozen=True, slots=True)
class ResponsePass:
    """What a response_url stands for: this person did something to this app here."""

    team_id: str
    app_id: str
    channel_id: str
    user_id: str
    message_ts_us: int = 0
    """The message that was clicked; 0 for a command."""
    is_ephemeral: bool = False
    """Whether that message is one that only the person sees."""
    thread_ts_us: int = 0


class Passes:
    """Gives out and takes passes. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, signer: Signer, store: AppStore, clock: Clock) -> None:
        self._signer = signer
        self._store = store
        self._clock = clock

    def trigger(self, team_id: str, app_id: str, user_id: str, view_id: str = "") -> str:
        """Return a trigger_id, good for TRIGGER_S."""
        now = self._now()
        claims = {"jti": secrets.token_urlsafe(9), "team": team_id, "app": app_id, "user": user_id, "view": view_id}
        return self._signer.sign(_TRIGGER, {**claims, "until": now + TRIGGER_S}, _KEPT_S, now)

    async def exchange(self, team_id: str, app_id: str, trigger_id: str) -> TriggerPass:
        """Take a trigger_id. Refused `invalid_trigger_id`, `expired_trigger_id`, `exchanged_trigger_id`."""
        now = self._now()
        try:
            claims = self._signer.verify(_TRIGGER, trigger_id.strip(), now)
        except TokenExpired:
            raise Refused("expired_trigger_id") from None
        except TokenInvalid:
            raise Refused("invalid_trigger_id") from None
        if (claims["team"], claims["app"]) != (team_id, app_id):
            raise Refused("invalid_trigger_id")
        if now >= claims["until"]:
            raise Refused("expired_trigger_id")
        if not await self._use(team_id, f"t:{claims['jti']}", 1, TRIGGER_S):
            raise Refused("exchanged_trigger_id")
        return TriggerPass(claims["user"], claims["view"])

    def response_url(self, origin: Origin, given: ResponsePass) -> str:
        """Return an address, good for RESPONSES_MAX answers within RESPONSE_S."""
        claims = {
            "jti": secrets.token_urlsafe(9),
            "team": given.team_id,
            "app": given.app_id,
            "channel": given.channel_id,
            "user": given.user_id,
            "ts": given.message_ts_us,
            "eph": given.is_ephemeral,
            "thread": given.thread_ts_us,
        }
        return f"{origin.base_url}{RESPONSE_PATH}{self._signer.sign(_RESPONSE, claims, RESPONSE_S, self._now())}"

    async def respond(self, ticket: str) -> ResponsePass:
        """Use a response_url's ticket once. Refused `invalid_url`, `expired_url`, `used_url`."""
        try:
            claims = self._signer.verify(_RESPONSE, ticket, self._now())
        except TokenExpired:
            raise Refused("expired_url") from None
        except TokenInvalid:
            raise Refused("invalid_url") from None
        if not await self._use(claims["team"], f"r:{claims['jti']}", RESPONSES_MAX, RESPONSE_S):
            raise Refused("used_url")
        return ResponsePass(
            claims["team"],
            claims["app"],
            claims["channel"],
            claims["user"],
            claims["ts"],
            claims["eph"],
            claims["thread"],
        )

    async def _use(self, team_id: str, pass_id: str, uses_max: int, ttl_s: float) -> bool:
        now_s = int(self._now())
        return await self._store.use_pass(team_id, pass_id, uses_max, now_s + int(ttl_s) + _KEPT_S, now_s)

    def _now(self) -> float:
        return self._clock.wall_us() / 1_000_000
