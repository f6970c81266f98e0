"""Lazy queries: asks the edge what a client asks, as the user whose ticket it came with, and answers over the socket.

Each query is a task of its own: answers come in the order in which the edge has them. A connection that closes cancels
its queries. An edge that is away costs an error that says so, within `query_timeout_s`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from parley.edge.v1 import edge_service_pb2 as pb
from svc.gateway import answers, frames
from svc.gateway.answers import RtmError
from svc.gateway.edge import Edges
from svc.gateway.lazy.queries import Query
from svc.gateway.prefetch.memory import fingerprint
from svc.gateway.sockets import Connection
from svc.kit.clock import Clock
from svc.kit.config import setting
from svc.kit.errors import (
    InvalidArgumentError,
    NotFoundError,
    ParleyError,
    PermissionDeniedError,
    ResourceExhaustedError,
)
from svc.kit.lifecycle import Tasks
from svc.shapes import lazy as shapes

NAP_S = 0.02
"""How often a connection that reads slowly is looked at before more is written to it."""

WARN_EVERY_S = 1.0
"""An edge that is away fails every query: one line a second says so."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LazyLimits:
    """How many queries may be under way, and for how long."""

    queries_open_max: int = setting(
        "PARLEY_GATEWAY_QUERIES_OPEN_MAX",
        default=8,
        minimum=1,
        help="lazy queries of one client that may be under way; with more, few clients fill the gateway's own limit",
    )
    queries_open_all_max: int = setting(
        "PARLEY_GATEWAY_QUERIES_OPEN_ALL_MAX",
        default=512,
        minimum=1,
        help="lazy queries of all clients that may be under way; each costs some 20 KB, an answer up to 600",
    )
    query_timeout_s: float = setting(
        "PARLEY_GATEWAY_QUERY_TIMEOUT_S",
        default=2.0,
        minimum=0.05,
        help="seconds until a lazy query without an answer gets service_unavailable; longer holds places that others "
        "may need",
    )


