"""Pure: which workspaces this edge answers for, by the ring that it holds."""

from __future__ import annotations

from discovery.ring import Ring
from svc.kit.errors import NotOwnerError


class Ownership:
    """The newest ring, seen from one instance. Set `ring` when it changes."""

    def __init__(self, instance_id: str, ring: Ring) -> None:
        self._instance_id = instance_id
        self.ring = ring

    def owns(self, team_id: str) -> bool:
        """Tell whether this edge holds the workspace; never while the ring is empty."""
        return bool(self.ring.members) and self.ring.owner(team_id) == self._instance_id

    def check(self, team_id: str) -> None:
        """Raise NotOwnerError, quoting the ring that says so, unless this edge holds the workspace."""
        if not self.owns(team_id):
            raise NotOwnerError(f"workspace {team_id} is held by another edge", ring_fingerprint=self.ring.fingerprint)
