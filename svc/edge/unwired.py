"""Stand-ins for the parts of an edge that are not plugged in: they refuse, and callers do without the edge."""

from __future__ import annotations

from collections.abc import Sequence

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as pb
from svc.kit.errors import UnavailableError


class NoActivity:
    """See interfaces.Activity."""

    followed_count = 0

    async def activities(self, channel_ids: Sequence[str]) -> Sequence[boot.ConversationActivity]:
        """Refuse, unless nothing is asked."""
        if channel_ids:
            raise UnavailableError("this edge follows no conversations")
        return ()


class NoMembers:
    """See interfaces.Members."""

    async def page(
        self, team_id: str, user_id: str, channel_id: str, after_user_id: str, limit: int, *, is_public: bool
    ) -> pb.ListMembersResponse:
        """Refuse."""
        raise UnavailableError("this edge holds no members")


class NoDoubt:
    """See interfaces.Freshness."""

    def check(self, channel_id: str) -> None:
        """Doubt nothing."""

    async def level(self, channel_id: str, timeout_s: float) -> None:
        """Wait for nothing."""
