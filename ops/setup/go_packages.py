"""What the Go examples are built with: Debian's slack-go, and Debian's Go where there is none; in a folder of our own.

Nothing but a test of the examples needs it, so a machine where it is not to be had is set up all the same.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import Console, SetupError
from ops.setup.debian import Apt

PACKAGES = ("golang-github-slack-go-slack-dev", "golang-github-gorilla-websocket-dev")
FOLDER = Path(".local") / "go"

_SLACK = Path("src") / "github.com" / "slack-go" / "slack"


def find_go(root: Path) -> Path | None:
    """Return the `go` on PATH, else the one that was unpacked here; None where there is neither."""
    found = shutil.which("go")
    if found is not None:
        return Path(found)
    unpacked = sorted((root / FOLDER).glob("usr/lib/go-*/bin/go"))
    return unpacked[-1] if unpacked else None


def has_packages(root: Path) -> bool:
    """Say whether slack-go is here."""
    return (_go_path(root) / _SLACK).is_dir()


def environ(root: Path) -> dict[str, str]:
    """Return the settings with which `go build` uses what is here, and no network."""
    settings = {
        "GO111MODULE": "off",
        "GOPATH": str(_go_path(root)),
        "GOCACHE": str(root / FOLDER / "cache"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    go = find_go(root)
    if go is not None and (root / FOLDER) in go.parents:
        settings["GOROOT"] = str(go.parents[1])
    return settings


def ensure_go_packages(root: Path, apt: Apt, console: Console) -> None:
    """Unpack what is missing into FOLDER. Where that fails it says so and returns: the test that needs it skips."""
    folder = root / FOLDER
    inputs = {"packages": " ".join(PACKAGES).encode()}
    if find_go(root) is not None and has_packages(root) and stamps.is_fresh(folder / ".parley", inputs):
        return
    console.begin("Go packages for the examples")
    half = folder.with_name(".go.new")
    shutil.rmtree(half, ignore_errors=True)
    try:
        apt.unpack(PACKAGES, half)
        if shutil.which("go") is None:
            apt.unpack(_compiler(apt, half), half)
    except SetupError as failed:
        console.note(f"left out, and so is the test of the Go examples: {str(failed).splitlines()[0]}")
        return
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
    stamps.write(folder / ".parley", inputs)
    console.done(str(FOLDER))


def _compiler(apt: Apt, half: Path) -> list[str]:
    """Return the packages that Debian's `golang-go` stands for, such as golang-1.19-go and golang-1.19-src."""
    go = next(name for name in apt.unpack(["golang-go"], half) if re.fullmatch(r"golang-[0-9.]+-go", name))
    return [go, f"{go.removesuffix('-go')}-src"]


def _go_path(root: Path) -> Path:
    return root / FOLDER / "usr" / "share" / "gocode"
