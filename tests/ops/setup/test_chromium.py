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


def test_a_machine_without_a_browser_gets_debians_once(tmp_path: Path) -> None:
    """With the font of emoji; and nothing is asked for twice."""
    apt = FakeApt(tmp_path)
    assert ensure(tmp_path, apt) == [PACKAGES]
    with_emoji(tmp_path)
    assert ensure(tmp_path, apt) == [PACKAGES]


def test_a_browser_of_the_machines_own_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the font is brought; and where that fails the set-up goes on."""
    monkeypatch.setattr("ops.setup.chromium.is_debian", lambda: True)
    monkeypatch.setattr("ops.setup.chromium.root_prefix", list)
    apt = FakeApt(tmp_path)
    apt.program.touch()
    assert ensure(tmp_path, apt) == [PACKAGES[1:]]
    failing = FakeApt(tmp_path, fails=True)
    assert ensure(tmp_path, failing) == []


@pytest.mark.parametrize("how", [{"fails": True}, {"brings": False}])
def test_a_machine_that_cannot_have_one_is_told(tmp_path: Path, how: dict[str, bool]) -> None:
    """Tests in the browser are not skipped in silence."""
    with pytest.raises(SetupError, match="Chromium"):
        ensure(tmp_path, FakeApt(tmp_path, **how))
