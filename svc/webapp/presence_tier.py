"""Presence as the presence tier knows it: each user's state is asked of the server that owns it on the ring."""

from __future__ import annotations

from discovery.stubs import RetryPolicy, StubPools
from parley.presence.v1 import presence_service_pb2 as pb
from parley.presence.v1.presence_service_pb2_grpc import PresenceServiceStub
from svc.webapp.domain.presence import Presence

TIER = "presence"

ANSWER_S = 0.5
"""A server answers in under a millisecond; beyond this, a dot beside a name is better shown as away than waited for."""

_RETRY = RetryPolicy(attempts_max=2, attempt_timeout_s=0.25)


class PresenceTier:
    """A PresenceSource over the stub pools. The ring must be followed before the first call."""

    def __init__(self, pools: StubPools) -> None:
        self._pools = pools

    async def presence(self, user_id: str) -> Presence:
        """Return one user's state. Raises ParleyError when its owner cannot be asked."""
        answer = await self._pools.call_owner(
            TIER,
            user_id,
            PresenceServiceStub,
            lambda stub: stub.GetPresence,
            pb.GetPresenceRequest(user_ids=[user_id]),
            timeout_s=ANSWER_S,
            retry=_RETRY,
        )
        if not answer.users:
            return Presence()
        found = answer.users[0]
        return Presence(
            is_active=found.presence == pb.PRESENCE_ACTIVE,
            connection_count=found.connection_count,
            last_activity_s=found.last_activity_unix_s,
        )
