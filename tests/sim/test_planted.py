"""The simulation sees: each planted defect is found within a bounded number of seeds, and without it they are clean."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.sim.many import Order, Report, play
from tests.sim.planted import PLANTED, Planted

pytestmark = pytest.mark.timeout(600)  # 30 s for the shyest; a busy machine may take its time

ROOT = Path(__file__).parents[2]
PACKAGES = ("svc", "discovery", "ops", "client", "proto/gen")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of everything that a simulated mesh is made of, compiled files included."""
    folder = tmp_path_factory.mktemp("sim") / "whole"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    yield folder
    shutil.rmtree(folder.parent)


def planted(copy: Path, patch: Planted) -> Path:
    """Return a copy of the copy with the files of a patch changed; the others are links."""
    folder = copy.parent / patch.name.replace(" ", "-")
    shutil.copytree(copy, folder, copy_function=os.link)
    for file, old, new in patch.edits:
        text = (copy / file).read_text()
        assert text.count(old) == 1, f"{file} has changed: this patch fits {text.count(old)} times"
        (folder / file).unlink()
        (folder / file).write_text(text.replace(old, new))
    return folder


def played(folder: Path, count: int) -> Report:
    """Play seeds on the code in a folder, up to the first violation."""
    path = os.pathsep.join(str(folder / package) for package in ("", "proto/gen", "client"))
    report = play(Order(1, count, stops=True, cwd=folder, python_path=path))
    assert not report.errors, report.errors[0]
    return report


def test_the_copy_itself_is_clean(copy: Path) -> None:
    """What is found below is found because of the patch."""
    report = played(copy, 100)
    assert report.is_clean, report.failures
    assert report.played == 100


@pytest.mark.parametrize("patch", PLANTED, ids=lambda patch: patch.name)
def test_a_planted_defect_is_found(copy: Path, patch: Planted) -> None:
    """A simulation that lets one of these pass proves nothing."""
    report = played(planted(copy, patch), patch.seeds)
    assert report.failures, f"{report.played} seeds passed although {patch.why}"
