"""What the address of an authorization asks for, and where a browser is sent back to. Pure.

An address is never sent to that the app's owner has not named: whoever could choose it would get the code. Source:
RFC 6749, 3.1.2 and 10.6; what is named may be followed by a path of its own, as at Slack.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.settings import address, scopes_of, user_scopes_of
from svc.webapp.domain.people.accounts import BOT_SCOPES
from svc.webapp.domain.refusal import Refused

__all__ = ["STATE_CHARS_MAX", "WEBHOOK_SCOPE", "Asked", "asked_scopes", "redirect_to", "with_query"]

STATE_CHARS_MAX = 4_000
"""Of what the app wants back unchanged."""
WEBHOOK_SCOPE = "incoming-webhook"
"""Asks for a webhook into a conversation that the person chooses."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks a person for, as its address says it."""

    client_id: str
    scope: str = ""
    user_scope: str = ""
    redirect_uri: str = ""
    is_first_version: bool = False
    """Of `/oauth/authorize`: `scope` has what the person is asked for, and `bot` in it stands for a bot."""


def asked_scopes(asked: Asked) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the scopes of the bot and those of the person. Refused `invalid_scope`, `no_scopes`."""
    scope, user_scope = asked.scope, asked.user_scope
    if asked.is_first_version:
        words = scope.replace(" ", ",").split(",")
        scope = BOT_SCOPES if "bot" in words else ""
        user_scope = ",".join(word for word in words if word != "bot")
    scopes = scopes_of(scope.replace(" ", ",").split(","))
    user_scopes = user_scopes_of(user_scope.replace(" ", ",").split(","))
    if not scopes and not user_scopes:
        raise Refused("no_scopes")
    return scopes, user_scopes


def redirect_to(app: App, wanted: str) -> str:
    """Return where a browser is sent with a code: `wanted`, or the first address of the app when none is wanted.

    Refused `bad_redirect_uri` unless the app names it, or what it begins with up to a slash.
    """
    if not wanted:
        if not app.redirect_urls:
            raise Refused("bad_redirect_uri")
        return app.redirect_urls[0]
    try:
        if address(wanted) == wanted and any(_is_beneath(wanted, named) for named in app.redirect_urls):
            return wanted
    except Refused:
        pass
    raise Refused("bad_redirect_uri")


def _is_beneath(wanted: str, named: str) -> bool:
    if wanted == named:
        return True
    there, here = urlsplit(wanted), urlsplit(named)
    steps = unquote(there.path).replace("\\", "/").split("/")
    if here.query or there.fragment or "@" in there.netloc or "\\" in wanted or {".", ".."} & set(steps):
        return False
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return False
    return there.path == here.path or there.path.startswith(here.path.rstrip("/") + "/")


def with_query(url: str, **more: str) -> str:
    """Return an address with more in its query; what is "" is left out."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True) + [(name, value) for name, value in more.items() if value]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
