"""The index, as search instances hold it: any of them can be asked, the own zone's first."""

from __future__ import annotations

from discovery.stubs import RetryPolicy, StubPools
from parley.search.v1 import search_service_pb2 as pb
from parley.search.v1.search_service_pb2_grpc import SearchServiceStub

__all__ = ["SearchTier"]

TIER = "search"
ANSWER_S = 3.0
"""An answer takes some milliseconds; a person who searches waits this long, and then reads that it does not work."""

_RETRY = RetryPolicy(attempts_max=2, attempt_timeout_s=1.5)
"""Questions change nothing, so another instance may be asked."""


class SearchTier:
    """A MessageIndex over the stub pools. The tier must be watched before the first call."""

    def __init__(self, pools: StubPools) -> None:
        self._pools = pools

    async def search(self, request: pb.SearchRequest) -> pb.SearchResponse:
        """See MessageIndex."""
        return await self._pools.call(
            TIER, SearchServiceStub, lambda stub: stub.Search, request, timeout_s=ANSWER_S, retry=_RETRY
        )
