"""What opens the demo workspace, as a mesh's folder keeps it. Apart from `demo`, so that it is read quickly."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "demo.json"
"""In the mesh's folder, for its owner alone: tokens are stored hashed, so this is the only place that has them."""


@dataclass(frozen=True, slots=True)
class DemoInfo:
    """What a person needs to try the demo; `users` are (name, user id, token), people first, the bot last."""

    workspace: str
    team_id: str
    channel_id: str
    """#general."""
    users: tuple[tuple[str, str, str], ...]


def load(var: Path) -> DemoInfo | None:
    """Return what an earlier start kept; None when there is nothing usable."""
    try:
        kept = json.loads((var / FILE).read_text())
        users = tuple((str(name), str(user_id), str(token)) for name, user_id, token in kept["users"])
        return DemoInfo(str(kept["workspace"]), str(kept["team_id"]), str(kept["channel_id"]), users)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(var: Path, info: DemoInfo) -> None:
    """Keep it in one step, readable by its owner alone."""
    half = var / f"{FILE}.half"
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(json.dumps(asdict(info), indent=2) + "\n")
    half.rename(var / FILE)
