"""What the Go examples need: unpacked once, by an apt that is not real, and done without where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.setup.console import Console, SetupError
from ops.setup.go_packages import FOLDER, PACKAGES, ensure_go_packages, environ, find_go, has_packages

COMPILER = ("golang-1.19-go", "golang-1.19-src")


class FakeApt:
    """Unpacks what such packages contain, or reaches nobody."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.unpacked: list[tuple[str, ...]] = []

    def unpack(self, packages: Sequence[str], into: Path) -> list[str]:
        """Do as the real one does."""
        self.unpacked.append(tuple(packages))
        if self.fails:
            raise SetupError("apt-get could not fetch them:\nno network")
        if PACKAGES[0] in packages:
            (into / "usr/share/gocode/src/github.com/slack-go/slack").mkdir(parents=True)
        if COMPILER[0] in packages:
            program = into / "usr/lib/go-1.19/bin/go"
            program.parent.mkdir(parents=True)
            program.touch()
        return ["golang-src", COMPILER[0]] if "golang-go" in packages else []


def ensure(root: Path, apt: FakeApt) -> list[tuple[str, ...]]:
    """Set up; return all that was unpacked so far."""
    ensure_go_packages(root, apt, Console(root / "log"))  # type: ignore[arg-type]
    return apt.unpacked


def test_a_machine_with_go_gets_the_packages_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own Go is used, and nothing is fetched twice."""
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/go")
    apt = FakeApt()
    assert ensure(tmp_path, apt) == ensure(tmp_path, apt) == [PACKAGES]
    assert find_go(tmp_path) == Path("/usr/bin/go")
    assert has_packages(tmp_path)
    assert "GOROOT" not in environ(tmp_path)


def test_a_machine_without_go_gets_debians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that `golang-go` stands for, which knows where it lies."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert ensure(tmp_path, FakeApt()) == [PACKAGES, ("golang-go",), COMPILER]
    assert find_go(tmp_path) == tmp_path / FOLDER / "usr/lib/go-1.19/bin/go"
    assert environ(tmp_path)["GOROOT"] == str(tmp_path / FOLDER / "usr/lib/go-1.19")


def test_a_machine_that_cannot_have_it_is_set_up_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and asked again the next time; nothing half-done is left."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    ensure(tmp_path, FakeApt(fails=True))
    assert "left out" in capsys.readouterr().err
    assert not has_packages(tmp_path)
    assert find_go(tmp_path) is None
    assert len(ensure(tmp_path, FakeApt())) == 3
