"""What a request shows to say who asks: a token, or the cookie that a browser sends along. Pure.

A browser sends the cookie with whatever any page makes it ask for, so it counts only where our own page asked: with a
POST whose `Origin` is the address by which the client knows us, or, from browsers that leave that out, whose
`Sec-Fetch-Site` says `same-origin`. No page can set either header. A token comes only from who knows it, and needs none
of this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from svc.kit.tokens import WEB_TOKEN
from svc.webapp.domain.origin import Origin

__all__ = ["COOKIE", "FROM_ELSEWHERE", "Credential", "bearer_token", "cookie_token", "is_own_page", "shown"]

COOKIE = "parley"
"""Its name. It holds a token of a kind that is good for nothing but this cookie."""

FROM_ELSEWHERE = "-"
"""In place of the token of a cookie that came with another page's request: authenticates as `invalid_auth`."""

Header = Callable[[str], str]
"""Gives a header's value, or ""."""


class Credential(NamedTuple):
    """What was shown."""

    token: str = ""
    by_cookie: bool = False


def shown(header: Header, raw: Mapping[str, object], verb: str, origin: Origin) -> Credential:
    """Return what a call of the Web API shows: its token, else the cookie's, which has to come from our own page."""
    token = bearer_token(header("authorization"), raw)
    if token:
        return Credential(token)
    cookie = cookie_token(header("cookie"))
    if not cookie:
        return Credential()
    return Credential(cookie if verb == "POST" and is_own_page(header, origin) else FROM_ELSEWHERE, by_cookie=True)


def bearer_token(authorization: str, raw: Mapping[str, object]) -> str:
    """Return the token of a call: from the Authorization header, else the `token` argument; "" when there is none."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    argument = raw.get("token")
    return argument.strip() if isinstance(argument, str) else ""


def cookie_token(cookies: str) -> str:
    """Return the token in a Cookie header, or ""."""
    for pair in cookies.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and value.startswith(f"{WEB_TOKEN}-"):
            return value
    return ""


def is_own_page(header: Header, origin: Origin) -> bool:
    """Tell whether a page of ours made the request, which came to us as `origin` says."""
    said = header("origin")
    if said:
        return said.lower() == origin.base_url.rstrip("/").lower()
    return header("sec-fetch-site").lower() == "same-origin"
