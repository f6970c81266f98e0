"""What may be said of an app, and that nothing of it is lost on the way to its row and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from svc.webapp.commit.app_step import app_effect
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.log import Write
from svc.webapp.commit.plan import State, plan
from svc.webapp.domain.apps.model import App, Command, Shortcut, app_of, client_ids, row_of
from svc.webapp.domain.apps.settings import BUILT_IN, AppChange, changed, handle_of, name_of, scopes_of
from svc.webapp.domain.refusal import Refused

APP = App("T0000000001", "A0000000001", "ci", "U0000000001", "B0000000001", "", bytes(range(32)), "sign", "verify")
FULL = AppChange(
    name="  CI   Runner ",
    scopes=["chat:write", "channels:read", "chat:write", ""],
    event_types=["message.channels", "app_mention"],
    request_url="https://bot.example.org/events",
    interactivity_url="http://bot:3000/clicks",
    options_url="",
    is_socket_mode=True,
    commands=[Command("Deploy", "https://bot.example.org/deploy", "Deploy  it", "[what]"), Command("/ask")],
    shortcuts=[Shortcut("new", "New"), Shortcut("about", "About", is_of_message=True)],
)


def test_a_change_is_made_as_a_whole() -> None:
    """In one order, each once; what is not named stays."""
    app = changed(APP, FULL)
    assert app.name == "CI Runner"
    assert app.scopes == ("channels:read", "chat:write")
    assert app.event_types == ("app_mention", "message.channels")
    assert app.commands == (
        Command("/ask"),
        Command("/deploy", "https://bot.example.org/deploy", "Deploy it", "[what]"),
    )
    assert [each.callback_id for each in app.shortcuts] == ["about", "new"]
    assert app.hears_events
    assert changed(app, AppChange()) == app
    assert changed(app, AppChange(is_socket_mode=False, request_url="")).hears_events is False
    assert replace(app, deleted=True).hears_events is False
    assert app.command("/ask") == Command("/ask")
    assert app.command("/no") is None


def test_a_row_holds_all_of_an_app() -> None:
    """Also by way of an effect's stored form; what a newer version has written is left aside."""
    app = changed(APP, FULL)
    assert app_of(row_of(app)) == app
    planned = plan(State(), [Write(app.team_id, effects=(app_effect(row_of(app)),))], 1)
    assert decode_effect(planned.effects[0][-1]) == app_effect(row_of(app))
    newer = replace(row_of(app), settings=orjson.dumps({"colour": "red", "request_url": "u"}))
    assert app_of(newer).request_url == "u"
    assert app_of(replace(newer, settings=b"")).commands == ()


def test_a_client_id_names_workspace_and_app() -> None:
    """Two numbers, as Slack's; anything else names nothing."""
    assert client_ids(APP.client_id) == (APP.team_id, APP.id)
    assert "." in APP.client_id
    for bad in ("", "1", "1.", ".1", "a.b", "1.2.3", "1.²", f"1.{'9' * 30}", "1.99999999999999999"):
        assert client_ids(bad) is None, bad


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "invalid_name"),
        ({"name": "x" * 81}, "invalid_name"),
        ({"name": "a\x00b"}, "invalid_name"),
        ({"scopes": ["Chat Write"]}, "invalid_scope"),
        ({"scopes": [f"a{'a' * 400}", f"b{'b' * 400}", f"c{'c' * 400}"]}, "invalid_scope"),
        ({"event_types": ["Message"]}, "invalid_event_type"),
        ({"event_types": [f"event_{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(101)]}, "invalid_event_type"),
        ({"request_url": "ftp://x"}, "invalid_url"),
        ({"request_url": "https://"}, "invalid_url"),
        ({"request_url": "https://x:99999/"}, "invalid_url"),
        ({"interactivity_url": "https://x/ y"}, "invalid_url"),
        ({"options_url": f"https://x/{'y' * 1_000}"}, "invalid_url"),
        ({"commands": [Command("/a b")]}, "invalid_command"),
        ({"commands": [Command("/")]}, "invalid_command"),
        ({"commands": [Command("/me")]}, "invalid_command"),
        ({"commands": [Command("/x", "nowhere")]}, "invalid_url"),
        ({"commands": [Command(f"/x{n}") for n in range(51)]}, "invalid_command"),
        ({"shortcuts": [Shortcut("", "x")]}, "invalid_shortcut"),
        ({"shortcuts": [Shortcut(f"s{n}", "x") for n in range(26)]}, "invalid_shortcut"),
        ({"commands": [Command(f"/x{n}", f"https://x/{'y' * 980}") for n in range(50)]}, ""),
    ],
)
def test_bounds(change: dict[str, Any], code: str) -> None:
    """Each with a code, and a sentence that says what is wrong."""
    if not code:
        assert changed(APP, AppChange(**change)) != APP
        return
    with pytest.raises(Refused) as refused:
        changed(APP, AppChange(**change))
    assert refused.value.code == code
    assert refused.value.extra["response_metadata"]


@pytest.mark.parametrize(
    ("name", "handle"),
    [("CI Runner", "ci-runner"), ("ärger!", "rger"), ("---", "app"), ("a" * 90, "a" * 70), ("x.y_z", "x.y_z")],
)
def test_a_bots_handle_is_made_of_its_name(name: str, handle: str) -> None:
    """Lower case, and only what a handle may have."""
    assert handle_of(name) == handle


def test_what_is_everybodys_is_no_apps() -> None:
    """Every command of ours begins with a slash and is lower case; names are trimmed, scopes may be none."""
    assert all(name == name.lower() and name.startswith("/") for name in BUILT_IN)
    assert name_of(" a  b ") == "a b"
    assert scopes_of([]) == ()
