"""The steps of setting a machine up, in order. A second run costs a few file reads and needs no network."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ops.setup.binaries import ROOT
from ops.setup.chromium import ensure_chromium
from ops.setup.console import Console, SetupError, explain
from ops.setup.debian import Apt
from ops.setup.environment import Environment
from ops.setup.go_packages import ensure_go_packages
from ops.setup.native_parts import ensure_native_parts
from ops.setup.node_packages import ensure_node_packages
from ops.setup.old_clients import ensure_old_clients
from ops.setup.servers import ensure_servers
from ops.setup.stamps import exclusive
from ops.setup.web_client import ensure_web_client


def run(argv: Sequence[str]) -> int:
    """Set the machine up as the command line asks; return the exit code."""
    options = _arguments(argv)
    local = ROOT / ".local"
    try:
        with exclusive(local / "bootstrap.lock", "parley: another set-up is running here; waiting for it.") as lock:
            _set_up(Console(local / "bootstrap.log", lock), dev=options.dev, env_only=options.env_only)
    except SetupError as error:
        print(explain(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nparley: set-up interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./parley bootstrap", description="Install what is missing on this machine.")
    parser.add_argument("--dev", action="store_true", help="also what `make test` needs (pytest, mypy, ruff, buf ...)")
    parser.add_argument("--env-only", action="store_true", help="only the Python environment, no servers")
    return parser.parse_args(argv)


def _set_up(console: Console, *, dev: bool, env_only: bool) -> None:
    """Do the steps; the environment first, because it asks the least of the machine."""
    apt = Apt(console)
    Environment(ROOT, console).ensure(apt, dev=dev)
    if not env_only:
        ensure_native_parts(ROOT, console)
        ensure_servers(apt, console, os.environ)
        _build_web_client(console, dev=dev)
    if dev:
        ensure_old_clients(ROOT, console)
        ensure_node_packages(ROOT, console)
        ensure_go_packages(ROOT, apt, console)
    if dev and not env_only:
        ensure_chromium(apt, console)


def _build_web_client(console: Console, *, dev: bool) -> None:
    """Where nothing is to be developed, a mesh without pages in the browser is better than none."""
    try:
        ensure_web_client(ROOT, console, dev=dev)
    except SetupError as failed:
        if dev:
            raise
        console.note(f"left out, and so are the pages in the browser: {str(failed).splitlines()[0]}")
