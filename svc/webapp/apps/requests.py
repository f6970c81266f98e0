"""What people wait for: slash commands and the like, on their way to an app through its owner."""

from __future__ import annotations

import asyncio

import orjson

from discovery.stubs import StubPools
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.kit.errors import DeadlineError, InvalidArgumentError, NotOwnerError, ParleyError, UnavailableError
from svc.kit.foreign_json import read_json
from svc.webapp.apps.poster import Poster
from svc.webapp.commit.log import Json
from svc.webapp.domain.apps.delivery import DELIVERY_S, UNREACHABLE, Interaction
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.refusal import Refused

__all__ = ["PAYLOAD_BYTES_MAX", "OwnerDelivery", "answer_in", "answer_of", "asked_of", "post_request", "url_of"]

PAYLOAD_BYTES_MAX = 512 * 1024
SLACK_S = 0.5
"""What the way to the owner may take beside the app itself."""

ASK_AGAIN_S = 0.1
"""While the ring moves, its old and its new owner both say that the app is not theirs. Only then is one asked again:
whatever else fails may have reached the app."""

_KINDS: dict[Interaction, pb.AppRequestKind.ValueType] = {
    "slash_commands": pb.APP_REQUEST_KIND_SLASH_COMMAND,
    "interactive": pb.APP_REQUEST_KIND_INTERACTIVE,
}


def asked_of(request: pb.DeliverToAppRequest) -> Interaction:
    """Return the type of the envelope for a request. Raises InvalidArgumentError for what is malformed."""
    kind = next((each for each, number in _KINDS.items() if number == request.kind), None)
    if kind is None:
        raise InvalidArgumentError("what kind of request?", subject="kind")
    size = len(request.payload)
    if size > PAYLOAD_BYTES_MAX:
        raise InvalidArgumentError("the payload is too large", subject="payload", limit=PAYLOAD_BYTES_MAX, actual=size)
    try:
        is_object = isinstance(orjson.loads(request.payload), dict)
    except orjson.JSONDecodeError:
        is_object = False
    if not is_object:
        raise InvalidArgumentError("the payload must be a JSON object", subject="payload")
    return kind


async def post_request(poster: Poster, secret: str, request: pb.DeliverToAppRequest, timeout_s: float) -> bytes:
    """Post a request to its URL, and return the app's answer as an encoded JSON object; b"" when it said nothing.

    Raises UnavailableError for whatever is not a 2xx, DeadlineError when it takes too long.
    """
    if request.kind == pb.APP_REQUEST_KIND_SLASH_COMMAND:
        fields = {name: _text(value) for name, value in orjson.loads(request.payload).items()}
    else:
        fields = {"payload": request.payload.decode()}
    posted = await poster.post_form(request.request_url, secret, fields, timeout_s)
    if posted.reason == "http_timeout":
        raise DeadlineError(f"the app did not answer within {timeout_s:g} s")
    if not posted.is_ok:
        raise UnavailableError(f"the app's URL: {posted.reason} {posted.status or ''}".rstrip())
    return answer_of(posted.body)


def answer_of(body: bytes) -> bytes:
    """Return what an app said over HTTP as an encoded JSON object: plain text is the text of a message."""
    text = body.decode(errors="replace").strip()
    if not text:
        return b""
    try:
        found = read_json(body)
    except orjson.JSONDecodeError:
        return orjson.dumps({"text": text})
    return orjson.dumps(found) if isinstance(found, dict) else orjson.dumps({"text": text})


def url_of(app: App, kind: Interaction, payload: Json) -> str:
    """Return where something is posted when the app has no Socket Mode; "" for nowhere."""
    if kind == "slash_commands":
        command = app.command(str(payload.get("command", "")))
        return command.url if command is not None else ""
    return app.options_url if payload.get("type") == "block_suggestion" else app.interactivity_url


class OwnerDelivery:
    """The way to an app through its owner (see svc.webapp.domain.apps.delivery.Delivery)."""

    def __init__(self, pools: StubPools) -> None:
        """`pools` must follow the ring of webapps."""
        self._pools = pools

    async def deliver(self, app: App, kind: Interaction, payload: Json, timeout_s: float = DELIVERY_S) -> Json | None:
        """See Delivery."""
        url = "" if app.is_socket_mode else url_of(app, kind, payload)
        if not app.is_socket_mode and not url:
            raise Refused(UNREACHABLE)
        request = pb.DeliverToAppRequest(
            app_id=app.id,
            team_id=app.team_id,
            kind=_KINDS[kind],
            payload=orjson.dumps(payload),
            request_url=url,
            timeout_ms=int(timeout_s * 1000),
        )
        try:
            async with asyncio.timeout(timeout_s + SLACK_S):
                answer = await self._ask(request, timeout_s + SLACK_S)
        except (ParleyError, TimeoutError) as error:
            raise Refused(UNREACHABLE) from error
        return answer_in(answer.payload)

    async def _ask(self, request: pb.DeliverToAppRequest, timeout_s: float) -> pb.DeliverToAppResponse:
        while True:
            try:
                return await self._pools.call_owner(
                    "webapp",
                    request.app_id,
                    WebappServiceStub,
                    lambda stub: stub.DeliverToApp,
                    request,
                    timeout_s=timeout_s,
                )
            except NotOwnerError:
                await asyncio.sleep(ASK_AGAIN_S)


def answer_in(payload: bytes) -> Json | None:
    """Return the JSON object that an app acknowledged with; None for an empty one, for none, and for anything else."""
    try:
        found = read_json(payload) if payload else None
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and found else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
