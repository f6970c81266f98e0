"""The web client: its packages, and the build that webapp serves, made anew when a file of it changed."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console, SetupError
from ops.setup.node import Node, ensure_node

SOURCE = Path("web")
BUILT = Path("svc") / "webapp" / "static"

_STAMP = Path(".local") / "web-client"
_PACKAGES = ("package.json", "package-lock.json")
_PARTS = ("index.html", "vite.config.ts", "emoji-table.ts", "first-screen.ts", "src", "public")
_COMPRESSED = {".html", ".js", ".css", ".svg", ".json"}


def is_current(root: Path) -> bool:
    """Say whether what webapp serves was built from the sources as they are."""
    inputs = _inputs(root)
    return stamps.is_fresh(root / _STAMP, inputs | {"digest": _digest(root / SOURCE)}) and _is_there(root)


def _inputs(root: Path) -> dict[str, bytes]:
    return {name: (root / SOURCE / name).read_bytes() for name in _PACKAGES}


def _is_there(root: Path) -> bool:
    return (root / BUILT / "index.html").is_file()


def ensure_web_client(root: Path, console: Console, *, dev: bool) -> None:
    """Build what is missing or old; `dev`: with the packages that checking needs. Raises SetupError."""
    inputs = _inputs(root)
    packages = root / SOURCE / "node_modules"
    has_packages = stamps.is_fresh(packages / ".parley", inputs | {"dev": b"1"})
    if not dev:
        has_packages = has_packages or stamps.is_fresh(packages / ".parley", inputs | {"dev": b"0"})
    built = inputs | {"digest": _digest(root / SOURCE)}
    is_built = stamps.is_fresh(root / _STAMP, built) and _is_there(root)
    if is_built and (has_packages or not dev):
        return
    node = ensure_node(root, console)
    if not has_packages:
        _install(root, node, console, dev=dev)
        stamps.write(packages / ".parley", inputs | {"dev": b"1" if dev else b"0"})
    if not is_built:
        _build(root, node, console)
        stamps.write(root / _STAMP, built)


def _install(root: Path, node: Node, console: Console, *, dev: bool) -> None:
    console.begin("the web client's packages")
    omit = () if dev else ("--omit=dev",)
    try:
        # ci starts from nothing, so a half-finished earlier run leaves no trace; no package needs its install script.
        command = [*node.npm, "ci", "--ignore-scripts", "--no-progress", *omit]
        console.run(command, cwd=root / SOURCE, env=node.environ)
    except CommandFailed as failed:
        by_hand = f"cd {root / SOURCE} && npm ci"
        raise SetupError(f"npm could not install the web client's packages:\n{failed.output}", [by_hand]) from failed
    console.done(str(SOURCE / "node_modules"))


def _build(root: Path, node: Node, console: Console) -> None:
    """Build beside, then swap: a webapp that runs meanwhile never serves half a client."""
    console.begin("web client")
    fresh, old = root / ".local" / "web-client.new", root / ".local" / "web-client.old"
    for each in (fresh, old):
        shutil.rmtree(each, ignore_errors=True)
    vite = [str(node.program), "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"]
    try:
        console.run(vite, cwd=root / SOURCE, env={**node.environ, "PARLEY_WEB_OUT": str(fresh)})
    except CommandFailed as failed:
        by_hand = f"cd {root / SOURCE} && npm run build"
        raise SetupError(f"The web client could not be built:\n{failed.output}", [by_hand]) from failed
    _compress(fresh)
    if (root / BUILT).exists():
        (root / BUILT).rename(old)
    fresh.rename(root / BUILT)
    shutil.rmtree(old, ignore_errors=True)
    console.done(str(BUILT))


def _compress(folder: Path) -> None:
    """Lay `X.gz` beside each X that becomes smaller by it, so that nobody compresses it for each who asks."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _COMPRESSED and path.is_file():
            content = path.read_bytes()
            smaller = gzip.compress(content, mtime=0)
            if len(smaller) < len(content):
                path.with_name(f"{path.name}.gz").write_bytes(smaller)


def _digest(source: Path) -> bytes:
    """Return what the sources are, names and contents, without what is only for tests."""
    digest = hashlib.sha256()
    paths = [found for part in _PARTS for found in ((source / part), *sorted((source / part).rglob("*")))]
    for path in paths:
        if path.is_file() and ".test." not in path.name:
            digest.update(f"{path.relative_to(source)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest().encode()
