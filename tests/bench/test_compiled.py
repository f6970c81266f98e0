"""When a benchmark's programs in C are compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import compiled

COMPILER = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo built > "$2"
"""


def test_a_program_is_made_anew_when_its_source_or_a_header_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only then; one of before stays for whoever runs it."""
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setattr(compiled, "SOURCES", tmp_path)
    monkeypatch.setattr(compiled, "BUILT", tmp_path / "built")
    programs = []
    for file, text in (("load.c", "int x;"), ("load.c", "int y;"), ("some.h", "int z;"), ("some.h", "int z = 1;")):
        (tmp_path / file).write_text(text)
        programs.append(compiled.compiled("load"))
        assert compiled.compiled("load") == programs[-1]
    assert len(set(programs)) == 4
    assert all(each.is_file() for each in programs)
