"""`/web/…` over HTTP: from a request to an endpoint, and from its answer to JSON and a cookie.

What the rules refuse is 200 with `ok: false` and a code, as in the Web API. 403 `invalid_origin` for a POST that no
page of ours made, 429 with Retry-After for too much at once, 503 when a part of ours does not answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from opentelemetry import metrics
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from svc.kit.errors import InvalidArgumentError, ParleyError, ResourceExhaustedError
from svc.kit.tally import Tally
from svc.webapp.api.asgi import BodyTooLarge, is_gone, origin_of, read
from svc.webapp.api.credentials import COOKIE, cookie_token, is_own_page
from svc.webapp.domain.origin import Origins
from svc.webapp.domain.refusal import RateLimited, Refused
from svc.webapp.domain.services import Services
from svc.webapp.gate import Gate
from svc.webapp.priority import Priority, Turn
from svc.webapp.web import consent, joining, session, signing
from svc.webapp.web.call import Answer, Endpoint, WebCall
from svc.webapp.web.config import WebConfig

__all__ = ["WEB_PREFIX", "WebFront"]

log = logging.getLogger(__name__)

WEB_PREFIX = "/web/"
BODY_BYTES_MAX = 16_384
ENDPOINTS: Mapping[str, tuple[str, Endpoint]] = {
    "session": ("GET", session.session),
    "signin": ("POST", signing.sign_in),
    "signin/demo": ("POST", session.enter_demo),
    "signout": ("POST", session.leave),
    "password": ("POST", signing.change_password),
    "invitation": ("GET", joining.invitation),
    "join": ("POST", joining.join),
    "consent": ("GET", consent.look),
    "consent/agree": ("POST", consent.agree),
}


class _Failed(Exception):
    """A request that reached no endpoint, or whose endpoint could not do its work."""

    def __init__(self, status: int, code: str, retry_after_s: float = 0) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


class WebFront:
    """The ASGI app."""

    def __init__(self, services: Services, config: WebConfig, gate: Gate, origins: Origins, request_s: float) -> None:
        """`request_s`: longest that one request may take."""
        self._services = services
        self._config = config
        self._gate = gate
        self._origins = origins
        self._request_s = request_s
        meter = metrics.get_meter("parley.webapp")
        self._outcomes = Tally(meter, "parley_web_requests", ("endpoint", "outcome"), "requests of the browser client")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(WEB_PREFIX)
        origin = origin_of(self._origins, scope, Headers(scope=scope))
        turn = Turn(Priority.POST, is_gone(receive))
        answer, told = Answer(), dict[str, str]()
        status, body = 200, dict[str, Any]()
        try:
            answer = await self._answer(name, scope, receive, turn)
            body = {"ok": True, **answer.body}
        except Refused as refusal:
            body = {"ok": False, "error": refusal.code, **refusal.extra}
        except _Failed as failed:
            status, body = failed.status, {"ok": False, "error": failed.code}
            if failed.retry_after_s:
                told["retry-after"] = str(max(1, math.ceil(failed.retry_after_s)))
        finally:
            self._gate.let_go(turn)
        self._outcomes.add(1, name if name in ENDPOINTS else "unknown", str(body.get("error", "ok")))
        response = _response(status, body, told)
        if answer.cookie is not None:
            _set_cookie(response, answer, is_secure=origin.is_secure)
        await response(scope, receive, send)

    async def _answer(self, name: str, scope: Scope, receive: Receive, turn: Turn) -> Answer:
        """Return the endpoint's answer. Raises Refused and _Failed."""
        try:
            async with asyncio.timeout(self._request_s):
                call, endpoint = await self._call(name, scope, receive, turn)
                with self._gate.admitted(turn):
                    return await endpoint(call)
        except RateLimited as limit:
            raise _Failed(429, "too_many_tries", limit.retry_after_s) from limit
        except (Refused, _Failed):
            raise
        except ResourceExhaustedError as error:
            raise _Failed(429, "overloaded", error.retry_after_s) from error
        except InvalidArgumentError as error:
            log.info("/web/%s: %s", name, error)
            raise Refused("invalid_arguments") from error
        except (ParleyError, TimeoutError) as error:
            log.warning("/web/%s: %s", name, error or "took too long")
            raise _Failed(503, "service_unavailable", 1) from error
        except Exception as error:
            log.exception("/web/%s failed", name)
            raise _Failed(500, "internal_error") from error

    async def _call(self, name: str, scope: Scope, receive: Receive, turn: Turn) -> tuple[WebCall, Endpoint]:
        """Return what was asked and who is to answer. Raises _Failed."""
        found = ENDPOINTS.get(name)
        if found is None:
            raise _Failed(404, "not_found")
        verb, endpoint = found
        if scope["method"] != verb:
            raise _Failed(405, "method_not_allowed")
        headers = Headers(scope=scope)

        def header(each: str) -> str:
            return headers.get(each, "")

        origin = origin_of(self._origins, scope, headers)
        if verb == "POST" and not is_own_page(header, origin):
            raise _Failed(403, "invalid_origin")
        body = await self._body(scope, receive, headers, turn) if verb == "POST" else _query(scope["query_string"])
        cookie = cookie_token(header("cookie"))
        peer = scope["client"][0] if scope.get("client") else ""
        address = self._origins.address(peer, header("x-forwarded-for"))
        return WebCall(self._services, self._config, origin, body, cookie, address), endpoint

    async def _body(self, scope: Scope, receive: Receive, headers: Headers, turn: Turn) -> dict[str, Any]:
        """Return the JSON object that was sent; nothing at all counts as an empty one."""
        try:
            with self._gate.arriving(turn):
                raw = await read(receive, BODY_BYTES_MAX, lambda size: self._gate.hold(turn, size))
        except BodyTooLarge:
            raise _Failed(413, "too_large") from None
        if raw and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _Failed(415, "invalid_content_type")
        try:
            body = orjson.loads(raw or b"{}")
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            raise _Failed(400, "invalid_json")
        return body


def _query(raw: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(raw.decode("ascii", "replace"), errors="replace", max_num_fields=20))
    except ValueError:
        return {}


def _response(status: int, body: Mapping[str, Any], told: Mapping[str, str]) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff", "vary": "cookie, origin", **told}
    return Response(orjson.dumps(body), status, headers, "application/json")


def _set_cookie(response: Response, answer: Answer, *, is_secure: bool) -> None:
    response.set_cookie(
        COOKIE,
        answer.cookie or "",
        max_age=answer.cookie_s,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
