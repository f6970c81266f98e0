"""What gateways and other webapps ask of the owner of an app; the servicer hands both calls on to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.errors import NotOwnerError

__all__ = ["AppCalls", "NoApps"]


class AppCalls(Protocol):
    """The owner of some apps, as its callers see it. Both raise NotOwnerError for an app of another webapp."""

    def stream(self, requests: AsyncIterator[pb.AppStreamRequest], context: Any) -> AsyncIterator[pb.AppStreamResponse]:
        """See WebappService.AppStream. `context`: of the gRPC call."""
        ...

    async def deliver(self, request: pb.DeliverToAppRequest) -> pb.DeliverToAppResponse:
        """See WebappService.DeliverToApp."""
        ...


class NoApps:
    """A webapp that owns no app (see AppCalls)."""

    def stream(self, requests: AsyncIterator[pb.AppStreamRequest], context: Any) -> AsyncIterator[pb.AppStreamResponse]:
        """See AppCalls."""
        raise NotOwnerError("this webapp owns no app")

    async def deliver(self, request: pb.DeliverToAppRequest) -> pb.DeliverToAppResponse:
        """See AppCalls."""
        raise NotOwnerError("this webapp owns no app")
