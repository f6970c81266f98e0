"""`parley invite`: ask people to join a workspace, and take that back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from ops.cli.app_details import own_url
from ops.cli.output import emit_json, json_option, print_table
from ops.cli.target import var_option
from ops.cli.workspaces import find_team, workbench_of
from svc.webapp.domain.services import Services
from svc.webapp.store.rows import Team

HELP = """Make the link by which EMAIL joins a workspace.

Whoever has the link may join by it, once, within seven days; it is shown this once, and nobody sends it for you. A new
link for the same address takes the place of the one before.

\b
Examples:
  parley invite ada@example.org                        prints the link
  parley invite ada@example.org --name "Ada Lovelace"
  parley invite ada@example.org --withdraw             nobody joins by it any more
  parley invite                                        who was asked, and has not joined
"""


@click.command("invite", help=HELP)
@click.argument("email", required=False)
@click.option("--name", default="", help="The full name that the page suggests.")
@click.option("--withdraw", is_flag=True, help="Let the address's links work no longer instead.")
@click.option("--workspace", default="", help="Its domain or id; default: the only one, or demo among several.")
@click.option("--base-url", default="", help="Where people reach this installation; default: the mesh that runs here.")
@var_option
@json_option
def command(
    email: str | None, name: str, workspace: str, base_url: str, var: Path, *, withdraw: bool, as_json: bool
) -> None:
    """Make, list or withdraw invitations."""
    if email is None:
        if withdraw or name:
            raise click.UsageError("Name an EMAIL.")
        _show(asyncio.run(_with(var, workspace, _listed)), as_json=as_json)
        return

    async def run(services: Services, team: Team) -> dict[str, Any]:
        if withdraw:
            return {"withdrawn": await services.invitations.withdraw(team.id, email)}
        code = await services.invitations.ask(team.id, email, name)
        return {"email": email, "url": f"{(base_url or own_url(var)).rstrip('/')}/join/{code}"}

    made = asyncio.run(_with(var, workspace, run))
    if as_json:
        emit_json({"ok": True, **made})
    else:
        print(made["url"] if "url" in made else f"{made['withdrawn']} withdrawn")


async def _listed(services: Services, team: Team) -> list[dict[str, Any]]:
    return [
        {"email": each.email, "name": each.real_name, "by": each.inviter_id, "until": each.until_s}
        for each in await services.invitations.open(team.id)
    ]


def _show(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        emit_json({"ok": True, "invitations": found})
        return
    rows = [(each["email"], each["name"], each["by"] or "operator", _day(each["until"])) for each in found]
    print_table(("EMAIL", "NAME", "BY", "UNTIL"), rows)


def _day(at_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


async def _with(var: Path, workspace: str, run: Callable[[Services, Team], Awaitable[Any]]) -> Any:
    async with workbench_of(var) as bench:
        return await run(bench.services, await find_team(bench.services, workspace))
