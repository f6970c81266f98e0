"""`parley seed`: a workspace of any size, to try things in."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ops.cli.output import CliError, emit_json, json_option, print_table, say
from ops.cli.target import var_option
from ops.cli.workspaces import workbench_of
from ops.seeding import Advance, Seeded, Seeder, SeedSpec
from svc.kit.errors import ParleyError

HELP = """Make a workspace with invented people and channels, and print tokens that open it.

Everybody is in #general; other channels have members as channels do, a few of them many and most of them few; one in
ten is private. The same --seed makes the same workspace. With --lived-in it is as after years of use: people are
in some 25 channels, and there are direct messages, custom emoji, preferences, what was said last and who has read it.

\b
Examples:
  parley seed --users 50 --channels 12
  parley seed --users 1500 --channels 200 --name acme --messages 2000
  parley seed --users 10 --channels 3 --json | jq -r .admin.token
  parley seed --users 1500 --channels 500 --lived-in
"""

USERS_MAX = 200_000
CHANNELS_MAX = 100_000
MESSAGES_MAX = 10_000_000


@click.command("seed", help=HELP)
@click.option("--users", type=click.IntRange(1, USERS_MAX), default=50, show_default=True, help="People to invent.")
@click.option("--channels", type=click.IntRange(1, CHANNELS_MAX), default=12, show_default=True, help="Channels.")
@click.option("--messages", type=click.IntRange(0, MESSAGES_MAX), default=0, show_default=True, help="Messages.")
@click.option("--name", default="acme", show_default=True, help="Name of the workspace; its domain is made from it.")
@click.option("--seed", type=int, default=1, show_default=True, help="What the invention depends on.")
@click.option("--lived-in", is_flag=True, help="Fill it as years of use do.")
@var_option
@json_option
def command(
    users: int, channels: int, messages: int, name: str, seed: int, var: Path, *, lived_in: bool, as_json: bool
) -> None:
    """Make a workspace."""
    domain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if not domain:
        raise click.BadParameter("a letter or a digit is needed", param_hint="--name")
    spec = SeedSpec(name, domain, users, channels, messages, seed, is_lived_in=lived_in)
    began = time.monotonic()
    facts = asyncio.run(_seed(spec, var))
    facts["took_s"] = round(time.monotonic() - began, 2)
    emit_json(facts) if as_json else _print(facts)


async def _seed(spec: SeedSpec, var: Path) -> dict[str, Any]:
    async with workbench_of(var) as bench:
        services = bench.services
        if any(team.domain == spec.domain for team in await services.workspaces.teams()):
            raise CliError(f"There is a workspace {spec.domain!r} already.", "Choose another with --name.")
        with _progress(spec) as advance:
            try:
                made = await Seeder(services, bench.bulk, advance).populate(spec)
            except* ParleyError as group:
                raise _first(group) from group
        tokens = {user.id: await services.accounts.token_for(user) for user in (made.admin, made.bot)}
    return _facts(spec, made, tokens)


def _first(group: BaseExceptionGroup[ParleyError]) -> ParleyError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _facts(spec: SeedSpec, made: Seeded, tokens: dict[str, str]) -> dict[str, Any]:
    def account(user: Any) -> dict[str, str]:
        return {"name": user.name, "user_id": user.id, "token": tokens[user.id]}

    return {
        "ok": True,
        "team_id": made.team.id,
        "name": spec.name,
        "domain": spec.domain,
        "general": made.general.id,
        "users": spec.users,
        "channels": spec.channels,
        "memberships": made.memberships,
        "messages": spec.messages,
        "admin": account(made.admin),
        "bot": account(made.bot),
    }


def _print(facts: dict[str, Any]) -> None:
    say(
        f"Made {facts['name']} ({facts['team_id']}): {facts['users']} people, {facts['channels']} channels, "
        f"{facts['memberships']} memberships, {facts['messages']} messages in {facts['took_s']} s."
    )
    rows = [(role, facts[role]["name"], facts[role]["user_id"], facts[role]["token"]) for role in ("admin", "bot")]
    print_table(("ROLE", "NAME", "USER", "TOKEN"), rows)
    print("More: parley token create USER --workspace " + facts["domain"])


@contextmanager
def _progress(spec: SeedSpec) -> Iterator[Advance]:
    """Show a bar for each kind of thing, on stderr; a line at the end where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        totals = {"users": spec.users, "channels": spec.channels, "memberships": None, "messages": spec.messages}
        tasks = {what: bars.add_task(what, total=total) for what, total in totals.items() if total != 0}
        yield lambda what, count: bars.advance(tasks[what], count)
