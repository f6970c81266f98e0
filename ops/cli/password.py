"""`parley password`: give somebody a password to sign in with in a browser."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import click

from ops.cli.output import emit_json, json_option
from ops.cli.target import var_option
from ops.cli.workspaces import find_team, find_user, workbench_of

HELP = """Set the password by which USER (a handle or an id) signs in to the browser client.

Asks for it, or makes one and prints it. Browsers in which the user is signed in are signed out; tokens stay.

\b
Examples:
  parley password ada                 asks for the new one, twice
  parley password ada --generate      makes one, and prints it this once
"""


@click.command("password", help=HELP)
@click.argument("user")
@click.option("--generate", is_flag=True, help="Make a password of 128 random bits.")
@click.option("--workspace", default="", help="Its domain or id; default: the only one, or demo among several.")
@var_option
@json_option
def command(user: str, workspace: str, var: Path, *, generate: bool, as_json: bool) -> None:
    """Set a password."""
    password = (
        secrets.token_urlsafe(16)
        if generate
        else click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    )
    done = asyncio.run(_set(user, password, workspace, var))
    if as_json:
        emit_json({"ok": True, **done, **({"password": password} if generate else {})})
    else:
        print(password if generate else f"{done['name']} signs in with it from now on")


async def _set(user: str, password: str, workspace: str, var: Path) -> dict[str, Any]:
    async with workbench_of(var) as bench:
        team = await find_team(bench.services, workspace)
        found = await find_user(bench.services, team, user)
        await bench.services.passwords.set(found, password)
    return {"user_id": found.id, "name": found.name, "team_id": team.id}
