"""What every Web API call goes through: know the caller, read the arguments, run, name what went wrong.

Errors by kind. The client's mistake or a refusal by the rules: 200 with `ok: false`. A rate limit, or more than we can
do before anything was stored: 429 with Retry-After, the one answer that makes every client hold back (see
docs/overload.md). MySQL not answering before anything was stored: 503, which clients may repeat. Everything after which
a message may have been stored: 200 with `fatal_error`, because several clients repeat a request after any 5xx and would
post it twice.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from svc.kit.errors import DeadlineError, InvalidArgumentError, ParleyError, ResourceExhaustedError, UnavailableError
from svc.webapp.api.arguments import ArgumentError, parse
from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.api.credentials import Credential
from svc.webapp.api.scopes import accepted, check_kind, check_scopes
from svc.webapp.commit.log import OutcomeUnknownError
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.people.caller import ANONYMOUS, Caller
from svc.webapp.domain.refusal import RateLimited, Refused
from svc.webapp.domain.services import Services
from svc.webapp.priority import Priority, current

log = logging.getLogger(__name__)

BOT_SCOPES = "identify,bot:basic"
"""What a token without scopes of its own is said to have: a classic bot's, by which errbot chooses RTM."""

RETURNING = ("since", "reconnect")
"""Arguments by which a client says that it was here before."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer ready to be written."""

    body: Answer
    status: int = 200
    scopes: str = BOT_SCOPES
    accepted: str = ""
    """Scopes of which the method takes any one; "" when it takes every token."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """`ok`, or the error code, for metrics: codes are few and ours."""
        return "ok" if self.body.get("ok") else str(self.body.get("error", ""))


def failure(code: str, *, status: int = 200, messages: tuple[str, ...] = (), **extra: object) -> Reply:
    """Return an `ok: false` reply."""
    body: Answer = {"ok": False, "error": code, **extra}
    if messages:
        body["response_metadata"] = {"messages": list(messages)}
    return Reply(body, status)


def unknown_method(name: str) -> Reply:
    """Return the answer to a method that we do not have."""
    return failure("unknown_method", req_method=name[:200])


def bad_arguments(error: ArgumentError) -> Reply:
    """Return the answer to arguments that cannot be used."""
    return failure(error.code, messages=error.messages)


def overloaded(error: ResourceExhaustedError) -> Reply:
    """Return the answer to a call for which nothing was done because there is too much to do."""
    after = str(max(1, math.ceil(error.retry_after_s)))
    message = f"[ERROR] overloaded ({error.subject}): nothing was done; try again in {after} s"
    body: Answer = {
        "ok": False,
        # The one code at which Slack's socket clients wait as they are told before they connect again.
        "error": "ratelimited",
        "cause": "overload",
        "response_metadata": {"messages": [message]},
    }
    return Reply(body, status=429, headers={"Retry-After": after})


async def dispatch(
    services: Services,
    method: Method,
    raw: Mapping[str, object],
    credential: Credential,
    origin: Origin,
    timeout_s: float,
) -> Reply:
    """Run one call to its reply. Never raises for what the client sent, nor for what our own parts fail with."""
    caller = ANONYMOUS
    current().is_patient = method.priority is Priority.BOOT and any(map(raw.get, RETURNING))
    try:
        async with asyncio.timeout(timeout_s):
            if method.precheck is not None:
                method.precheck(services, raw)
            if not method.is_public:
                check_kind(method, credential.token)
                caller = await services.sessions.authenticate(credential.token, by_cookie=credential.by_cookie)
                check_scopes(method, caller)
                # Before anything is looked at: who comes too often costs no more than this.
                await services.limits.check(method.tier, method.name, caller, str(raw.get("channel", "")))
            answer = await method.handler(Call(caller, parse(method.args, raw), services, origin))
    except RateLimited as limit:
        after = {"Retry-After": str(max(1, math.ceil(limit.retry_after_s)))}
        reply = Reply({"ok": False, "error": limit.code}, status=429, headers=after)
    except Refused as refusal:
        reply = Reply({"ok": False, "error": refusal.code, **refusal.extra})
    except ArgumentError as error:
        reply = bad_arguments(error)
    except (ParleyError, TimeoutError) as error:
        reply = _trouble(method, caller, error)
    except Exception:
        log.exception("%s failed", method.name)
        reply = failure("internal_error")
    else:
        reply = Reply({"ok": True, **answer})
    return _with_scopes(reply, caller, method)


def _trouble(method: Method, caller: Caller, error: ParleyError | TimeoutError) -> Reply:
    """Return the reply for a part of ours that did not do its work, and log it."""
    has_stored = current().has_stored
    if isinstance(error, ResourceExhaustedError) and not has_stored:
        # Counted where it was shed: a line of log for each would be one load more.
        return overloaded(error)
    log.warning("%s: %s", method.name, error or "took too long")
    if isinstance(error, InvalidArgumentError):
        return failure("invalid_arguments", messages=("[ERROR] a value cannot be stored",))
    if isinstance(error, OutcomeUnknownError) or (has_stored and _is_passing(error)):
        return failure("fatal_error")
    if isinstance(error, UnavailableError):
        return failure("service_unavailable", status=503)
    if isinstance(error, DeadlineError | TimeoutError):
        # Authentication and reads may be repeated; a write that took too long may have happened.
        is_unknown = method.writes and caller is not ANONYMOUS
        return failure("fatal_error") if is_unknown else failure("service_unavailable", status=503)
    return failure("internal_error")


def _is_passing(error: ParleyError | TimeoutError) -> bool:
    return isinstance(error, TimeoutError) or error.retryable


def _with_scopes(reply: Reply, caller: Caller, method: Method) -> Reply:
    return Reply(reply.body, reply.status, caller.scopes or reply.scopes, accepted(method), reply.headers)
