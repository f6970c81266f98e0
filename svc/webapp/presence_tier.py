"""Presence as the presence tier knows it: each user's state is asked of the server that owns it on the ring."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from discovery.stubs import RetryPolicy, StubPools
from parley.presence.v1 import presence_service_pb2 as pb
from parley.presence.v1.presence_service_pb2_grpc import PresenceServiceStub
from svc.kit.errors import ParleyError
from svc.webapp.domain.people.presence import Presence

log = logging.getLogger(__name__)

TIER = "presence"
USERS_MAX = 500
"""Of one question; the contract's."""

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

    async def active_among(self, user_ids: Sequence[str]) -> Collection[str]:
        """Return those of the users that are active; those whose owner cannot be asked count as away."""
        try:
            by_owner: dict[str, list[str]] = {}
            for user_id in user_ids:
                by_owner.setdefault(self._pools.pick_owner(TIER, user_id).id, []).append(user_id)
        except ParleyError as error:
            log.debug("presence cannot be asked, answering away: %s", error)
            return ()
        asked = [each[i : i + USERS_MAX] for each in by_owner.values() for i in range(0, len(each), USERS_MAX)]
        active: set[str] = set()
        for found in await asyncio.gather(*map(self._active_at_one, asked)):
            active.update(found)
        return active

    async def _active_at_one(self, user_ids: Sequence[str]) -> Collection[str]:
        """Return the active ones of users that have the same owner."""
        try:
            answer = await self._pools.call_owner(
                TIER,
                user_ids[0],
                PresenceServiceStub,
                lambda stub: stub.GetPresence,
                pb.GetPresenceRequest(user_ids=user_ids),
                timeout_s=ANSWER_S,
                retry=_RETRY,
            )
        except ParleyError as error:
            log.debug("presence cannot be asked, answering away: %s", error)
            return ()
        return [each.user_id for each in answer.users if each.presence == pb.PRESENCE_ACTIVE]
