"""Where a browser is sent back to, and what an address asks for."""

from __future__ import annotations

import pytest

from svc.webapp.domain.apps.model import App, app_of, row_of
from svc.webapp.domain.apps.redirects import Asked, asked_scopes, redirect_to, with_query
from svc.webapp.domain.apps.settings import AppChange, changed
from svc.webapp.domain.refusal import Refused

APP = changed(
    App("T0000000001", "A0000000001", "ci", "U0000000001", "B0000000001", "", b"", "", ""),
    AppChange(redirect_urls=["https://ci.example/back", "http://localhost:3000/x?y=1", "https://ci.example/back", ""]),
)


def test_addresses_to_go_back_to_are_kept_in_order() -> None:
    """Each once, over the row and back; with a fragment there is no place for a code."""
    assert APP.redirect_urls == ("https://ci.example/back", "http://localhost:3000/x?y=1")
    assert app_of(row_of(APP)).redirect_urls == APP.redirect_urls
    for bad in ("javascript:alert(1)", "https://x.example/#a", "//x.example"):
        with pytest.raises(Refused, match="invalid_url"):
            changed(APP, AppChange(redirect_urls=[bad]))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", "https://ci.example/back"),
        *((each, each) for each in ("https://ci.example/back", "https://ci.example/back/a?b=c")),
        ("http://localhost:3000/x?y=1", "http://localhost:3000/x?y=1"),
    ],
)
def test_a_browser_goes_where_the_app_named(wanted: str, found: str) -> None:
    """To the first by itself, or to one beneath."""
    assert redirect_to(APP, wanted) == found


@pytest.mark.parametrize(
    "wanted",
    [
        "https://ci.example/backdoor",
        "https://ci.example/",
        "http://ci.example/back",
        "https://ci.example:8443/back",
        "https://ci.example.evil.example/back",
        "https://evil@ci.example/back",
        "https://ci.example/back/../elsewhere",
        "https://ci.example/back/%2e%2e/elsewhere",
        "https://ci.example/back\\..\\elsewhere",
        "https://ci.example/back/a#b",
        "http://localhost:3000/x",
        "http://localhost:3000/x/z",
        " https://ci.example/back",
        "javascript:alert(1)",
        "back",
    ],
)
def test_a_browser_goes_nowhere_else(wanted: str) -> None:
    """Whoever gets a code chooses what becomes of it."""
    with pytest.raises(Refused, match="bad_redirect_uri"):
        redirect_to(APP, wanted)


def test_without_an_address_nobody_is_sent_anywhere() -> None:
    """An app that has none is installed by an operator."""
    bare = changed(APP, AppChange(redirect_urls=[]))
    for wanted in ("", "https://ci.example/back"):
        with pytest.raises(Refused, match="bad_redirect_uri"):
            redirect_to(bare, wanted)


def test_an_address_asks_for_two_kinds_of_scopes() -> None:
    """Of the bot and of the person; the first version had one list, in which `bot` stood for a bot."""
    both = Asked("1.2", "chat:write,channels:read", "search:read users:read")
    assert asked_scopes(both) == (("channels:read", "chat:write"), ("search:read", "users:read"))
    old = Asked("1.2", "identify bot search:read", is_first_version=True)
    assert asked_scopes(old) == (("bot:basic", "identify"), ("identify", "search:read"))
    for asked, code in (
        (Asked("1.2"), "no_scopes"),
        (Asked("1.2", user_scope="client"), "invalid_scope"),
        (Asked("1.2", user_scope="users:read,rtm:stream"), "invalid_scope"),
        (Asked("1.2", "post", is_first_version=True), "invalid_scope"),
        (Asked("1.2", "Chat Write"), "invalid_scope"),
    ):
        with pytest.raises(Refused, match=code):
            asked_scopes(asked)


def test_what_is_told_is_added_to_an_address() -> None:
    """Beside what it says already, and escaped."""
    assert with_query("https://x.example/a?b=1", code="c&d", state="") == "https://x.example/a?b=1&code=c%26d"
