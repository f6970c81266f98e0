"""`parley up`: a whole mesh on this machine, in the foreground."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.cli.output import CliError, emit_json, fail, json_option, say
from ops.cli.summary import print_summary, summary
from ops.cli.target import var_option
from ops.local.errors import LocalError
from ops.local.mariadb import Dsns
from ops.local.mesh import Mesh
from ops.local.spec import DEFAULT_COUNTS, INSTANCES_MAX, MeshSpec
from ops.setup.binaries import MARIADB
from svc.kit.errors import ParleyError

if TYPE_CHECKING:
    from ops.demo_tokens import DemoInfo

HELP = """Start a whole mesh on this machine: Consul, MariaDB, memcached and every tier.

Everything is a child process; data, logs and state are in the folder --var and stay there. The first start makes a
demo workspace. Ctrl-C stops everything in order; a second Ctrl-C kills it.

\b
Examples:
  parley up                                  the default: two channel servers and two gateways in two zones
  parley up --channel 3 --gateway 1          other counts
  parley up --replica                        a replica of the database, for parley failover
  parley up --http-port 18080 --ws-port 0    other ports; 0 takes a free one
  parley up --tls-cert chat.pem --tls-key chat-key.pem
  PARLEY_CONSUL_ADDR=10.0.0.5:8500 parley up     a Consul that runs elsewhere
  PARLEY_MYSQL_WORKSPACE_DSN=mysql://… PARLEY_MYSQL_CHANNEL_DSN=… PARLEY_MYSQL_USER_DSN=… parley up
  PARLEY_MEMCACHED_ADDRS=10.0.0.6:11211,10.0.0.7:11211 parley up
"""

PORT = click.IntRange(0, 65535)
PEM = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
EXTRA = click.IntRange(0, INSTANCES_MAX)


def count_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for the number of instances of each tier."""
    for tier, default in reversed(list(DEFAULT_COUNTS.items())):
        number = click.IntRange(0, INSTANCES_MAX)
        option = click.option(f"--{tier}", type=number, default=default, show_default=True, help=f"{tier} instances")
        function = option(function)
    return function


@click.command("up", help=HELP)
@count_options
@click.option("--memcached", type=click.IntRange(1, INSTANCES_MAX), default=1, show_default=True, help="cache nodes")
@click.option(
    "--memcached-gutter", type=EXTRA, default=0, show_default=True, help="Nodes that stand in for a dead one."
)
@click.option("--memcached-spares", type=EXTRA, default=0, show_default=True, help="Take seats of dead ones.")
@click.option("--replica", is_flag=True, help="A second MariaDB that follows the first: see parley failover.")
@click.option("--zones", default="az1,az2", show_default=True, help="Zones that instances are dealt to, in turn.")
@click.option("--http-port", type=PORT, default=8080, show_default=True, help="Web API of the first webapp.")
@click.option("--ws-port", type=PORT, default=8090, show_default=True, help="WebSockets of the first gateway.")
@click.option("--consul-port", type=PORT, default=8500, show_default=True, help="Consul's API and UI.")
@click.option("--tls-cert", type=PEM, help="Certificate with its chain (PEM): webapps and gateways speak TLS alone.")
@click.option("--tls-key", type=PEM, help="Its private key (PEM).")
@click.option("--demo/--no-demo", default=True, help="Make the demo workspace when there is none.")
@var_option
@json_option
def command(*, as_json: bool, demo: bool, zones: str, **options: Any) -> None:
    """Start a mesh and stay with it."""
    counts = {tier: options.pop(tier) for tier in DEFAULT_COUNTS}
    names = tuple(zone.strip() for zone in zones.split(",") if zone.strip())
    if not names:
        raise click.BadParameter("at least one zone is needed", param_hint="--zones")
    if bool(options["tls_cert"]) != bool(options["tls_key"]):
        raise click.UsageError("--tls-cert and --tls-key go together")
    spec = MeshSpec(counts=counts, zones=names, supervise=True, **external(os.environ), **options)
    _raise_file_limit()
    code = asyncio.run(_run(spec, demo=demo and bool(counts["webapp"]), as_json=as_json))
    raise SystemExit(code)


OVERRIDES = (
    *("PARLEY_WEBAPP_DEMO", "PARLEY_WEBAPP_RATE_LIMITS"),
    *("PARLEY_WEBAPP_PREVIEWS", "PARLEY_WEBAPP_PREVIEW_NETWORKS", "PARLEY_WEBAPP_PREVIEW_PORTS"),
)
"""Settings that a mesh on one machine takes from who starts it: it chooses some otherwise than their defaults."""


def external(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what the settings say about servers that run elsewhere, and otherwise than a mesh on one machine would.

    Raises CliError on half an answer.
    """
    given = [name for name in MARIADB.external if environ.get(name)]
    if given and len(given) < len(MARIADB.external):
        absent = sorted(set(MARIADB.external) - set(given))
        raise CliError(f"{', '.join(given)} is set, and {', '.join(absent)} is not.", "Set all three, or none.")
    addresses = [address.strip() for address in environ.get("PARLEY_MEMCACHED_ADDRS", "").split(",")]
    return {
        "consul_addr": environ.get("PARLEY_CONSUL_ADDR", ""),
        "dsns": Dsns(*(environ[name] for name in MARIADB.external)) if given else None,
        "memcached_addrs": tuple(address for address in addresses if address),
        "environ": {name: environ[name] for name in OVERRIDES if name in environ},
    }


async def _run(spec: MeshSpec, *, demo: bool, as_json: bool) -> int:
    """Run the mesh until a signal; return the exit code."""
    began = time.monotonic()

    def progress(line: str) -> None:
        say(f"  {time.monotonic() - began:5.1f} s  {line}")

    say(f"Starting Parley on {spec.var}")
    mesh = Mesh(spec, progress)
    stopped_by = _stop_on_signals(mesh)
    try:
        async with mesh:
            info = await _demo(mesh, progress) if demo else None
            facts = await summary(mesh, info)
            emit_json(facts) if as_json else print_summary(facts, time.monotonic() - began)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        say("Everything is stopped.")
    except LocalError as error:
        fail(str(error), error.hint, as_json=as_json)
        return 1
    return 0


def _stop_on_signals(mesh: Mesh) -> list[str]:
    """Unwind on the first signal, kill on the second; the returned list is not empty once there was one."""
    loop = asyncio.get_running_loop()
    owner = asyncio.current_task()
    assert owner is not None
    heard: list[str] = []

    def on_signal(number: signal.Signals) -> None:
        if heard:
            mesh.abandon()
            os._exit(130)
        heard.append(number.name)
        say("\nStopping everything in order; once more to kill it.")
        owner.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal, number)
    return heard


async def _demo(mesh: Mesh, progress: Callable[[str], None]) -> DemoInfo | None:
    """Make the demo workspace the first time. A mesh without one is still a mesh: a failure is said, and no more."""
    from ops.demo import ensure_demo  # the webapp's rules come with it: half a second that --help need not spend

    try:
        return await ensure_demo(mesh, progress)
    except ParleyError as error:
        progress(f"there is no demo workspace: {error}")
        return None


def _raise_file_limit() -> None:
    """Let children open as many files as this user may: a gateway holds one for each client."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
