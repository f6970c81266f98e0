"""Which tokens a method takes."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest

from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.api.credentials import Credential
from svc.webapp.api.dispatch import Reply, dispatch
from svc.webapp.api.registry import METHODS
from svc.webapp.api.scopes import basic_credentials, check_kind, check_scopes
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import TokenKind

TEAM, USER = "T0000000001", "U0000000001"
BOT, APP, PERSON = TokenKind.BOT, TokenKind.APP, TokenKind.USER


async def nothing(_: Call) -> Answer:
    return {}


WRITES = Method("chat.postMessage", nothing, scopes=("chat:write", "chat:write:bot"))
OPENS = Method("apps.connections.open", nothing, scopes=("connections:write",), tokens=frozenset({APP}))
TESTS = Method("auth.test", nothing)


def refusal(method: Method, kind: TokenKind, scopes: str) -> tuple[str, Any]:
    """Return the code and what is said beside it; "" when the token may."""
    try:
        check_scopes(method, Caller(TEAM, USER, kind, scopes=scopes))
    except Refused as refused:
        return refused.code, dict(refused.extra)
    return "", {}


@pytest.mark.parametrize(
    ("method", "kind", "scopes", "code"),
    [
        (WRITES, PERSON, "", ""),
        (WRITES, PERSON, "identify,read,post,client", ""),
        (WRITES, BOT, "identify,bot:basic", ""),
        (WRITES, BOT, "chat:write", ""),
        (WRITES, BOT, "channels:read,chat:write:bot", ""),
        (WRITES, BOT, "channels:read", "missing_scope"),
        (WRITES, BOT, "identify", "missing_scope"),
        (WRITES, BOT, "chat:writes", "missing_scope"),
        (WRITES, APP, "connections:write", "not_allowed_token_type"),
        (TESTS, BOT, "channels:read", ""),
        (TESTS, APP, "connections:write", "not_allowed_token_type"),
        (OPENS, APP, "connections:write", ""),
        (OPENS, APP, "authorizations:read", "missing_scope"),
        (OPENS, BOT, "identify,bot:basic", "not_allowed_token_type"),
        (OPENS, PERSON, "", "not_allowed_token_type"),
    ],
)
def test_a_method_takes_the_tokens_that_it_names(method: Method, kind: TokenKind, scopes: str, code: str) -> None:
    """Tokens without scopes and classic ones may everything, others what they say; kinds are never mixed up."""
    assert refusal(method, kind, scopes)[0] == code


def test_a_missing_scope_is_named() -> None:
    """Slack's clients print both."""
    extra = {"needed": "chat:write,chat:write:bot", "provided": "channels:read"}
    assert refusal(WRITES, BOT, "channels:read") == ("missing_scope", extra)


def test_an_apps_token_is_refused_by_its_form() -> None:
    """Without asking the database."""
    check_kind(OPENS, "xapp-1-2-3")
    check_kind(WRITES, "xoxb-1-2-3")
    with pytest.raises(Refused, match="not_allowed_token_type"):
        check_kind(WRITES, "xapp-1-2-3")


class _Sessions:
    async def authenticate(self, token: str, *, by_cookie: bool = False) -> Caller:
        return Caller(TEAM, USER, BOT, scopes="channels:read")


class _Limits:
    async def check(self, *_: object) -> None:
        """Let everybody call as often as they like."""


class _House:
    sessions, limits = _Sessions(), _Limits()


async def reply_of(method: Method) -> Reply:
    return await dispatch(cast(Services, _House()), method, {}, Credential("xoxb-1-2-3"), Origin(), timeout_s=5.0)


async def test_every_answer_tells_the_tokens_scopes_and_the_methods() -> None:
    """A refused one as well: it is where one looks."""
    refused, done = await reply_of(WRITES), await reply_of(TESTS)
    assert (refused.scopes, refused.accepted) == ("channels:read", "chat:write,chat:write:bot")
    assert refused.body["error"] == "missing_scope"
    assert (done.scopes, done.accepted, done.body["ok"]) == ("channels:read", "", True)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"Basic {base64.b64encode(b'1.2:secret').decode()}", {"client_id": "1.2", "client_secret": "secret"}),
        (f"basic  {base64.b64encode(b'1.2:a:b').decode()} ", {"client_id": "1.2", "client_secret": "a:b"}),
        (f"Basic {base64.b64encode(b'12').decode()}", {}),
        ("Basic ???", {}),
        (f"Basic {base64.b64encode(bytes([255, 58])).decode()}", {}),
        ("Bearer xoxb-1", {}),
        ("", {}),
    ],
)
def test_an_apps_own_credentials_may_be_in_the_header(header: str, found: dict[str, str]) -> None:
    """What cannot be read is as if it were not there."""
    assert basic_credentials(header) == found


NEED_NONE = frozenset(
    {
        *("auth.test", "auth.revoke", "auth.teams.list", "chat.getPermalink", "apps.uninstall"),
        *("views.open", "views.push", "views.update", "views.publish"),
    }
)
"""Methods that any bot may call, as Slack says of them."""


def test_no_method_is_open_to_all_bots_by_oversight() -> None:
    """Whatever reads or changes a workspace names a scope, unless only people may call it."""
    open_to_all = {
        method.name
        for method in METHODS.values()
        if not method.scopes and not method.is_public and TokenKind.BOT in method.tokens
    }
    assert open_to_all == NEED_NONE


def test_methods_of_apps_as_such_are_few() -> None:
    """Their tokens lie about in the environments of bots."""
    assert {method.name for method in METHODS.values() if TokenKind.APP in method.tokens} <= {
        "apps.connections.open",
        "auth.revoke",
    }
