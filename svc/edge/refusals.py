"""Pure: workspaces that cannot be loaded, whatever is tried: too large, or a defect of ours.

Who asks is refused with the same error at once, and does without an edge, until it is time to try again: a second after
the first failure, twice as long after each further one, up to `RETRY_MAX_S`. A load of a workspace that is too large
costs the webapp seconds, and everybody who boots would ask for one.
"""

from __future__ import annotations

from svc.kit.errors import ParleyError

RETRY_MIN_S = 1.0
RETRY_MAX_S = 60.0
"""Time between loads in vain; for so long a workspace that shrank goes without its edge."""
HELD_MAX = 10_000
"""Workspaces remembered; the one that failed longest ago is forgotten first."""


class Refusals:
    """Why workspaces are not loaded, and until when. Lost with the process."""

    def __init__(self) -> None:
        """Refuse nothing yet."""
        self._held: dict[str, tuple[float, float, ParleyError]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def check(self, team_id: str, now: float) -> None:
        """Raise what the last load failed with, while it is too early for the next."""
        held = self._held.get(team_id)
        if held is not None and now < held[0]:
            raise held[2].with_traceback(None)  # or each time that it is raised would be remembered in it

    def failed(self, team_id: str, error: ParleyError, now: float) -> bool:
        """Remember a failure; return whether it is the first of its kind, to be spoken of."""
        before = self._held.pop(team_id, None)
        if len(self._held) >= HELD_MAX:
            del self._held[next(iter(self._held))]
        wait_s = RETRY_MIN_S if before is None else min(2 * before[1], RETRY_MAX_S)
        self._held[team_id] = (now + wait_s, wait_s, error)
        return before is None or type(before[2]) is not type(error)

    def loaded(self, team_id: str) -> None:
        """Forget what was wrong with a workspace."""
        self._held.pop(team_id, None)
