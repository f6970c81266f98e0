"""`parley down`: stop the mesh that runs on a folder."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import click

from ops.cli.output import CliError, emit_json, json_option, say
from ops.cli.target import running_mesh, var_option
from ops.local import state

HELP = """Stop the mesh that `parley up` started, in order, and wait until nothing of it is left.

\b
Examples:
  parley down                  the mesh of this project
  parley down --timeout 5      kill it when it takes longer than 5 s
"""

POLL_S = 0.05

# As long as an orderly stop of the slowest tier, and of MariaDB after it.
TIMEOUT_S = 60.0


@click.command("down", help=HELP)
@click.option(
    "--timeout", "timeout_s", type=float, default=TIMEOUT_S, show_default=True, help="Seconds until it is killed."
)
@var_option
@json_option
def command(var: Path, timeout_s: float, *, as_json: bool) -> None:
    """Stop a mesh."""
    mesh = running_mesh(var)
    began = time.monotonic()
    if not as_json:
        say(f"Stopping the mesh of pid {mesh.pid} ...")
    _signal(mesh.pid, signal.SIGTERM)
    killed = not _is_gone(var, timeout_s)
    if killed:
        _signal(mesh.pid, signal.SIGKILL)  # the kernel takes its children along
        if not _is_gone(var, timeout_s):
            raise CliError(f"pid {mesh.pid} does not end.", "Look at it with: ps -fp " + str(mesh.pid))
    took_s = round(time.monotonic() - began, 2)
    if as_json:
        emit_json({"ok": True, "pid": mesh.pid, "killed": killed, "took_s": took_s})
    else:
        say(f"{'Killed' if killed else 'Stopped'} after {took_s:.1f} s.")


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended on its own
    except PermissionError:
        raise CliError(f"pid {pid} belongs to another user.", "Stop it as that user, or as root.") from None


def _is_gone(var: Path, timeout_s: float) -> bool:
    """Say whether the folder's owner ended within the time."""
    deadline = time.monotonic() + timeout_s
    while state.is_locked(var):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
