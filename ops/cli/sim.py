"""`parley sim`: plays the whole mesh in virtual time, breaks it by a seed, and looks whether everything stays true."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from ops.cli.output import CliError, emit_json, json_option, say
from ops.sim.many import Order, Report, play

HELP = """Play a whole mesh in one thread and in virtual time, and break it on purpose, seed by seed.

The tiers' own code runs on twins of the network, of MySQL, Consul and the clients' sockets. Processes are killed and
paused, lines cut, transactions lost half-way, logs trimmed; at every step, and when all is mended, the promises are
checked. A seed decides everything, so a run that fails does so again: `parley sim --seed S --trace`.

Exit code 1 when anything was not true.

\b
Examples:
  parley sim --seeds 2000
  parley sim --seed 821 --trace
  parley sim --seeds 100000 --seed 5001 --json | jq .counts
"""


@click.command("sim", help=HELP)
@click.option("--seeds", type=click.IntRange(1), help="How many; default 2000, or 1 when --seed is given.")
@click.option("--seed", type=click.IntRange(0), help="The first one; default 1.")
@click.option("--trace", is_flag=True, help="Print everything that happens in each run.")
@click.option("--stop", is_flag=True, help="End at the first violation.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; default: one a core.")
@json_option
def command(seeds: int | None, seed: int | None, jobs: int | None, *, trace: bool, stop: bool, as_json: bool) -> None:
    """Play."""
    count = seeds or (2_000 if seed is None else 1)
    order = Order(seed if seed is not None else 1, count, jobs or os.cpu_count() or 1, trace, stop)
    began = time.monotonic()
    report = play(order, lambda done: None if as_json or trace else _progress(done, count, began))
    spent_s = time.monotonic() - began
    if report.errors:
        raise CliError("A worker failed.", report.errors[0])
    if as_json:
        emit_json(_summary(report, spent_s))
    else:
        _show(report, spent_s)
    raise SystemExit(0 if report.is_clean else 1)


def _progress(done: int, count: int, began: float) -> None:
    if done % 1_000 == 0 or done == count:
        say(f"  {time.monotonic() - began:6.1f} s  {done} of {count} seeds")


def _summary(report: Report, spent_s: float) -> dict[str, Any]:
    return {
        "ok": report.is_clean,
        "seeds": report.played,
        "virtual_s": round(report.virtual_s, 1),
        "spent_s": round(spent_s, 1),
        "counts": dict(sorted(report.counts.items())),
        "failures": report.failures,
    }


def _show(report: Report, spent_s: float) -> None:
    for run in report.shown:
        print(f"seed {run['seed']}: {run['invariant'] or 'all is true'}  {run['detail']}".rstrip())
        for line in run["trace"]:
            print(f"  {line}")
        if run["invariant"]:
            print(f"  again, with everything: parley sim --seed {run['seed']} --trace")
    print(
        f"{report.played} seeds, {report.virtual_s:.0f} virtual seconds in {spent_s:.1f}:"
        f" {len(report.failures)} violations, {report.counts['posts acked']} posts acknowledged"
    )
