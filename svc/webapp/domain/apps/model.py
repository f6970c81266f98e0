"""What an app is: the value that everybody works with, made of its row. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from svc.kit.ids import id_from_number, id_number
from svc.webapp.store.app_rows import AppRow

__all__ = ["App", "Command", "Shortcut", "app_of", "client_ids", "row_of"]


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command of an app."""

    name: str
    """With its slash, lower case."""
    url: str = ""
    """Where it is delivered when the app has no Socket Mode."""
    description: str = ""
    usage_hint: str = ""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Something that people may ask of an app, out of nowhere or about a message."""

    callback_id: str
    name: str
    is_of_message: bool = False


@dataclass(frozen=True, slots=True)
class App:
    """An app as of one version of its row."""

    team_id: str
    id: str
    """A…"""
    name: str
    user_id: str
    """U…, whom its bot acts as: what this user is in is what the app hears of."""
    bot_id: str
    """B…"""
    creator_id: str
    secret_hash: bytes
    signing_secret: str
    """Of the HMAC over what it is sent over HTTP."""
    verification_token: str
    """Slack's older way to know who sends: `token` in what it is sent."""
    scopes: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    """Slack's names of subscriptions: message.channels, app_mention, reaction_added…"""
    request_url: str = ""
    """Where events are posted; "" for none."""
    interactivity_url: str = ""
    """Where buttons and views are posted; "" for none."""
    is_socket_mode: bool = False
    """Everything goes over its sockets, and nothing to its URLs."""
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    options_url: str = ""
    """Where the options of menus that load theirs are asked for; "" for none."""
    redirect_urls: tuple[str, ...] = ()
    """Where a browser may be sent with a code; the first is where it goes unless another one is asked for."""
    deleted: bool = False
    created_s: int = 0
    version: int = 0
    revision_us: int = 0
    """Grows with each change."""

    @property
    def client_id(self) -> str:
        """Slack's form: two numbers, which name the workspace and the app."""
        return f"{id_number(self.team_id)}.{id_number(self.id)}"

    @property
    def hears_events(self) -> bool:
        """Whether events are to be delivered to it, wherever to."""
        return not self.deleted and bool(self.event_types) and (self.is_socket_mode or bool(self.request_url))

    def command(self, name: str) -> Command | None:
        """Return its slash command of this name."""
        return next((each for each in self.commands if each.name == name), None)


def client_ids(client_id: str) -> tuple[str, str] | None:
    """Return the (team id, app id) that a client id names, or None when it is none. Proves nothing."""
    team, dot, app = client_id.partition(".")
    if not dot or not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in (team, app)):
        return None
    try:
        return id_from_number("T", int(team)), id_from_number("A", int(app))
    except ValueError:
        return None


_LISTS = {"commands": Command, "shortcuts": Shortcut}
_SETTINGS = (
    "event_types",
    "request_url",
    "interactivity_url",
    "is_socket_mode",
    "options_url",
    "redirect_urls",
    *_LISTS,
)


def app_of(row: AppRow) -> App:
    """Return the app of a row. What a newer version has put into its settings is left aside."""
    found: Mapping[str, Any] = orjson.loads(row.settings) if row.settings else {}
    known = {name: found[name] for name in _SETTINGS if name in found}
    for name, kind in _LISTS.items():
        known[name] = tuple(kind(**each) for each in known.get(name, ()))
    for name in ("event_types", "redirect_urls"):
        known[name] = tuple(known.get(name, ()))
    return App(
        team_id=row.team_id,
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        bot_id=row.bot_id,
        creator_id=row.creator_id,
        secret_hash=row.secret_hash,
        signing_secret=row.signing_secret,
        verification_token=row.verification_token,
        scopes=tuple(scope for scope in row.scopes.split(",") if scope),
        deleted=row.deleted,
        created_s=row.created_s,
        version=row.version,
        revision_us=row.revision_us,
        **known,
    )


def row_of(app: App) -> AppRow:
    """Return the row of an app."""
    cells = asdict(app)
    return AppRow(
        team_id=app.team_id,
        id=app.id,
        name=app.name,
        user_id=app.user_id,
        bot_id=app.bot_id,
        creator_id=app.creator_id,
        secret_hash=app.secret_hash,
        signing_secret=app.signing_secret,
        verification_token=app.verification_token,
        scopes=",".join(app.scopes),
        settings=orjson.dumps({name: cells[name] for name in _SETTINGS if cells[name]}),
        deleted=app.deleted,
        created_s=app.created_s,
        version=app.version,
        revision_us=app.revision_us,
    )
