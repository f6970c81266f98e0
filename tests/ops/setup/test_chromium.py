"""Where Chromium is taken from, decided with an apt that is not real."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.setup.chromium import PACKAGES, ensure_chromium
from ops.setup.console import Console, SetupError


class FakeApt:
    """Installs a browser into a folder, or reaches nobody."""

    def __init__(self, folder: Path, *, brings: bool = True, fails: bool = False) -> None:
        self.program = folder / "chromium"
        self.brings = brings
        self.fails = fails
        self.installed: list[tuple[str, ...]] = []

    def install(self, packages: Sequence[str], reason: str, by_hand: Sequence[str]) -> None:
        """Do as the real one does."""
        if self.fails:
            raise SetupError(f"{reason} apt-get failed", by_hand)
        self.installed.append(tuple(packages))
        if self.brings:
            self.program.touch()

    def find(self) -> Path | None:
        """Return the browser, once it is there."""
        return self.program if self.program.exists() else None


def ensure(root: Path, apt: FakeApt) -> list[tuple[str, ...]]:
    """Set up; return all that was installed so far."""
    ensure_chromium(apt, Console(root / "log"), apt.find, root / "fonts")  # type: ignore[arg-type]
    return apt.installed


def with_emoji(root: Path) -> None:
    """Have a font with emoji in it."""
    (root / "fonts" / "truetype").mkdir(parents=True)
    (root / "fonts" / "truetype" / "NotoColorEmoji.ttf").touch()


def test_a_machine_without_a_browser_gets_debians_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the font of emoji; and nothing is asked for twice."""
    monkeypatch.setattr("ops.setup.chromium.can_be_installed", lambda: True)
    apt = FakeApt(tmp_path)
    assert ensure(tmp_path, apt) == [PACKAGES]
    with_emoji(tmp_path)
    assert ensure(tmp_path, apt) == [PACKAGES]


def test_a_browser_of_the_machines_own_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the font is brought; and where that fails the set-up goes on."""
    monkeypatch.setattr("ops.setup.chromium.can_be_installed", lambda: True)
    apt = FakeApt(tmp_path)
    apt.program.touch()
    assert ensure(tmp_path, apt) == [PACKAGES[1:]]
    failing = FakeApt(tmp_path, fails=True)
    assert ensure(tmp_path, failing) == []


@pytest.mark.parametrize("how", [{"fails": True}, {"brings": False}])
def test_an_installation_that_fails_stops_the_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, bool]
) -> None:
    """Where one can be had, tests in the browser are not skipped."""
    monkeypatch.setattr("ops.setup.chromium.can_be_installed", lambda: True)
    with pytest.raises(SetupError, match="Chromium"):
        ensure(tmp_path, FakeApt(tmp_path, **how))


def test_a_machine_that_cannot_have_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left out is said, with what would bring it, and the set-up goes on."""
    monkeypatch.setattr("ops.setup.chromium.can_be_installed", lambda: False)
    assert ensure(tmp_path, FakeApt(tmp_path)) == []
    said = capsys.readouterr()
    assert "tests in the browser: there is no Chromium here" in said.out + said.err
