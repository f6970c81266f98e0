"""When what is in C is compiled, and what happens where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.setup.console import Console
from ops.setup.native_parts import PARTS, ensure_native_parts

SOURCE = PARTS[0].source

COMPILER = """#!/bin/sh
echo run >> "$(dirname "$0")/runs"
while [ "$1" != -o ]; do shift; done
echo built > "$2"
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the source, a Python that has headers, and a compiler that is not real."""
    for part in PARTS:
        (tmp_path / part.source).parent.mkdir(parents=True)
        (tmp_path / part.source).write_text("int x;")
    include = tmp_path / "include"
    include.mkdir()
    (include / "Python.h").touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho {include}\necho .abi.so\n")
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILER)
    for each in (python, compiler):
        each.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    return tmp_path


def is_native(checkout: Path) -> bool:
    """Set up; return whether the first part is there in C."""
    ensure_native_parts(checkout, Console(checkout / "log"))
    return (checkout / SOURCE).with_suffix(".abi.so").is_file()


def test_it_is_compiled_once_and_again_when_the_source_changes(checkout: Path) -> None:
    """By the file that is there, not by a promise of it."""
    runs = checkout / "runs"
    assert is_native(checkout)
    assert is_native(checkout)
    assert runs.read_text() == "run\n" * len(PARTS)
    (checkout / SOURCE).write_text("int y;")
    assert is_native(checkout)
    (checkout / SOURCE).with_suffix(".abi.so").unlink()
    assert is_native(checkout)
    assert runs.read_text() == "run\n" * (len(PARTS) + 2)
    for text in ("int z;", "int z = 1;"):
        (checkout / SOURCE).with_name("part.h").write_text(text)
        assert is_native(checkout)
        assert is_native(checkout)
    assert runs.read_text() == "run\n" * (len(PARTS) + 4)


@pytest.mark.parametrize("lacks", ["compiler", "headers", "success"])
def test_where_it_cannot_be_there_is_none_and_not_an_old_one(checkout: Path, lacks: str) -> None:
    """There is the same in Python, so set-up goes on."""
    assert is_native(checkout)
    (checkout / SOURCE).write_text("int y;")
    if lacks == "compiler":
        (checkout / "cc").unlink()
    elif lacks == "headers":
        (checkout / "include" / "Python.h").unlink()
    else:
        (checkout / "cc").write_text("#!/bin/sh\necho no such thing\nexit 1\n")
    assert not is_native(checkout)
