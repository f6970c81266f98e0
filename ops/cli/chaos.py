"""`parley chaos`: break a mesh on purpose, and see whether the promise is kept."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import click

from ops.chaos.report import markdown
from ops.chaos.run import Options, run
from ops.chaos.scenarios import SCENARIOS
from ops.chaos.stage import StageError
from ops.cli.output import CliError, emit_json, fail, json_option, print_table, say
from ops.local.errors import LocalError

HELP = """Break a mesh on purpose, under load, and judge from outside whether anything was lost.

Brings up a mesh of its own on free ports in a temporary folder; nothing that runs here is touched.
"""

RUN_HELP = """Run the scenario NAME, or `all` of them one after another.

Posts go in over HTTP and sockets; readers are our client library, bare WebSockets and slack_sdk. What was acknowledged
is compared with what arrived where, and with history. Exit code 1 when anything is lost, doubled, out of order or
missing without a word. With --json each run ends in a line of JSON; --markdown ends in a table.

\b
Examples:
  parley chaos run kill-any --duration 30
  parley chaos run partition-channel --seed 7 --json | tail -1 | jq .
  parley chaos run kill-gateway --clients 500 --rate 10
  parley chaos run all --markdown > table.md
"""


@click.group("chaos", help=HELP)
def command() -> None:
    """Hold the verbs."""


@command.command("list")
@json_option
def list_scenarios(*, as_json: bool) -> None:
    """List the scenarios."""
    if as_json:
        emit_json([{"name": each.name, "summary": each.summary} for each in SCENARIOS.values()])
        return
    print_table(("NAME", "WHAT HAPPENS"), [(each.name, each.summary) for each in SCENARIOS.values()])


@command.command("run", help=RUN_HELP)
@click.argument("name", metavar="NAME", type=click.Choice([*SCENARIOS, "all"]))
@click.option("--seed", type=int, default=1, show_default=True, help="Draws the faults: the same seed, the same ones.")
@click.option("--duration", type=click.FloatRange(10, 3600), help="Seconds of load; default: the scenario's own.")
@click.option("--rate", type=click.FloatRange(1, 1000), default=75.0, show_default=True, help="Posts a second.")
@click.option("--clients", type=click.IntRange(1, 2000), default=6, show_default=True, help="Readers that resume.")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="Folder for data and logs; it stays afterwards."
)
@click.option("--markdown", "as_table", is_flag=True, help="Print the table for the documentation.")
@json_option
def run_scenario(
    name: str,
    seed: int,
    duration: float | None,
    rate: float,
    clients: int,
    keep: Path | None,
    *,
    as_table: bool,
    as_json: bool,
) -> None:
    """Run one scenario, or all."""
    chosen = list(SCENARIOS) if name == "all" else [name]
    runs = []
    for each in chosen:
        folder = keep / each if keep and len(chosen) > 1 else keep
        try:
            runs.append(asyncio.run(_run(each, Options(seed, duration or 0.0, rate, clients, folder))))
        except CliError as error:
            if len(chosen) == 1:
                raise
            fail(error.message, error.hint, as_json=as_json)  # the others can still be run
            continue
        if as_json:
            emit_json(runs[-1])
    if as_table:
        print(markdown(runs))
    elif not as_json:
        _print(runs)
    raise SystemExit(0 if len(runs) == len(chosen) and all(figures["ok"] for figures in runs) else 1)


async def _run(name: str, options: Options) -> dict[str, Any]:
    """Run one scenario; a signal unwinds it, children included."""
    began = time.monotonic()
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        report = await run(SCENARIOS[name], options, lambda line: say(f"  {time.monotonic() - began:5.1f} s  {line}"))
    except asyncio.CancelledError:
        raise click.Abort from None
    except (LocalError, StageError) as error:
        hint = f"Logs: {options.keep}" if options.keep else "With --keep FOLDER the logs stay."
        raise CliError(f"{name}: {error}", hint) from error
    return {"ok": report.is_clean, **report.as_json()}


def _print(runs: list[dict[str, Any]]) -> None:
    for figures in runs:
        wrong, recoveries = figures.pop("violations"), figures.pop("recoveries")
        print_table(("FIGURE", "VALUE"), [(key, str(value)) for key, value in figures.items()])
        print()
        print_table(("FAULT", "RECOVERY, MS"), [(each["fault"], str(each["recovery_ms"])) for each in recoveries])
        for violation in wrong:
            print(f"{violation['wrong']}: {violation['where']} {violation['channel']} {violation['detail']}")
