"""What may be said of an app: names, scopes, event types, addresses and commands, checked by the rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from svc.webapp.domain.apps.model import App, Command, Shortcut, row_of
from svc.webapp.domain.people.caller import CLASSIC_SCOPES
from svc.webapp.domain.refusal import Refused

__all__ = [
    "BUILT_IN",
    "AppChange",
    "address",
    "changed",
    "command_name",
    "handle_of",
    "name_of",
    "scopes_of",
    "user_scopes_of",
]

NAME_CHARS_MAX = 80
"""The width of the column; Slack's is 35."""
HANDLE_CHARS_MAX = 70
"""Of a bot's user: what is left of the column's 80 holds a number when the handle is taken."""
URL_CHARS_MAX = 1_000
SCOPES_CHARS_MAX = 1_000
"""All of them together: the width of the column."""
EVENT_TYPES_MAX = 100
REDIRECT_URLS_MAX = 50
COMMANDS_MAX = 50
SHORTCUTS_MAX = 25
TEXT_CHARS_MAX = 200
SETTINGS_BYTES_MAX = 64 * 1024

BUILT_IN = frozenset(
    f"/{name}"
    for name in (
        *("active", "archive", "away", "close", "dm", "invite", "join", "kick", "leave", "me", "msg", "open"),
        *("part", "remind", "remove", "rename", "shrug", "topic", "unarchive", "who"),
    )
)
"""Commands that mean the same everywhere; no app may have one."""

_WHOLE = CLASSIC_SCOPES | {"rtm:stream"}
_SCOPE = re.compile(r"[a-z][a-z_.-]*(?::[a-z_.]+){0,3}")
_EVENT = re.compile(r"[a-z][a-z_]*(?:\.[a-z_]+)?")
_COMMAND = re.compile(r"/[^\s/<>&|\x00-\x1f\x7f]{1,31}")
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f\"<>]")


@dataclass(frozen=True, slots=True)
class AppChange:
    """What becomes of an app's settings; what is None stays."""

    name: str | None = None
    scopes: Iterable[str] | None = None
    event_types: Iterable[str] | None = None
    request_url: str | None = None
    interactivity_url: str | None = None
    options_url: str | None = None
    redirect_urls: Iterable[str] | None = None
    is_socket_mode: bool | None = None
    commands: Iterable[Command] | None = None
    shortcuts: Iterable[Shortcut] | None = None


def changed(app: App, change: AppChange) -> App:
    """Return the app with the change made. Refused `invalid_…` as below, `too_large`."""
    given = {field: getattr(change, field) for field in _CHECKS}
    fields = {field: _CHECKS[field](value) for field, value in given.items() if value is not None}
    made = replace(app, **fields)
    if len(row_of(made).settings) > SETTINGS_BYTES_MAX:
        raise _refused("too_large", f"settings are more than {SETTINGS_BYTES_MAX} bytes")
    return made


def name_of(wanted: str) -> str:
    """Return an app's name. Refused `invalid_name`."""
    name = " ".join(wanted.split())
    if not name or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise _refused("invalid_name", f"a name has 1 to {NAME_CHARS_MAX} characters")
    return name


def handle_of(name: str) -> str:
    """Return the handle that a bot of this name has if nobody else has it: lower case, without blanks."""
    handle = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    return handle[:HANDLE_CHARS_MAX] or "app"


def scopes_of(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return scopes in order, each once. Refused `invalid_scope`."""
    scopes = tuple(sorted({scope.strip() for scope in wanted if scope.strip()}))
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise _refused("invalid_scope", f"not a scope: {scope[:60]!r}")
    if len(",".join(scopes)) > SCOPES_CHARS_MAX:
        raise _refused("invalid_scope", f"scopes have at most {SCOPES_CHARS_MAX} characters together")
    return scopes


def user_scopes_of(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return scopes that a person gives an app, as `scopes_of` does. Refused `invalid_scope` also for those by which it
    would get all that the person may: of the classic family, and for a socket.
    """
    scopes = scopes_of(wanted)
    whole = _WHOLE.intersection(scopes)
    if whole:
        raise _refused("invalid_scope", f"not of a person's token: {', '.join(sorted(whole))}")
    return scopes


def _redirect_urls(wanted: Iterable[str]) -> tuple[str, ...]:
    urls = tuple(dict.fromkeys(found for each in wanted if (found := address(each))))
    if len(urls) > REDIRECT_URLS_MAX or any("#" in url for url in urls):
        raise _refused("invalid_url", f"at most {REDIRECT_URLS_MAX} addresses to go back to, without fragments")
    return urls


def address(url: str) -> str:
    """Return an address that we may post to, or "". Refused `invalid_url`."""
    url = url.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or len(url) > URL_CHARS_MAX or _UNFIT.search(url):
        raise _refused("invalid_url", f"not an http or https address: {url[:60]!r}")
    return url


def command_name(wanted: str) -> str:
    """Return a command's name, with its slash and in lower case. Refused `invalid_command`."""
    name = wanted.strip().lower()
    name = name if name.startswith("/") else f"/{name}"
    if not _COMMAND.fullmatch(name):
        raise _refused("invalid_command", "a command is a slash and 1 to 31 characters without blanks")
    return name


def _event_types(wanted: Iterable[str]) -> tuple[str, ...]:
    types = tuple(sorted({each.strip() for each in wanted if each.strip()}))
    bad = next((each for each in types if not _EVENT.fullmatch(each)), None)
    if bad is not None or len(types) > EVENT_TYPES_MAX:
        raise _refused("invalid_event_type", f"not an event's type, or too many: {(bad or '')[:60]!r}")
    return types


def _commands(wanted: Iterable[Command]) -> tuple[Command, ...]:
    found: dict[str, Command] = {}
    for each in wanted:
        name = command_name(each.name)
        if name in BUILT_IN:
            raise _refused("invalid_command", f"{name} is everybody's")
        found[name] = Command(name, address(each.url), _short(each.description), _short(each.usage_hint))
    if len(found) > COMMANDS_MAX:
        raise _refused("invalid_command", f"an app has at most {COMMANDS_MAX} commands")
    return tuple(found[name] for name in sorted(found))


def _shortcuts(wanted: Iterable[Shortcut]) -> tuple[Shortcut, ...]:
    found = {
        each.callback_id: Shortcut(_short(each.callback_id), _short(each.name), each.is_of_message) for each in wanted
    }
    if len(found) > SHORTCUTS_MAX or not all(found):
        raise _refused("invalid_shortcut", f"an app has at most {SHORTCUTS_MAX} shortcuts, each with a callback_id")
    return tuple(found[callback_id] for callback_id in sorted(found))


def _short(text: str) -> str:
    return " ".join(text.split())[:TEXT_CHARS_MAX]


def _refused(code: str, message: str) -> Refused:
    extra: Mapping[str, object] = {"response_metadata": {"messages": [f"[ERROR] {message}"]}}
    return Refused(code, extra)


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": name_of,
    "scopes": scopes_of,
    "event_types": _event_types,
    **dict.fromkeys(("request_url", "interactivity_url", "options_url"), address),
    "redirect_urls": _redirect_urls,
    "is_socket_mode": bool,
    "commands": _commands,
    "shortcuts": _shortcuts,
}
"""What each setting goes through, by its name; the names of AppChange and of App."""
