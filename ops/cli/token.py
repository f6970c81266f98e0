"""`parley token`: make, list and revoke the tokens by which people and bots call the Web API."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import click

from ops.cli.output import CliError, emit_json, json_option, print_table
from ops.cli.target import var_option
from ops.cli.workspaces import find_team, find_user, workbench_of
from svc.kit.tokens import token_hash, token_ids
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import Team, Token, User

HELP = """Make, list and revoke tokens.

A token (xoxp-… for a person, xoxb-… for a bot) is all that a Slack client needs besides the base URL. Only its hash is
stored, so it is shown once, when it is made. A bot that hears of events over Socket Mode or HTTP, or has commands or
scopes, is an app: parley app create.

\b
Examples:
  parley token create grace                a token for a person
  parley token create --bot ci             a bot called ci, made if need be, and its token
  parley token list grace
  parley token create --days 30 grace      one that ends by itself
  parley token revoke xoxp-…
"""

HASH_SHOWN = 12
"""Hex digits of a hash that name a token in lists: enough to tell a user's tokens apart."""

workspace_option = click.option(
    "--workspace", default="", help="Its domain or id; default: the only one, or demo among several."
)


@click.group("token", help=HELP)
def command() -> None:
    """Hold the verbs."""


@command.command("create")
@click.argument("user", required=False)
@click.option("--bot", metavar="NAME", help="Make the token for a bot, and the bot if there is none of this name.")
@click.option("--days", type=click.IntRange(0, 36_500), default=0, help="Days until it ends by itself; 0: never.")
@workspace_option
@var_option
@json_option
def create(user: str | None, bot: str | None, days: int, workspace: str, var: Path, *, as_json: bool) -> None:
    """Make a token for USER (a handle or an id), or for a bot. It is shown this once."""
    if (user is None) == (bot is None):
        raise click.UsageError("Name a USER, or a bot with --bot NAME.")
    made = asyncio.run(_create(user, bot, days, workspace, var))
    if as_json:
        emit_json(made)
        return
    print(made["token"])


async def _create(user: str | None, bot: str | None, days: int, workspace: str, var: Path) -> dict[str, Any]:
    async with workbench_of(var) as bench:
        services = bench.services
        team = await find_team(services, workspace)
        if bot is not None:
            owner = await services.accounts.bot(team.id, bot)
        else:
            owner = await find_user(services, team, user or "")
        token = await services.accounts.token_for(owner, lives_s=86_400 * days)
    return {"ok": True, "token": token, "user_id": owner.id, "name": owner.name, "team_id": team.id}


@command.command("list")
@click.argument("user", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Users to look at.")
@workspace_option
@var_option
@json_option
def list_tokens(user: str | None, limit: int, workspace: str, var: Path, *, as_json: bool) -> None:
    """List the tokens of USER, or of everybody: by the beginning of their hash, as the tokens themselves are gone."""
    found = asyncio.run(_list(user, limit, workspace, var))
    if as_json:
        emit_json({"ok": True, "tokens": found})
        return
    columns = ("NAME", "USER", "KIND", "TOKEN", "MADE", "STATE")
    print_table(columns, [tuple(str(entry[column.lower()]) for column in columns) for entry in found])


async def _list(user: str | None, limit: int, workspace: str, var: Path) -> list[dict[str, Any]]:
    async with workbench_of(var) as bench:
        services = bench.services
        team = await find_team(services, workspace)
        if user is not None:
            users = [await find_user(services, team, user)]
        else:
            users = await services.workspaces.users(team.id, limit=limit)
        return [_entry(each, token) for each in users for token in await services.users.tokens(each.id)]


def _entry(user: User, token: Token) -> dict[str, Any]:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(token.created_s))
    is_over = 0 < token.expires_s <= time.time()
    state = "revoked" if token.revoked_s else "expired" if is_over else "valid"
    shown = token.token_hash.hex()[:HASH_SHOWN]
    return {
        "name": user.name,
        "user": user.id,
        "kind": token.kind.value,
        "token": shown,
        "made": made,
        "state": state,
    }


@command.command("revoke")
@click.argument("token")
@click.option("--user", help="Whose it is, when TOKEN is the beginning of a hash as `list` shows it.")
@workspace_option
@var_option
@json_option
def revoke(token: str, user: str | None, workspace: str, var: Path, *, as_json: bool) -> None:
    """Revoke TOKEN: the token itself, or with --user the beginning of its hash.

    Nobody gets in with it any more, and the sockets that it opened are closed within a second.
    """
    revoked = asyncio.run(_revoke(token, user, workspace, var))
    if not revoked:
        raise CliError("It was not valid any more, or never was.", "parley token list shows what is.")
    if as_json:
        emit_json({"ok": True})
    else:
        print("revoked")


async def _revoke(token: str, user: str | None, workspace: str, var: Path) -> bool:
    async with workbench_of(var) as bench:
        services = bench.services
        if user is None:
            ids = token_ids(token)
            if ids is None:
                raise CliError("That is not a token.", "To name it by its hash, say whose it is with --user.")
            return await services.accounts.revoke(ids[1], token_hash(token))
        team = await find_team(services, workspace)
        owner = await find_user(services, team, user)
        return await services.accounts.revoke(owner.id, await _hash(services, team, owner, token))


async def _hash(services: Services, team: Team, owner: User, beginning: str) -> bytes:
    tokens = await services.users.tokens(owner.id)
    found = [each.token_hash for each in tokens if beginning and each.token_hash.hex().startswith(beginning.lower())]
    if len(found) != 1:
        raise CliError(f"{len(found)} tokens of {owner.name} in {team.name} begin with {beginning!r}; one is needed.")
    return found[0]
