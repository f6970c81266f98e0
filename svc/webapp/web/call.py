"""One request to an endpoint of the browser client, and its answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from svc.webapp.domain.origin import Origin
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import User
from svc.webapp.web.config import WebConfig

__all__ = ["Answer", "Endpoint", "WebCall", "signed_in"]


@dataclass(frozen=True, slots=True)
class WebCall:
    """What an endpoint is given."""

    services: Services
    config: WebConfig
    origin: Origin
    body: Mapping[str, Any]
    """The JSON object of a POST, the query of a GET."""
    cookie: str = ""
    """The token in the browser's cookie, whatever it is worth; "" when there is none."""
    address: str = ""
    """Whom tries are counted by."""

    def text(self, name: str) -> str:
        """Return a line that may be missing, without white space around it. Refused `invalid_arguments`."""
        line = self.verbatim(name).strip()
        if any(unicodedata.category(letter) == "Cc" for letter in line):
            raise Refused("invalid_arguments", {"argument": name})
        return line

    def verbatim(self, name: str) -> str:
        """Return an argument that may be missing, as it was sent. Refused `invalid_arguments` when it is no text."""
        value = self.body.get(name, "")
        if not isinstance(value, str):
            raise Refused("invalid_arguments", {"argument": name})
        return value

    async def caller(self) -> Caller | None:
        """Return who is signed in; None when nobody is. Raises UnavailableError."""
        if not self.cookie:
            return None
        try:
            return await self.services.sessions.authenticate(self.cookie, by_cookie=True)
        except Refused:
            return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, without `ok`."""

    body: Mapping[str, Any] = field(default_factory=dict)
    cookie: str | None = None
    """What the browser's cookie is to be; "": none any more; None: as it is."""
    cookie_s: int = 0
    """How long the browser keeps it."""


Endpoint = Callable[[WebCall], Awaitable[Answer]]


async def signed_in(call: WebCall, user: User) -> Answer:
    """Begin a session for a user who showed who he is, and end the one that the browser had.

    Refused `account_inactive`. Raises UnavailableError.
    """
    before = await call.caller()
    lives_s = call.config.session_s
    token = await call.services.accounts.token_for(user, lives_s, is_web=True)
    if before is not None:
        await call.services.accounts.revoke(before.user_id, before.token_hash)
    body = {"team": user.team_id, "user": {"id": user.id, "name": user.name}}
    return Answer(body, token, lives_s)
