"""`parley bench`: measures a part of the system on this machine."""

from __future__ import annotations

import importlib
import inspect
import os
import platform
import time
from datetime import UTC, datetime
from typing import Any

import click

from ops.cli.output import CliError, emit_json, json_option, say
from ops.local.errors import LocalError

# Name, module with `measure(say, …) -> dict`, and what it measures. One line a benchmark. What `measure` takes by name
# beside `say` is asked for by options of these names.
BENCHES = (
    ("ring", "bench.ring", "placement of channels: lookups/s, rebuild times, balance, moved share"),
    ("cache", "bench.cache", "the memcached client: gets/s and latency beside pymemcache and aiomcache"),
    ("cache-replace", "bench.cache_replace", "database load while cache nodes are replaced: a plain pool, and ours"),
    (
        "fanout",
        "bench.fanout",
        "one gateway core: events to 1,000 and 5,000 sockets, beside a C loop, nats-server, nchan, ws and socket.io",
    ),
    (
        "memory",
        "bench.memory",
        "a gateway's idle connections: bytes each, with 20 subscriptions, and what they are made of",
    ),
    ("churn", "bench.churn", "clients that connect, are greeted and leave: how many a second, and the cost by tier"),
    ("post", "bench.post", "durable posts a second over HTTP, by stage, and what each tier uses of the processors"),
    (
        "latency",
        "bench.latency",
        "from a post over HTTP to the last of 1,000 sockets, at a quarter, a half and four fifths of capacity",
    ),
    ("channels", "bench.channels", "one channel server: bytes a channel, channels subscribed and handed over a second"),
    ("streams", "bench.streams", "publisher to channel server to gateway: events a second, and processor time of each"),
    ("presence", "bench.presence", "presence events where one looks beside a broadcast, and how soon views are right"),
    ("boot", "bench.boot", "booting: bytes of full, slim and delta boots, time, boots/s a core, database queries"),
    ("search", "bench.search", "searching among 100,000 messages: time in both modes, and how soon a post is found"),
    (
        "web",
        "bench.web",
        "the web client in Chromium: first screen, how soon a message is seen, frames while scrolling",
    ),
    ("storm", "bench.storm", "a gateway is killed: when its clients are back and caught up, what others notice of it"),
)

ALL = "all"
QUICK = {"users": 1_000, "clients": 300, "messages": 5_000, "count": 1_000_000}
"""What `all --quick` gives those that take it."""

HELP = (
    """Measure a part of the system on this machine; `all`, or no NAME: every part.

Progress goes to stderr; the result is printed as JSON, one object a benchmark, the last line of stdout with --json.
Exit code 1 when a result misses its bars. `all` keeps what it finds in bench/results.json, bench/RESULTS.md and
bench/plots, each part with its own date; what is not run again stays as it was found before.

\b
Benchmarks:
"""
    + "\n".join(f"  {name:<14} {what}" for name, _, what in BENCHES)
    + """

\b
Examples:
  parley bench ring
  parley bench ring --json | jq .rebuild_ms
  parley bench boot --users 1500
  parley bench search --messages 5000
  parley bench web --users 32000
  parley bench fanout --clients 1000 --window 64
  parley bench storm --clients 2000
  parley bench all --only post,latency
  parley bench all --quick
"""
)


@click.command("bench", help=HELP)
@click.argument("name", required=False, type=click.Choice([ALL, *(name for name, _, _ in BENCHES)]))
@click.option("--users", type=click.IntRange(10, 100_000), help="Size of the workspace, where a benchmark has one.")
@click.option("--clients", type=click.IntRange(10, 20_000), help="Clients connected, where a benchmark has them.")
@click.option("--messages", type=click.IntRange(100, 10_000_000), help="Messages seeded, where a benchmark has them.")
@click.option("--count", type=click.IntRange(10_000, 18_000_000), help="Channels, where a benchmark has so many.")
@click.option("--window", type=click.IntRange(1, 1_024), help="Events in flight, where a benchmark has some.")
@click.option("--only", default="", help="With `all`: these alone, with commas between.")
@click.option("--quick", is_flag=True, help="With `all`: smaller, into .local/bench/quick.")
@json_option
def command(name: str | None, only: str, *, quick: bool, as_json: bool, **sizes: int | None) -> None:
    """Run one benchmark, or all."""
    if name in (None, ALL):
        _all(only, quick=quick, as_json=as_json)
        return
    module = next(module for each, module, _ in BENCHES if each == name)
    result = _run(str(name), module, {size: given for size, given in sizes.items() if given})
    emit_json(result) if as_json else _show(result)
    raise SystemExit(0 if result.get("ok", True) else 1)


def _all(only: str, *, quick: bool, as_json: bool) -> None:
    """Run all, or those named in `only`, and write what they found. Raises CliError for a name that is none."""
    wanted = {each.strip() for each in only.split(",") if each.strip()}
    unknown = sorted(wanted - {name for name, _, _ in BENCHES})
    if unknown:
        raise CliError(f"There is no benchmark {unknown[0]}.", "parley bench --help has their names.")
    chosen = {name: what for name, _, what in BENCHES if not wanted or name in wanted}
    options = {name: _quick(module) for name, module, _ in BENCHES if quick and name in chosen}
    every = _module("bench.all", ALL)
    # What is quick is no figure to keep.
    told: dict[str, Any] = every.run(chosen, options, quick, say, every.QUICK_FOLDER if quick else every.FOLDER)
    emit_json({"bench": ALL, **told}) if as_json else _show(told)
    raise SystemExit(0 if all(each is True for each in told.values()) else 1)


def _quick(module: str) -> list[str]:
    """Return the options by which a benchmark is smaller."""
    taken = inspect.signature(_module(module, module).measure).parameters.keys() & {
        each.name for each in command.params
    }
    return [word for size, value in QUICK.items() if size in taken for word in (f"--{size}", str(value))]


def _module(module: str, name: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise CliError(f"The benchmark {name} is not part of this installation.", "Run it from a checkout.") from error


def _run(name: str, module: str, sizes: dict[str, int]) -> dict[str, Any]:
    measure = _module(module, name).measure
    unknown = sizes.keys() - inspect.signature(measure).parameters.keys()
    if unknown:
        raise CliError(f"The benchmark {name} has no --{unknown.pop()}.")
    began = time.monotonic()
    try:
        result: dict[str, Any] = measure(lambda text: say(f"bench {name}: {text}"), **sizes)
    except LocalError as error:
        raise CliError(f"bench {name}: {error}", error.hint) from error
    say(f"bench {name}: done in {time.monotonic() - began:.1f} s")
    return {"bench": name, **_machine(), **result}


def _machine() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def _show(value: dict[str, Any], indent: int = 0) -> None:
    """Print a result for people: nested names indented, values beside them."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            click.echo(f"{' ' * indent}{key}")
            _show(inner, indent + 2)
        else:
            click.echo(f"{' ' * indent}{key:<{max(1, 30 - indent)}} {inner}")
