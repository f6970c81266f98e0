"""Which user a server should run as when we are root."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path


def unprivileged(candidates: Sequence[str], paths: Sequence[Path]) -> str:
    """Return the first existing user of `candidates` who can reach all of `paths`; "" stands for ourselves.

    Ourselves is right when we are not root, and when the project lies under a folder that only root may enter (as in
    /root): a server that cannot open its own program or data helps nobody.
    """
    if os.geteuid() != 0 or not all(_is_open_to_all(path) for path in paths):
        return ""
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in candidates if name in accounts), "")


def _is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents if folder.exists())


def owner(path: Path) -> str | None:
    """Return who owns `path`: a user name, "" for ourselves, None when it does not exist."""
    try:
        uid = path.stat().st_uid
    except OSError:
        return None
    return "" if uid == os.geteuid() else pwd.getpwuid(uid).pw_name
