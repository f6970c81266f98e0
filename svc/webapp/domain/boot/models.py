"""Where workspaces' models are had from: an edge that holds them, or else the rows that they are made of.

All speak the edge's contract, so that an answer is the same whoever gives it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn, Protocol, TypeVar

from opentelemetry import metrics

from parley.edge.v1 import edge_service_pb2 as edge
from svc.kit.clock import Clock
from svc.kit.errors import InvalidArgumentError, ParleyError, UnavailableError
from svc.kit.tally import Tally

__all__ = ["EdgeFirst", "Models", "NoEdge"]

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")
NoteBoot = Callable[[bool, float], None]


class Models(Protocol):
    """The edge's queries. Methods raise ParleyError; what they mean is said in edge_service.proto."""

    async def boot(self, request: edge.BootRequest) -> edge.BootResponse:
        """Return what a client needs first of the workspace."""
        ...

    async def objects(self, request: edge.GetObjectsRequest) -> edge.GetObjectsResponse:
        """Return users and public channels by id."""
        ...

    async def search(self, request: edge.SearchRequest) -> edge.SearchResponse:
        """Return users and public channels by the beginning of a name."""
        ...

    async def members(self, request: edge.ListMembersRequest) -> edge.ListMembersResponse:
        """Return a page of a conversation's members."""
        ...

    async def emoji(self, request: edge.ListEmojiRequest) -> edge.ListEmojiResponse:
        """Return the custom emoji."""
        ...

    def model(self, request: edge.ReadModelRequest) -> AsyncIterator[edge.ReadModelResponse]:
        """Yield the whole model, part by part."""
        ...


class NoEdge:
    """Models where there is no edge: every query is UnavailableError."""

    async def boot(self, request: edge.BootRequest) -> edge.BootResponse:
        """See Models."""
        _refuse()

    async def objects(self, request: edge.GetObjectsRequest) -> edge.GetObjectsResponse:
        """See Models."""
        _refuse()

    async def search(self, request: edge.SearchRequest) -> edge.SearchResponse:
        """See Models."""
        _refuse()

    async def members(self, request: edge.ListMembersRequest) -> edge.ListMembersResponse:
        """See Models."""
        _refuse()

    async def emoji(self, request: edge.ListEmojiRequest) -> edge.ListEmojiResponse:
        """See Models."""
        _refuse()

    def model(self, request: edge.ReadModelRequest) -> AsyncIterator[edge.ReadModelResponse]:
        """See Models."""
        _refuse()


def _refuse() -> NoReturn:
    raise UnavailableError("there is no edge")


class EdgeFirst:
    """Models of the edge while it answers; of `rows` when it does not, or does not vouch for what it holds."""

    def __init__(
        self, near: Models, rows: Models, clock: Clock, note_boot: NoteBoot = lambda by_edge, began: None
    ) -> None:
        """`note_boot` learns of each boot whether the edge served it, and when it began."""
        self._near = near
        self._rows = rows
        self._clock = clock
        self._note_boot = note_boot
        self._served = Tally(
            metrics.get_meter(__name__),
            "parley.webapp.models.served",
            ("kind", "by"),
            "queries of models, by kind and by whom they were served",
        )

    async def boot(self, request: edge.BootRequest) -> edge.BootResponse:
        """See Models."""
        began = self._clock.now()

        async def near() -> edge.BootResponse:
            answer = await self._near.boot(request)
            self._note_boot(True, began)
            return answer

        async def rows() -> edge.BootResponse:
            self._note_boot(False, began)
            return await self._rows.boot(request)

        return await self._first("boot", near, rows)

    async def objects(self, request: edge.GetObjectsRequest) -> edge.GetObjectsResponse:
        """See Models."""
        return await self._first("objects", lambda: self._near.objects(request), lambda: self._rows.objects(request))

    async def search(self, request: edge.SearchRequest) -> edge.SearchResponse:
        """See Models."""
        return await self._first("search", lambda: self._near.search(request), lambda: self._rows.search(request))

    async def members(self, request: edge.ListMembersRequest) -> edge.ListMembersResponse:
        """See Models."""
        return await self._first("members", lambda: self._near.members(request), lambda: self._rows.members(request))

    async def emoji(self, request: edge.ListEmojiRequest) -> edge.ListEmojiResponse:
        """See Models."""
        return await self._first("emoji", lambda: self._near.emoji(request), lambda: self._rows.emoji(request))

    async def model(self, request: edge.ReadModelRequest) -> AsyncIterator[edge.ReadModelResponse]:
        """See Models. When the edge breaks off, all of it comes again from the rows: a part that has a team begins
        anew.
        """
        try:
            async for part in self._near.model(request):
                yield part
        except ParleyError as error:
            self._note("model", error)
        else:
            self._served.add(1, "model", "edge")
            return
        async for part in self._rows.model(request):
            yield part

    async def _first(
        self, kind: str, near: Callable[[], Awaitable[_Answer]], rows: Callable[[], Awaitable[_Answer]]
    ) -> _Answer:
        try:
            answer = await near()
        except InvalidArgumentError:
            raise
        except ParleyError as error:
            # It may also lack what is new: whether there is such a thing, the rows know best.
            self._note(kind, error)
            return await rows()
        self._served.add(1, kind, "edge")
        return answer

    def _note(self, kind: str, error: ParleyError) -> None:
        self._served.add(1, kind, "rows")
        log.debug("the edge does not serve %s: %s", kind, error)
