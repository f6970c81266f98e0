"""Chromium, which the tests of the web client and its benchmark drive: the machine's own, else Debian's by apt.

`bench.web_browser` knows how it is started. Emoji need a font of their own; without one they are boxes in screenshots,
and nothing else is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ops.setup.binaries import find_program
from ops.setup.console import Console, SetupError
from ops.setup.debian import Apt
from ops.setup.platforms import install_commands, is_debian, root_prefix

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-color-emoji")
FONTS = Path("/usr/share/fonts")

Find = Callable[[], Path | None]


def find_chromium() -> Path | None:
    """Return the browser of this machine; None when it has none."""
    return find_program(NAMES)


def can_be_installed() -> bool:
    """Say whether Chromium can be put on this machine from here: then tests in it are not left out."""
    return is_debian() and root_prefix() is not None


def ensure_chromium(apt: Apt, console: Console, find: Find = find_chromium, fonts: Path = FONTS) -> None:
    """Install what is missing; where that cannot be done from here, say so and what it costs.

    Raises SetupError where it could be installed, and was not: an archive that does not answer is no reason to skip.
    """
    by_hand = install_commands(["Chromium"])
    if find() is not None:
        if not _has_emoji(fonts) and can_be_installed():
            _add_emoji(apt, console)
        return
    if not can_be_installed():
        console.note(f"left out, and so are the tests in the browser: there is no Chromium here ({'; '.join(by_hand)})")
        return
    console.begin("Chromium")
    apt.install(PACKAGES, "Chromium is missing, and tests in the browser need it.", by_hand)
    found = find()
    if found is None:
        raise SetupError("Chromium was installed, yet it is not on PATH.", by_hand)
    console.done(str(found))


def _add_emoji(apt: Apt, console: Console) -> None:
    console.begin("a font with emoji")
    try:
        apt.install(PACKAGES[1:], "Screenshots show boxes for emoji.", [])
    except SetupError as failed:
        console.note(f"left out: {str(failed).splitlines()[0]}")
        return
    console.done(PACKAGES[1])


def _has_emoji(fonts: Path) -> bool:
    return any("emoji" in font.name.lower() for font in fonts.rglob("*.ttf"))
