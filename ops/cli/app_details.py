"""Apps as `parley app` finds and shows them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ops.cli.app_lines import lines_to_change
from ops.cli.app_notes import notes
from ops.cli.output import CliError, emit_json, say
from ops.local import state
from svc.kit.ids import is_id
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.people.accounts import caller_of
from svc.webapp.domain.people.pictures import BYTES_MAX
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import Conversation, Team


async def find_app(services: Services, team: Team, who: str) -> App:
    """Return an app of the workspace by id or name. Raises CliError when there is none, or there are several."""
    apps = await services.apps.directory.apps_of(team.id)
    found = [app for app in apps if who in (app.id, app.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{app.name} ({app.id})" for app in apps) or "none"
    if not found:
        raise CliError(f"There is no app {who!r} in {team.name}.", f"There are: {known}.")
    raise CliError(f"{len(found)} apps of {team.name} are called {who!r}; name one by its id.", f"There are: {known}.")


async def check_new(services: Services, team: Team, name: str) -> None:
    """Raise CliError when the workspace has an app of this name: whoever repeats a command wants no second one."""
    for app in await services.apps.directory.apps_of(team.id):
        if app.name == name:
            hint = f"More tokens of it: parley app tokens {app.id}; other settings: parley app set {app.id} …"
            raise CliError(f"{team.name} has an app called {name!r} already ({app.id}).", hint)


async def find_channel(services: Services, team: Team, which: str) -> Conversation:
    """Return a conversation of the workspace by id or name. Raises CliError."""
    if is_id(which, "CG"):
        found = await services.workspaces.conversation(team.id, which)
    else:
        found = await services.workspaces.conversation_by_name(team.id, which.removeprefix("#"))
    if found is None:
        raise CliError(f"There is no channel {which!r} in {team.name}.")
    return found


async def with_tokens(services: Services, app: App, base_url: str) -> dict[str, Any]:
    """Return an app with new tokens of it, and the lines that change in a bot."""
    making = services.apps.making
    tokens = {"bot_token": await making.bot_token(app)}
    if app.is_socket_mode:
        tokens["app_token"] = await making.app_token(app)
    lines = lines_to_change(base_url, is_socket_mode=app.is_socket_mode)
    return {**details(app), **tokens, "signing_secret": app.signing_secret, "lines": lines}


async def set_picture(services: Services, app: App, file: Path, base_url: str) -> str:
    """Let a file be an app's picture, uploaded in the name of its bot's user; return its address. Raises CliError."""
    user = await services.workspaces.user(app.team_id, app.user_id)
    if user is None:
        raise CliError(f"The bot of {app.name} is gone.")
    caller = caller_of(user)
    with file.open("rb") as opened:
        data = opened.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise CliError(f"{file} is larger than {BYTES_MAX >> 20} MiB.")
    kept = await services.files.keep(caller, file.name, data)
    address = base_url.rstrip("/") + "/"
    return (await services.pictures.set(caller, kept.id, address)).picture_url


def details(app: App) -> dict[str, Any]:
    """Return an app's settings and ids as other programs see them; no secrets."""
    return {
        "app": app.id,
        "name": app.name,
        "client_id": app.client_id,
        "bot": app.user_id,
        "bot_id": app.bot_id,
        "scopes": ",".join(app.scopes),
        "events": ",".join(app.event_types),
        "socket_mode": app.is_socket_mode,
        "request_url": app.request_url,
        "interactivity_url": app.interactivity_url,
        "options_url": app.options_url,
        "redirect_urls": " ".join(app.redirect_urls),
        "commands": " ".join(f"{each.name}={each.url}" if each.url else each.name for each in app.commands),
        "notes": notes(app),
    }


def entry_of(app: App) -> dict[str, Any]:
    """Return an app's line of the list."""
    way = "Socket Mode" if app.is_socket_mode else app.request_url or "-"
    commands = " ".join(command.name for command in app.commands) or "-"
    hears = ",".join(app.event_types) or "-"
    return {"app": app.id, "name": app.name, "bot": app.user_id, "hears": hears, "by": way, "commands": commands}


def own_url(var: Path) -> str:
    """Return where clients reach this installation, without a slash at the end, as far as it is known here."""
    given = os.environ.get("PARLEY_PUBLIC_URL", "").rstrip("/")
    if given:
        return given
    mesh = state.load(var)
    return mesh.web_url.rstrip("/") if mesh is not None else "http://localhost:8080"


def show_app(found: dict[str, Any], *, as_json: bool) -> None:
    """Print what is known of an app, for a person or for a program."""
    if as_json:
        emit_json({"ok": True, **found})
        return
    lines = found.pop("lines", [])
    webhooks = found.pop("webhooks", [])
    doubts = found.pop("notes", [])
    width = max(len(name) for name in found)
    for name, value in found.items():
        if value != "":
            shown = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
            print(f"{name.replace('_', ' '):<{width}}  {shown}")
    for hook in webhooks:
        print(f"{'webhook':<{width}}  {hook['webhook']} into {hook['channel']}: {hook['state']}")
    if lines:
        print("\nIn a bot, change the line of its library and nothing else:\n")
        for line in lines:
            print(f"  {line['client']:<24}  {line['line']}")
    for note in doubts:
        say(f"\nparley: {note}")
