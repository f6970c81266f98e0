"""`parley app`: make, change and remove apps, and everything by which a bot that was written for Slack speaks here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ops.cli.app_details import (
    check_new,
    details,
    entry_of,
    find_app,
    find_channel,
    own_url,
    set_picture,
    show_app,
    with_tokens,
)
from ops.cli.output import CliError, emit_json, json_option, print_table
from ops.cli.target import var_option
from ops.cli.workspaces import find_team, find_user, workbench_of
from svc.webapp.domain.apps.model import Command
from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import Team

HELP = """Make, list, change and remove apps.

An app is a program with a bot of its own: it calls the Web API with the bot's token (xoxb-…), hears of events over
Socket Mode (with the app's token, xapp-…) or at an address of its own (signed with its signing secret), and answers
slash commands. Secrets are shown once, when they are made.

\b
Examples:
  parley app create ci --socket-mode --events message.channels,app_mention --command /deploy
  parley app create pager --request-url https://pager.example.org/slack/events
  parley app webhook ci '#general'          an address to post to
  parley app tokens ci                      more tokens, and the line to change in a bot
  parley app set ci --events app_mention
  parley app icon ci ci.png
"""

F = TypeVar("F", bound=Callable[..., Any])

workspace_option = click.option(
    "--workspace", default="", help="Its domain or id; default: the only one, or demo among several."
)
url_option = click.option(
    "--base-url", default="", help="Where clients reach this installation; default: the mesh that runs here."
)


def settings_options(function: F) -> F:
    """Add the options for an app's settings."""
    for option in reversed(
        (
            click.option("--scopes", help="What its bot may do, comma-separated; without: all that a classic bot may."),
            click.option("--events", help="Events that it hears of: message.channels,app_mention,…"),
            click.option("--request-url", help="Where it is sent events over HTTP."),
            click.option("--interactivity-url", help="Where it is sent clicks and forms over HTTP."),
            click.option("--options-url", help="Where it is asked for the options of menus over HTTP."),
            click.option(
                "--redirect-url",
                "redirect_urls",
                multiple=True,
                metavar="URL",
                help="Where a browser goes back to from the page of consent; may be repeated.",
            ),
            click.option(
                "--socket-mode/--no-socket-mode", default=None, help="Whether it gets everything over its own sockets."
            ),
            click.option(
                "--command", "commands", multiple=True, metavar="/NAME[=URL]", help="A slash command; may be repeated."
            ),
        )
    ):
        function = option(function)
    return function


@click.group("app", help=HELP)
def command() -> None:
    """Hold the verbs."""


@command.command("create")
@click.argument("name")
@settings_options
@click.option("--as-bot-name", default="", help="The bot's handle; default: made of NAME.")
@workspace_option
@url_option
@var_option
@json_option
def create(
    name: str, as_bot_name: str, workspace: str, base_url: str, var: Path, *, as_json: bool, **settings: Any
) -> None:
    """Make the app NAME with a bot, and show all its secrets, this once."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        await check_new(services, team, name)
        making = services.apps.making
        made = await making.create(team.id, name, change_of(**settings), bot_name=as_bot_name)
        shown = await with_tokens(services, made.app, base_url or own_url(var))
        return {**shown, "bot_name": made.bot_name, "client_secret": made.client_secret}

    show_app(asyncio.run(_with(var, workspace, run)), as_json=as_json)


@command.command("list")
@workspace_option
@var_option
@json_option
def list_apps(workspace: str, var: Path, *, as_json: bool) -> None:
    """List the apps of a workspace."""

    async def run(services: Services, team: Team) -> list[dict[str, Any]]:
        return [entry_of(app) for app in await services.apps.directory.apps_of(team.id)]

    found = asyncio.run(_with(var, workspace, run))
    if as_json:
        emit_json({"ok": True, "apps": found})
        return
    columns = ("APP", "NAME", "BOT", "HEARS", "BY", "COMMANDS")
    print_table(columns, [tuple(str(entry[column.lower()]) for column in columns) for entry in found])


@command.command("show")
@click.argument("app")
@workspace_option
@var_option
@json_option
def show(app: str, workspace: str, var: Path, *, as_json: bool) -> None:
    """Show APP (a name or an id): its settings, webhooks and ids, and no secrets."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found = await find_app(services, team, app)
        hooks = await services.apps.webhooks.of_app(found)
        webhooks = [
            {"webhook": each.id, "channel": each.channel_id, "state": "disabled" if each.disabled_s else "works"}
            for each in hooks
        ]
        return {**details(found), "webhooks": webhooks}

    show_app(asyncio.run(_with(var, workspace, run)), as_json=as_json)


@command.command("set")
@click.argument("app")
@click.option("--name", help="Another name.")
@settings_options
@workspace_option
@var_option
@json_option
def change(app: str, name: str | None, workspace: str, var: Path, *, as_json: bool, **settings: Any) -> None:
    """Change settings of APP; those that are not named stay. Webapps follow within a second. "" takes one away."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found = await find_app(services, team, app)
        return details(await services.apps.making.change(team.id, found.id, change_of(name=name, **settings)))

    show_app(asyncio.run(_with(var, workspace, run)), as_json=as_json)


@command.command("delete")
@click.argument("app")
@workspace_option
@var_option
@json_option
def delete(app: str, workspace: str, var: Path, *, as_json: bool) -> None:
    """Remove APP for good: its tokens and webhooks are revoked, its bot is deactivated, its messages stay."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found = await find_app(services, team, app)
        await services.apps.making.delete(team.id, found.id)
        return {"app": found.id}

    gone = asyncio.run(_with(var, workspace, run))
    if as_json:
        emit_json({"ok": True, **gone})
    else:
        print(f"removed {gone['app']}")


@command.command("icon")
@click.argument("app")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@workspace_option
@url_option
@var_option
@json_option
def icon(app: str, file: Path, workspace: str, base_url: str, var: Path, *, as_json: bool) -> None:
    """Give APP, and so its bot, the picture in FILE: PNG, JPEG, GIF or WebP, of at most 1,024 pixels and 2 MiB."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found = await find_app(services, team, app)
        return {"app": found.id, "picture": await set_picture(services, found, file, base_url or own_url(var))}

    made = asyncio.run(_with(var, workspace, run, with_files=True))
    if as_json:
        emit_json({"ok": True, **made})
    else:
        print(made["picture"])


@command.command("tokens")
@click.argument("app")
@click.option("--new-secrets", is_flag=True, help="Also make a new client secret and signing secret.")
@workspace_option
@url_option
@var_option
@json_option
def tokens(app: str, new_secrets: bool, workspace: str, base_url: str, var: Path, *, as_json: bool) -> None:
    """Make new tokens of APP, beside those that it has, and show the line to change in a bot."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found, more = await find_app(services, team, app), {}
        if new_secrets:
            found, secret = await services.apps.making.new_secrets(team.id, found.id)
            more = {"client_secret": secret}
        return {**await with_tokens(services, found, base_url or own_url(var)), **more}

    show_app(asyncio.run(_with(var, workspace, run)), as_json=as_json)


@command.command("install")
@click.argument("app")
@click.option("--by", "installer", required=True, help="Who installs it: a handle or an id.")
@click.option("--scopes", default="", help="Other scopes than the app's.")
@click.option("--user-scopes", default="", help="What a token of the installer's own may; without: there is none.")
@click.option("--redirect-uri", default="", help="To be named again when the code is changed.")
@workspace_option
@var_option
@json_option
def install(
    app: str,
    installer: str,
    scopes: str,
    user_scopes: str,
    redirect_uri: str,
    workspace: str,
    var: Path,
    *,
    as_json: bool,
) -> None:
    """Make a code that APP changes for a token with oauth.v2.access, once, within ten minutes."""

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found, by = await find_app(services, team, app), await find_user(services, team, installer)
        code = await services.apps.installing.install(found, by.id, scopes, redirect_uri, user_scopes)
        return {"code": code, "client_id": found.client_id}

    made = asyncio.run(_with(var, workspace, run))
    if as_json:
        emit_json({"ok": True, **made})
    else:
        print(made["code"])


@command.command("webhook")
@click.argument("app")
@click.argument("channel", required=False)
@click.option("--name", default="", help="Under which it posts; default: the app's.")
@click.option("--disable", metavar="B…", default="", help="Let a webhook work no longer instead.")
@workspace_option
@url_option
@var_option
@json_option
def webhook(
    app: str,
    channel: str | None,
    name: str,
    disable: str,
    workspace: str,
    base_url: str,
    var: Path,
    *,
    as_json: bool,
) -> None:
    """Make an address at which whoever knows it may post into CHANNEL (#name or an id). It is shown this once."""
    if bool(channel) == bool(disable):
        raise click.UsageError("Name a CHANNEL, or a webhook with --disable.")

    async def run(services: Services, team: Team) -> dict[str, Any]:
        found, webhooks = await find_app(services, team, app), services.apps.webhooks
        if disable:
            if not await webhooks.disable(found, disable):
                raise CliError(f"{disable} is not a webhook of {found.name} that works.")
            return {"webhook": disable, "state": "disabled"}
        made = await webhooks.create(found, await find_channel(services, team, channel or ""), name)
        return {"webhook": made.webhook.id, "url": f"{base_url or own_url(var)}/{made.path}"}

    made = asyncio.run(_with(var, workspace, run))
    if as_json:
        emit_json({"ok": True, **made})
    else:
        print(made.get("url", made.get("state")))


def change_of(
    *,
    scopes: str | None,
    events: str | None,
    request_url: str | None,
    interactivity_url: str | None,
    options_url: str | None,
    redirect_urls: Sequence[str],
    socket_mode: bool | None,
    commands: Sequence[str],
    name: str | None = None,
) -> AppChange:
    """Return what the options say; one that was not given changes nothing. `--command ""` takes all commands away,
    `--redirect-url ""` all addresses to go back to."""
    return AppChange(
        name=name,
        scopes=None if scopes is None else scopes.split(","),
        event_types=None if events is None else events.split(","),
        request_url=request_url,
        interactivity_url=interactivity_url,
        options_url=options_url,
        redirect_urls=redirect_urls or None,
        is_socket_mode=socket_mode,
        commands=[_command(each) for each in commands if each] if commands else None,
    )


def _command(given: str) -> Command:
    name, _, url = given.partition("=")
    return Command(name, url)


async def _with(
    var: Path, workspace: str, run: Callable[[Services, Team], Awaitable[Any]], *, with_files: bool = False
) -> Any:
    async with workbench_of(var, with_files=with_files) as bench:
        return await run(bench.services, await find_team(bench.services, workspace))
