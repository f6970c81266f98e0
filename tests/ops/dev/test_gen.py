"""The drift check of generated code."""

from __future__ import annotations

from pathlib import Path

from ops.dev.gen import drift, tree


def test_equal_trees_have_no_drift() -> None:
    """Nothing to say, nothing to fail."""
    assert drift({"a_pb2.py": "x = 1\n"}, {"a_pb2.py": "x = 1\n"}) == []


def test_changed_missing_and_superfluous_files_are_drift() -> None:
    """Code of a contract that went away is as stale as code that changed."""
    lines = drift({"a_pb2.py": "x = 1\n", "gone_pb2.py": "y = 1\n"}, {"a_pb2.py": "x = 2\n", "new_pb2.py": "z = 1\n"})
    text = "\n".join(lines)
    assert "-x = 1" in text
    assert "+x = 2" in text
    assert "committed/gone_pb2.py" in text
    assert "fresh/new_pb2.py" in text


def test_only_generated_files_are_compared(tmp_path: Path) -> None:
    """Caches beside the code do not count."""
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"\0\xff")
    (tmp_path / "a_pb2.pyi").write_text("x: int\n")
    assert tree(tmp_path) == {"a_pb2.pyi": "x: int\n"}
