"""What a token may: which kinds of tokens and which scopes a method takes. Pure.

Three sorts of tokens are told apart by their scopes. Without any: a person's own, which may everything. A classic one
(`identify,bot:basic` and the like): everything that its bot or person may. Any other has granular scopes, and a method
that names some takes it only when it has one of these.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from svc.webapp.api.call import Method
from svc.webapp.domain.people.caller import CLASSIC_SCOPES, Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind

__all__ = ["APP_TOKEN", "accepted", "basic_credentials", "check_kind", "check_scopes", "has_scope"]

APP_TOKEN = "xapp-"  # noqa: S105 - a prefix, not a secret


def check_kind(method: Method, token: str) -> None:
    """Refused `not_allowed_token_type` when the token's form alone says so, so that no look-up is spent on it."""
    if token.startswith(APP_TOKEN) and TokenKind.APP not in method.tokens:
        raise Refused("not_allowed_token_type")


def check_scopes(method: Method, caller: Caller) -> None:
    """Refused `not_allowed_token_type`, or `missing_scope` with what would be needed and what there is."""
    if caller.kind not in method.tokens:
        raise Refused("not_allowed_token_type")
    if method.scopes and not any(has_scope(caller, scope) for scope in method.scopes):
        raise Refused("missing_scope", {"needed": accepted(method), "provided": caller.scopes})


def has_scope(caller: Caller, scope: str) -> bool:
    """Tell whether the caller's token may what `scope` stands for."""
    if not caller.scopes:
        return True
    scopes = caller.scopes.split(",")
    return scope in scopes or not CLASSIC_SCOPES.isdisjoint(scopes)


def accepted(method: Method) -> str:
    """Return the scopes that a method takes as the header tells them: comma-separated, without blanks."""
    return ",".join(method.scopes)


def basic_credentials(authorization: str) -> Mapping[str, object]:
    """Return the client_id and client_secret of an `Authorization: Basic` header, {} when it is none that can be read.

    slack_sdk sends them so to oauth.v2.access and apps.uninstall, other clients as arguments.
    """
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return {}
    return {"client_id": client_id, "client_secret": secret} if colon else {}
