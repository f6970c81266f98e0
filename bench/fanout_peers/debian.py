"""Servers from Debian packages: on PATH, or taken apart into a folder of the benchmark's own. Nothing is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.fanout_peers.peer import PeerMissing
from ops.setup.binaries import ROOT, find_program
from ops.setup.console import Console, SetupError
from ops.setup.debian import Apt

FOLDER = ROOT / ".local" / "bench" / "debian"
MODULES = (Path("/usr/lib/nginx/modules"), FOLDER / "usr" / "lib" / "nginx" / "modules")


def program(name: str, packages: Sequence[str]) -> Path:
    """Return a program of these packages, fetched where it is missing. Raises PeerMissing."""
    found = find(name)
    if found is None:
        fetch(packages)
        found = find(name)
    if found is None:
        raise PeerMissing(f"{', '.join(packages)} brought no {name}; {_by_hand(packages)}")
    return found


def fetch(packages: Sequence[str]) -> None:
    """Take packages apart into FOLDER. Raises PeerMissing."""
    console = Console(FOLDER.parent / "setup.log")
    console.begin(", ".join(packages))
    try:
        Apt(console).unpack(packages, FOLDER)
    except SetupError as error:
        raise PeerMissing(f"{str(error).splitlines()[0]} {_by_hand(packages)}") from error
    console.done(f"in {FOLDER.relative_to(ROOT)}")


def find(name: str) -> Path | None:
    """Return a program that is on PATH or was fetched."""
    return find_program((name,)) or find_program((name,), path=str(FOLDER / "usr" / "sbin"))


def _by_hand(packages: Sequence[str]) -> str:
    return f"by hand: apt-get install {' '.join(packages)}"
