"""What goes wrong inside a method becomes the answer that makes a client do the right thing next."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from svc.kit.errors import (
    DeadlineError,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from svc.webapp.api.arguments import Arg, ArgumentError
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.api.credentials import Credential, bearer_token
from svc.webapp.api.dispatch import Reply, dispatch
from svc.webapp.api.registry import FAMILIES, METHODS
from svc.webapp.commit.log import OutcomeUnknownError
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import RateLimited, Refused
from svc.webapp.domain.services import Services
from svc.webapp.limits.limiter import Limits, Unlimited
from svc.webapp.priority import Priority, Turn, note_stored, taking

CALLER = Caller("T0000000001", "U0000000001", scopes="identify,read")


@dataclass(slots=True)
class Door:
    """Sessions that know one token, or fail."""

    failure: Exception | None = None

    async def authenticate(self, token: str, *, by_cookie: bool = False) -> Caller:
        if self.failure is not None:
            raise self.failure
        if token != "good":
            raise Refused("invalid_auth")
        return CALLER


@dataclass(slots=True)
class House:
    """As much of the services as dispatch itself touches."""

    sessions: Door
    limits: Limits = field(default_factory=Unlimited)


@dataclass(slots=True)
class Full(Unlimited):
    """Limits that are used up; what was asked of them."""

    asked: list[tuple[Tier, str, Caller, str]] = field(default_factory=list)

    async def check(self, tier: Tier, method: str, caller: Caller, reference: str = "") -> None:
        self.asked.append((tier, method, caller, reference))
        raise RateLimited(2.1)


async def run(outcome: Exception | Answer, *, writes: bool = False, door: Door | None = None) -> Reply:
    async def handler(call: Call) -> Answer:
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.get("slow"):
            await asyncio.sleep(60)
        return outcome

    method = Method("test.method", handler, (Arg("n"),), writes=writes)
    house = cast(Services, House(door or Door()))
    return await dispatch(house, method, {"n": "1"}, Credential("good"), Origin(), timeout_s=0.05)


@pytest.mark.parametrize(
    ("outcome", "writes", "status", "code"),
    [
        (Refused("name_taken"), True, 200, "name_taken"),
        (ArgumentError("invalid_limit", ["[ERROR] x"]), False, 200, "invalid_limit"),
        (UnavailableError("mysql is away"), True, 503, "service_unavailable"),
        (OutcomeUnknownError("lost during commit"), True, 200, "fatal_error"),
        (ResourceExhaustedError("too many wait"), True, 429, "ratelimited"),
        (DeadlineError("no answer"), False, 503, "service_unavailable"),
        (DeadlineError("no answer"), True, 200, "fatal_error"),
        ({"slow": True}, False, 503, "service_unavailable"),
        ({"slow": True}, True, 200, "fatal_error"),
        (InvalidArgumentError("too long for a column"), True, 200, "invalid_arguments"),
        (InternalError("a defect"), True, 200, "internal_error"),
        (ZeroDivisionError("a defect with a secret in it"), True, 200, "internal_error"),
    ],
)
async def test_each_failure_has_its_status_and_code(
    outcome: Exception | Answer, writes: bool, status: int, code: str
) -> None:
    """5xx only while nothing can have been stored: several clients repeat a request after one."""
    reply = await run(outcome, writes=writes)
    assert (reply.status, reply.body["ok"], reply.body["error"]) == (status, False, code)
    assert "secret" not in str(reply.body)


async def test_an_outage_during_authentication_is_never_invalid_auth() -> None:
    """Whatever the method: nothing has happened yet, so 503 is right for writes too."""
    for failure in (UnavailableError("away"), DeadlineError("slow")):
        reply = await run({}, writes=True, door=Door(failure))
        assert (reply.status, reply.body["error"]) == (503, "service_unavailable")


async def test_a_rate_limit_is_429_with_whole_seconds() -> None:
    """Node gives up when Retry-After is not an integer of at least 1."""
    reply = await run(RateLimited(0.2))
    assert (reply.status, reply.body) == (429, {"ok": False, "error": "ratelimited"})
    assert reply.headers["Retry-After"] == "1"


async def test_what_is_shed_says_why_and_when_to_come_back() -> None:
    """429 is the answer at which every client holds back, and none takes for a message that may have been stored."""
    reply = await run(ResourceExhaustedError("full", subject="channel.connections", retry_after_s=2.2), writes=True)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "3")
    assert (reply.body["error"], reply.body["cause"]) == ("ratelimited", "overload")
    assert "channel.connections" in reply.body["response_metadata"]["messages"][0]


@pytest.mark.parametrize("error", [ResourceExhaustedError("full"), UnavailableError("away"), DeadlineError("slow")])
async def test_after_something_was_stored_no_answer_invites_to_repeat_it(error: Exception) -> None:
    """Whatever fails afterwards: a client that repeats it would do it twice."""
    with taking(Turn(Priority.POST)):
        note_stored()
        reply = await run(error, writes=True)
    assert (reply.status, reply.body["error"]) == (200, "fatal_error")


async def test_a_callers_own_scopes_are_told() -> None:
    """Refusals name what they have to say beside the code."""
    reply = await run({"answer": 42})
    assert (reply.body, reply.scopes) == ({"ok": True, "answer": 42}, "identify,read")
    assert (await run(Refused("no", {"errors": [1]}))).body == {"ok": False, "error": "no", "errors": [1]}


@pytest.mark.parametrize(
    ("header", "arguments", "token"),
    [
        ("Bearer xoxb-1", {}, "xoxb-1"),
        ("bearer  xoxb-1 ", {"token": "xoxb-2"}, "xoxb-1"),
        ("", {"token": " xoxb-2 "}, "xoxb-2"),
        ("Basic abc", {"token": "xoxb-2"}, "xoxb-2"),
        ("Bearer", {}, ""),
        ("", {"token": 7}, ""),
    ],
)
def test_the_token_is_in_the_header_or_among_the_arguments(header: str, arguments: dict[str, Any], token: str) -> None:
    """Both at once is normal; the header wins."""
    assert bearer_token(header, arguments) == token


def test_the_table_of_methods_is_complete_and_without_doubles() -> None:
    """Every method of the first stage, each once, each declared argument once."""
    names = [method.name for family in FAMILIES for method in family]
    assert len(names) == len(set(names)) == len(METHODS)
    assert {"api.test", "auth.test", "rtm.connect", "team.info", "chat.postMessage"} <= METHODS.keys()
    for verb in ("create", "list", "info", "join", "leave", "invite", "members", "history", "open"):
        assert f"conversations.{verb}" in METHODS
    for verb in ("list", "info", "conversations", "getPresence"):
        assert f"users.{verb}" in METHODS
    classes = {name: method.priority for name, method in METHODS.items()}
    assert classes["chat.postMessage"] is classes["conversations.join"] is Priority.POST
    assert classes["conversations.history"] is Priority.READ
    assert classes["rtm.connect"] is classes["users.list"] is classes["conversations.list"] is Priority.BOOT
    assert classes["users.getPresence"] is Priority.TRANSIENT
    for method in METHODS.values():
        declared = [arg.name for arg in method.args]
        assert len(declared) == len(set(declared)), method.name


async def test_who_comes_too_often_is_refused_before_anything_is_done() -> None:
    """Known by his token, and before the arguments are looked at; methods without a token have no limits."""
    done: list[str] = []

    async def handler(call: Call) -> Answer:
        done.append("done")
        return {}

    full = Full()
    house = cast(Services, House(Door(), full))
    method = Method("test.method", handler, (Arg("n", required=True),), tier=Tier.T2)
    raw = {"channel": "C1"}
    reply = await dispatch(house, method, raw, Credential("good"), Origin(), timeout_s=1)
    assert (reply.status, reply.body, reply.headers["Retry-After"]) == (429, {"ok": False, "error": "ratelimited"}, "3")
    assert full.asked == [(Tier.T2, "test.method", CALLER, "C1")]
    public = Method("test.public", handler, is_public=True)
    assert (await dispatch(house, public, {}, Credential(), Origin(), timeout_s=1)).status == 200
    assert done == ["done"]
