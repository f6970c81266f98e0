"""`parley search`: what search instances hold, and orders to build an index anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import grpc

from discovery.consul import ConsulClient
from discovery.view import Instance, service_name
from ops.cli.output import CliError, emit_json, json_option, print_table, say
from ops.cli.target import consul_address, var_option
from ops.search_instances import rebuild_one, survey
from svc.kit.errors import ParleyError

HELP = """Show what search instances hold, and have them build their index anew.

Each instance has an index of all messages in its own folder, made from the database: it is never the truth, and may be
deleted while its instance is stopped. A rebuild is done beside the index that answers, which goes on answering.

\b
Examples:
  parley search status
  parley search status --json | jq '.instances[] | select(.behind_s > 2)'
  parley search rebuild                     every instance, one after the other
  parley search rebuild search-az1-1        the instances whose ids begin so
"""

POLL_S = 0.5
SILENT_MAX_S = 60.0
"""For which an instance that is waited for may say nothing."""
COLUMNS = ("SEARCH", "ZONE", "MESSAGES", "BEHIND", "STATE")
T = TypeVar("T")


@click.group("search", help=HELP)
def command() -> None:
    """Hold the verbs."""


@command.command("status")
@var_option
@json_option
def status(var: Path, *, as_json: bool) -> None:
    """Show messages held, how far behind, and what is being built. Exit code 1 unless all instances are well."""
    shelves = _run(var, survey)
    is_well = bool(shelves) and all(each.is_well for each in shelves)
    if as_json:
        emit_json({"ok": is_well, "instances": [each.describe() for each in shelves]})
    elif shelves:
        print_table(COLUMNS, [each.row() for each in shelves])
    else:
        click.echo("No search instance is registered: search.messages answers service_unavailable.")
    raise SystemExit(0 if is_well else 1)


@command.command("rebuild")
@click.argument("name", default="")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Stay until it is done, one after the other.")
@var_option
@json_option
def rebuild(name: str, var: Path, *, wait: bool, as_json: bool) -> None:
    """Build the index anew, of all instances or of those whose ids begin with NAME. It answers all the while."""

    async def order(instances: Sequence[Instance]) -> list[dict[str, object]]:
        chosen = [each for each in instances if each.id.startswith(name)]
        return [await _rebuilt(each, wait=wait) for each in chosen]

    done = _run(var, order)
    if not done:
        raise CliError(f"No search instance begins with {name!r}." if name else "No search instance is registered.")
    if as_json:
        emit_json({"ok": True, "instances": done})
    else:
        print_table(("SEARCH", "MESSAGES", "SECONDS"), [tuple(map(str, each.values())) for each in done])


async def _rebuilt(instance: Instance, *, wait: bool) -> dict[str, object]:
    began = time.monotonic()
    has_begun = await rebuild_one(instance)
    say(f"{instance.id} builds a new index" if has_begun else f"{instance.id} builds one already")
    documents, heard = 0, time.monotonic()
    while wait:
        await asyncio.sleep(POLL_S)
        (shelf,) = await survey([instance])
        if shelf.info is not None:
            documents, heard = shelf.info.documents, time.monotonic()
            if not shelf.info.is_building:
                break
        elif time.monotonic() - heard > SILENT_MAX_S:
            raise CliError(f"{instance.id} does not answer.", "Look at: parley search status")
    return {"search": instance.id, "messages": documents, "seconds": round(time.monotonic() - began, 1)}


def _run(var: Path, work: Callable[[Sequence[Instance]], Awaitable[list[T]]]) -> list[T]:
    async def connected() -> list[T]:
        async with ConsulClient(consul_address(var)) as consul:
            return await work((await consul.health.passing(service_name("search"))).instances)

    try:
        return asyncio.run(connected())
    except ParleyError as error:
        raise CliError(str(error), "Is Consul up? parley doctor looks further.") from error
    except grpc.aio.AioRpcError as error:
        raise CliError(f"an instance does not answer: {error.details()}", "Look at: parley search status") from error
