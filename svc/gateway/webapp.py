"""What the gateway asks of webapp on behalf of sessions; found through Consul, own zone first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from discovery.stubs import NO_RETRY, RetryPolicy, StubPools
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.feed.discovered import WebappLog
from svc.feed.filler import LogReader

POST_TIMEOUT_S = 3.5
"""Clients take an acknowledgement that comes after 4 s for a dead connection."""

POST_RETRY = RetryPolicy(attempts_max=3)
"""Only for posts with a client_msg_id: the same key in the same channel gives the same message."""

SUBSCRIPTIONS_TIMEOUT_S = 3.0
SUBSCRIPTIONS_RETRY = RetryPolicy(attempts_max=3, attempt_timeout_s=1.5)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What a user's sessions begin with."""

    heads: Sequence[tuple[str, int]]
    """The (channel, head offset) to follow."""
    is_away_by_hand: bool = False
    """Whether the user set itself away, as of the head of its own channel or later."""

    def head(self, channel_id: str) -> int:
        """Return the head of a channel; 0 when it is not followed. Looks through all before it; the own is first."""
        return next((offset for each, offset in self.heads if each == channel_id), 0)


class Webapp(LogReader, Protocol):
    """The calls of the gateway. All raise ParleyError."""

    async def subscriptions(self, team_id: str, user_id: str, token_prefix: bytes = b"") -> Subscriptions:
        """Return what a user's sessions follow. Raises NotFoundError for no such user, and UnauthenticatedError when
        the token behind the session is valid no longer.
        """
        ...

    async def post(self, request: pb.PostMessageRequest) -> pb.PostMessageResponse:
        """Post a message; a refusal by the rules is an answer with `error` set."""
        ...


def subscriptions_of(answer: pb.ListSubscriptionsResponse) -> Subscriptions:
    """Read the answer of webapp."""
    return Subscriptions([(head.channel_id, head.offset) for head in answer.heads], answer.is_away_by_hand)


class RemoteWebapp(WebappLog):
    """Webapps of the mesh."""

    def __init__(self, pools: StubPools) -> None:
        """Call webapps through `pools`, which must follow the tier."""
        super().__init__(pools)
        self._webapps = pools

    async def subscriptions(self, team_id: str, user_id: str, token_prefix: bytes = b"") -> Subscriptions:
        """See Webapp."""
        answer = await self._webapps.call(
            "webapp",
            WebappServiceStub,
            lambda stub: stub.ListSubscriptions,
            pb.ListSubscriptionsRequest(team_id=team_id, user_id=user_id, token_prefix=token_prefix),
            timeout_s=SUBSCRIPTIONS_TIMEOUT_S,
            retry=SUBSCRIPTIONS_RETRY,
        )
        return subscriptions_of(answer)

    async def post(self, request: pb.PostMessageRequest) -> pb.PostMessageResponse:
        """See Webapp."""
        return await self._webapps.call(
            "webapp",
            WebappServiceStub,
            lambda stub: stub.PostMessage,
            request,
            timeout_s=POST_TIMEOUT_S,
            retry=POST_RETRY if request.client_msg_id else NO_RETRY,
        )
