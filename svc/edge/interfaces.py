"""What the servicer asks of its neighbours in the same process; main.py plugs them in, tests their twins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as pb


class Activity(Protocol):
    """How far conversations have come (conversations/activity.py)."""

    @property
    def followed_count(self) -> int:
        """Conversations whose activity is held and followed."""
        ...

    async def activities(self, channel_ids: Sequence[str]) -> Sequence[boot.ConversationActivity]:
        """Return one entry for each channel, in the same order; never changed afterwards by who gets it.

        Does not suspend when all are held. Raises UnavailableError for a channel whose owner is not heard, and while
        the webapp cannot be asked about unknown ones.
        """
        ...


class Members(Protocol):
    """Who is in conversations (conversations/members.py)."""

    async def page(
        self, team_id: str, user_id: str, channel_id: str, after_user_id: str, limit: int, *, is_public: bool
    ) -> pb.ListMembersResponse:
        """Return the members above `after_user_id`, at most `limit` (1 to 1,000), in order of id.

        `is_public`: the model holds the channel, so anyone of the workspace may ask; otherwise raises NotFoundError
        unless `user_id` is a member. Raises UnavailableError when the conversation's owner is not heard.
        """
        ...


class Freshness(Protocol):
    """Whether changes of a followed channel would have been heard (svc.feed)."""

    def check(self, channel_id: str) -> None:
        """Raise UnavailableError when an answer from what was heard of the channel may be wrong.

        That is: its owner was not heard for too long, or the feed is not level with it yet.
        """
        ...

    async def level(self, channel_id: str, timeout_s: float) -> None:
        """Wait until `check` passes; at once, without suspending, when it does now. For a channel followed just now.

        Raises UnavailableError after `timeout_s` seconds.
        """
        ...