class Lazy:
    """The queries under way. A crash loses them, and their clients ask again."""

    def __init__(
        self, edges: Edges, tasks: Tasks, clock: Clock, rng: Random, limits: LazyLimits, output_bytes_max: int
    ) -> None:
        """Ask `edges` in `tasks`; `output_bytes_max` may wait for one connection, of which an answer takes a half."""
        self._edges = edges
        self._tasks = tasks
        self._clock = clock
        self._rng = rng
        self._limits = limits
        self._answer_bytes_max = output_bytes_max // 2
        self._pace_bytes = output_bytes_max // 4
        self._open: dict[Connection, set[asyncio.Task[None]]] = {}
        self._warned_at = float("-inf")
        self.open = 0
        """Queries under way."""
        self.asked = 0
        """Queries taken."""
        self.refused = 0
        """Queries beyond what may be under way."""
        self.failed = 0
        """Queries that the edge did not answer."""

    def ask(self, connection: Connection, query: Query) -> None:
        """Answer soon, or refuse at once."""
        own = self._open.get(connection)
        if own is not None and len(own) >= self._limits.queries_open_max:
            self._refuse(connection, query, RtmError.RATE_LIMITED, "too many queries at once")
            return
        if self.open >= self._limits.queries_open_all_max:
            self._refuse(connection, query, RtmError.UNAVAILABLE, "this gateway is busy")
            return
        try:
            task = self._tasks.spawn(self._answer(connection, query), "query")
        except ResourceExhaustedError:
            self._refuse(connection, query, RtmError.UNAVAILABLE, "this gateway is busy")
            return
        self.asked += 1
        self.open += 1
        self._open.setdefault(connection, set()).add(task)
        task.add_done_callback(lambda done: self._over(connection, done))

    def closed(self, connection: Connection) -> None:
        """Ask no longer for a connection that is gone."""
        for task in tuple(self._open.get(connection, ())):
            task.cancel()

    def _over(self, connection: Connection, task: asyncio.Task[None]) -> None:
        self.open -= 1
        own = self._open[connection]
        own.discard(task)
        if not own:
            del self._open[connection]

    def _refuse(self, connection: Connection, query: Query, kind: RtmError, hint: str) -> None:
        self.refused += 1
        connection.push(answers.error(query.reply_to, kind, retry_after=self._later(0.5), hint=hint))

    def _later(self, least_s: float) -> float:
        """Return when to ask again, in seconds, so that not everybody does at once."""
        return round(self._rng.uniform(1.0, 2.0) * least_s, 2)

    async def _answer(self, connection: Connection, query: Query) -> None:
        try:
            async with asyncio.timeout(self._limits.query_timeout_s):
                fields = await self._fields(connection, query)
                await self._room(connection)
        except (ParleyError, TimeoutError) as error:
            connection.push(self._failure(query, error))
            return
        connection.push(self._encoded(connection, query, fields))

    async def _fields(self, connection: Connection, query: Query) -> Mapping[str, Any]:
        request, timeout_s = query.request, self._limits.query_timeout_s
        request.team_id, now_s = connection.team_id, self._clock.wall_us() / 1_000_000
        if isinstance(request, pb.GetObjectsRequest):
            objects = await self._objects(connection, request, timeout_s)
            fields = shapes.objects_answer(objects, now_s=now_s, joined=connection.channels)
            fields["unknown"] += query.unknown
            return fields
        if isinstance(request, pb.SearchRequest):
            request.user_id = connection.user_id
            found = await self._edges.search(request, timeout_s)
            _meet(connection, [user.id for user in found.users])
            return shapes.search_answer(found, now_s=now_s, joined=connection.channels)
        if isinstance(request, pb.ListMembersRequest):
            request.user_id = connection.user_id
            page = await self._edges.members(request, timeout_s)
            cursor = page.user_ids[-1] if page.has_more and page.user_ids else ""
            return shapes.members_answer(page.user_ids, page.total_count, cursor)
        return shapes.emoji_answer(await self._edges.emoji(request, timeout_s))

    async def _objects(
        self, connection: Connection, request: pb.GetObjectsRequest, timeout_s: float
    ) -> pb.GetObjectsResponse:
        if not request.objects:
            return pb.GetObjectsResponse()
        answer = await self._edges.objects(request, timeout_s)
        unknown = frozenset(answer.unknown_ids)
        _meet(connection, [each.id for each in request.objects if each.id not in unknown])
        return answer

    async def _room(self, connection: Connection) -> None:
        """Wait until a connection has read most of what is there for it: an answer is no reason to cut it off."""
        while connection.unwritten_bytes > self._pace_bytes and not connection.is_closing:
            await self._clock.sleep(NAP_S)

    def _encoded(self, connection: Connection, query: Query, fields: Mapping[str, Any]) -> bytes:
        frame = answers.answered(query.reply_to, fields)
        if len(frame) <= self._answer_bytes_max:
            return frame
        if isinstance(query.request, pb.GetObjectsRequest):
            return answers.answered(query.reply_to, _what_fits(fields, self._answer_bytes_max))
        return answers.error(query.reply_to, RtmError.TOO_LARGE, hint=f"over HTTP it is not: {_twin(query)}")

    def _failure(self, query: Query, error: ParleyError | TimeoutError) -> bytes:
        if isinstance(error, NotFoundError | PermissionDeniedError) and isinstance(
            query.request, pb.ListMembersRequest
        ):
            return answers.error(query.reply_to, RtmError.NO_CHANNEL)
        if isinstance(error, InvalidArgumentError):
            return answers.error(query.reply_to, RtmError.INVALID, hint=error.message)
        self.failed += 1
        now = self._clock.now()
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            log.warning("a lazy query (%s) failed: %r; %d so far", _twin(query), error, self.failed)
        hint = f"ask again, or over HTTP: {_twin(query)}"
        return answers.error(query.reply_to, RtmError.UNAVAILABLE, retry_after=self._later(1.0), hint=hint)


def _meet(connection: Connection, user_ids: Sequence[str]) -> None:
    """Remember that a client has these users."""
    if connection.met is not None:
        for user_id in user_ids:
            connection.met.add(fingerprint(user_id))


def _twin(query: Query) -> str:
    """Return the Web API method that answers the same."""
    twins = {
        pb.GetObjectsRequest: "client.objects",
        pb.SearchRequest: "client.search",
        pb.ListMembersRequest: "client.members",
        pb.ListEmojiRequest: "client.emoji",
    }
    return twins[type(query.request)]


def _what_fits(fields: Mapping[str, Any], bytes_max: int) -> dict[str, Any]:
    """Return as many objects as fit, and the ids of the others as `more`, to be asked for again."""
    room = bytes_max - len(frames.json_frame({**fields, "users": [], "channels": []})) - 500 * 16
    kept: dict[str, list[Any]] = {"users": [], "channels": []}
    more = []
    for kind, objects in kept.items():
        for each in fields[kind]:
            room -= len(orjson.dumps(each)) + 1
            if room >= 0:
                objects.append(each)
            else:
                more.append(each["id"])
    return {**fields, **kept, "more": more}
