"""What is remembered about finished steps of a set-up."""

from __future__ import annotations

from pathlib import Path

from ops.setup import stamps

INPUTS = {"requirements.txt": b"click==8\n", "root": b"/srv/parley\n"}


def test_a_written_stamp_is_fresh_for_the_same_inputs_only(tmp_path: Path) -> None:
    """Any changed byte means that the step has to be done again."""
    stamp = tmp_path / "stamp"
    assert not stamps.is_fresh(stamp, INPUTS)
    stamps.write(stamp, INPUTS)
    assert stamps.is_fresh(stamp, INPUTS)
    assert not stamps.is_fresh(stamp, {**INPUTS, "requirements.txt": b"click==9\n"})


def test_a_stamp_that_lacks_a_new_input_is_stale(tmp_path: Path) -> None:
    """A step that learns to look at one more file is redone."""
    stamps.write(tmp_path / "stamp", INPUTS)
    assert not stamps.is_fresh(tmp_path / "stamp", {**INPUTS, "more": b""})


def test_writing_replaces_the_old_stamp_whole(tmp_path: Path) -> None:
    """Nothing of an earlier stamp is left to be compared with."""
    stamp = tmp_path / "stamp"
    stamps.write(stamp, INPUTS)
    stamps.write(stamp, {"root": b"elsewhere\n"})
    assert sorted(file.name for file in stamp.iterdir()) == ["root"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["stamp"]


def test_a_cleared_stamp_is_stale(tmp_path: Path) -> None:
    """Redoing begins by forgetting, so that a crash on the way leaves no false memory."""
    stamps.write(tmp_path / "stamp", INPUTS)
    stamps.clear(tmp_path / "stamp")
    assert not stamps.is_fresh(tmp_path / "stamp", INPUTS)
