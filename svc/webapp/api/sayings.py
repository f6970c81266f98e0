"""`/services/…` and `/response/…`: where programs say something by knowing an address, without a token.

Raw ASGI, as the Web API is, and with its rules: bodies of bounded size in bounded time, the same gate. Answers are
plain text as Slack's are, for that is what senders look at: `ok`, or the error's code with a status that says whose
fault it was.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from svc.kit.errors import ParleyError, ResourceExhaustedError
from svc.kit.foreign_json import read_json
from svc.webapp.api.arguments import ArgumentError
from svc.webapp.api.asgi import BodyTooLarge, HttpConfig, is_gone, read
from svc.webapp.api.bodies import read_body
from svc.webapp.commit.log import OutcomeUnknownError
from svc.webapp.domain.apps.passes import RESPONSE_PATH
from svc.webapp.domain.apps.speech import said
from svc.webapp.domain.apps.webhooks import WEBHOOK_PATH
from svc.webapp.domain.refusal import RateLimited, Refused
from svc.webapp.domain.services import Services
from svc.webapp.gate import Gate
from svc.webapp.priority import Priority, Turn

__all__ = ["Responses", "Saying", "Webhooks", "payload_of"]

log = logging.getLogger(__name__)

STATUSES: Mapping[str, int] = {
    "invalid_token": 403,
    "no_service": 404,
    "channel_not_found": 404,
    "invalid_url": 404,
    "expired_url": 404,
    "used_url": 404,
    "message_not_found": 404,
    "channel_is_archived": 410,
    "payload_too_large": 413,
    "ratelimited": 429,
    "service_unavailable": 503,
    "internal_error": 500,
}
"""Statuses by error; 400 for all others."""
_SAID_OTHERWISE = {"not_in_channel": "channel_not_found", "is_archived": "channel_is_archived"}

Say = Callable[[str, Mapping[str, object]], Awaitable[None]]
"""Says a payload at what follows an address's prefix."""


class Saying:
    """One kind of address, as an ASGI app."""

    def __init__(self, prefix: str, say: Say, config: HttpConfig, gate: Gate) -> None:
        self._prefix = f"/{prefix}"
        self._say = say
        self._config = config
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        turn = Turn(Priority.POST, is_gone(receive))
        headers: dict[str, str] = {}
        try:
            if scope["method"] != "POST":
                raise Refused("invalid_payload")
            await self._said(scope, receive, turn)
        except RateLimited as limit:
            code, headers = "ratelimited", _retry_after(limit.retry_after_s)
        except ResourceExhaustedError as error:
            code, headers = "ratelimited", _retry_after(error.retry_after_s)
        except Refused as refusal:
            code = _SAID_OTHERWISE.get(refusal.code, refusal.code)
        except BodyTooLarge:
            code = "payload_too_large"
        except (ParleyError, TimeoutError) as error:
            log.warning("%s: %s", self._prefix, error or "took too long")
            # Many senders repeat a request after a 503, and would say twice what may have been stored.
            is_unknown = turn.has_stored or isinstance(error, OutcomeUnknownError)
            code = "internal_error" if is_unknown else "service_unavailable"
        except Exception:
            log.exception("%s failed", self._prefix)
            code = "internal_error"
        else:
            code = ""
        finally:
            self._gate.let_go(turn)
        await _write(send, STATUSES.get(code, 400) if code else 200, code or "ok", headers)

    async def _said(self, scope: Scope, receive: Receive, turn: Turn) -> None:
        gate, config = self._gate, self._config
        with gate.arriving(turn):
            async with asyncio.timeout(config.request_s):
                body = await read(receive, config.body_bytes_max, lambda size: gate.hold(turn, size))
        payload = payload_of(Headers(scope=scope).get("content-type", ""), body)
        rest = scope["path"].removeprefix(self._prefix).rstrip("/")
        with gate.admitted(turn):
            async with asyncio.timeout(config.request_s):
                await self._say(rest, payload)


def payload_of(content_type: str, body: bytes) -> Mapping[str, object]:
    """Return what is to be said: a JSON object, or the one in the `payload` of a form. Refused `invalid_payload`.

    JSON is taken whatever its type is called: curl calls all that it sends a form.
    """
    if not body.strip():
        raise Refused("invalid_payload")
    if body.lstrip()[:1] == b"{":
        return _object(body)
    try:
        form = read_body(content_type, body)
    except ArgumentError:
        raise Refused("invalid_payload") from None
    payload = form.get("payload")
    return _object(payload) if isinstance(payload, str) else form


def _object(text: str | bytes) -> Mapping[str, object]:
    try:
        found = read_json(text)
    except orjson.JSONDecodeError:
        raise Refused("invalid_payload") from None
    if not isinstance(found, dict):
        raise Refused("invalid_payload")
    return found


class Webhooks(Saying):
    """`/services/T…/B…/token`."""

    def __init__(self, services: Services, config: HttpConfig, gate: Gate) -> None:
        super().__init__(WEBHOOK_PATH, self._post, config, gate)
        self._services = services

    async def _post(self, rest: str, payload: Mapping[str, object]) -> None:
        team_id, _, rest = rest.partition("/")
        webhook_id, _, token = rest.partition("/")
        # With the token, so that nobody who does not have it uses it up.
        await self._services.limits.check_hook(rest)
        answer = said(payload)
        if answer.is_empty:
            raise Refused("no_text")
        await self._services.apps.webhooks.post(team_id, webhook_id, token, answer.post)


class Responses(Saying):
    """`/response/TICKET`."""

    def __init__(self, services: Services, config: HttpConfig, gate: Gate) -> None:
        super().__init__(RESPONSE_PATH, services.apps.responses.respond, config, gate)


def _retry_after(after_s: float) -> dict[str, str]:
    return {"retry-after": str(max(1, math.ceil(after_s)))}


async def _write(send: Send, status: int, text: str, more: Mapping[str, str]) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *((name.encode(), value.encode()) for name, value in more.items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
