"""Which mesh a verb is about: the one that runs on a folder, or the one behind PARLEY_CONSUL_ADDR."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ops.cli.output import CliError
from ops.local import state
from ops.local.state import MeshState
from ops.setup.binaries import ROOT

F = TypeVar("F", bound=Callable[..., Any])


def var_option(function: F) -> F:
    """Add `--var FOLDER`, given to the function as `var`."""
    option = click.option(
        "--var",
        type=click.Path(file_okay=False, path_type=Path),
        default=ROOT / "var",
        envvar="PARLEY_VAR",
        show_default="var/ of the project, or $PARLEY_VAR",
        help="Folder with the mesh's data, logs and state.",
    )
    return option(function)


def running_mesh(var: Path) -> MeshState:
    """Return the mesh that runs on `var`. Raises CliError when none does."""
    found = state.load(var)
    if found is None:
        raise CliError(f"No mesh is running on {var}.", "Start one with: ./parley up (or: make run)")
    return found


def consul_address(var: Path) -> str:
    """Return Consul's `host:port`: PARLEY_CONSUL_ADDR, else the running mesh's. Raises CliError when there is none."""
    return os.environ.get("PARLEY_CONSUL_ADDR") or running_mesh(var).consul_addr
