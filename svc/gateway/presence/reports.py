"""Lines to the presence servers: our users' sessions and our clients' interests go up, changes come down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from discovery.ring import Ring
from discovery.ring_watcher import RingWatcher
from discovery.stubs import StubPools
from parley.presence.v1 import presence_service_pb2 as pb
from parley.presence.v1.presence_service_pb2_grpc import PresenceServiceStub
from svc.feed.feed import Subscriber
from svc.feed.lines import Line, Lines, Stream, lines_of
from svc.gateway import frames
from svc.gateway.presence.attendance import Sessions
from svc.gateway.presence.idleness import Idleness
from svc.gateway.presence.interests import Interests
from svc.gateway.sockets import Connection
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks, background

QUERY_TIMEOUT_S = 2.0
TICK_S = 0.25
"""Between looks at whose time has come: a client hears of somebody idle so much later."""

REST_S = 0.05
"""Between two reports to a server: where a crowd comes back, one tells of many. Nobody sees so little of a delay."""

BATCH_FLAG = "batch_presence_aware"

ReportStream = Stream[pb.ReportRequest, pb.ReportResponse]
ReportLine = Line[pb.ReportRequest, pb.ReportResponse]

log = logging.getLogger(__name__)


class PresenceServers(Protocol):
    """The presence tier."""

    def report(self, server_id: str) -> ReportStream:
        """Open a Report stream. Raises LookupError when the server is not there."""
        ...

    async def states(self, user_ids: Sequence[str], team_id: str) -> Mapping[str, bool]:
        """Return which of at most 500 users are active in a workspace, but for servers that do not answer.

        Raises ParleyError.
        """
        ...


class _ReportEnd:
    """Our end of the line to one presence server (see lines.LineEnd)."""

    def __init__(self, server_id: str, hello: pb.Hello, presence: Presence) -> None:
        self._server_id = server_id
        self._hello = hello
        self._presence = presence
        self._lease_s = 3.0

    @property
    def heartbeat_s(self) -> float:
        """A third of the lease: two heartbeats may be late."""
        return self._lease_s / 3

    def hello(self) -> pb.ReportRequest:
        return pb.ReportRequest(hello=self._hello)

    def opened(self, first: pb.ReportResponse) -> None:
        if first.lease.lease_ms:
            self._lease_s = first.lease.lease_ms / 1000
        self._presence.interests.server_up(self._server_id)

    def received(self, response: pb.ReportResponse) -> None:
        if response.WhichOneof("frame") == "changes":
            states = [
                (user.user_id, user.presence == pb.PRESENCE_ACTIVE, user.team_id) for user in response.changes.users
            ]
            self._presence.tell(self._presence.interests.changed(self._server_id, states))

    def outgoing(self) -> Iterator[pb.ReportRequest]:
        is_silent = True
        for report in self._presence.interests.flush(self._server_id):
            is_silent = False
            if report.users:
                yield pb.ReportRequest(connections=pb.Connections(users=map(_user_connections, report.users)))
            if report.added or report.removed:
                watch = pb.Watch(added_user_ids=report.added, removed_user_ids=report.removed)
                yield pb.ReportRequest(watch=watch)
        if is_silent:
            yield pb.ReportRequest(heartbeat=pb.Heartbeat())

    def closed(self) -> None:
        self._presence.interests.server_down(self._server_id)


def _user_connections(user: Sessions) -> pb.UserConnections:
    return pb.UserConnections(
        user_id=user.user_id,
        count=user.count,
        idle_count=user.idle_count,
        is_away_by_hand=user.is_away_by_hand,
        away_offset=user.away_offset,
        team_id=user.team_id,
    )


class Presence:
    """Presence for the connections of this gateway. While its tier is away, clients simply hear of no changes."""

    def __init__(
        self, subscriber: Subscriber, servers: PresenceServers, tasks: Tasks, clock: Clock, idle_s: float
    ) -> None:
        """Report as `subscriber`; queries run in `tasks`. Who does nothing for `idle_s` seconds is idle; bots never."""
        self.interests: Interests[Connection] = Interests()
        self._idleness: Idleness[Connection] = Idleness(idle_s, lambda each: each.active_at, clock.now())
        self._hello = pb.Hello(gateway_id=subscriber.instance_id, zone=subscriber.zone)
        self._servers = servers
        self._tasks = tasks
        self._clock = clock
        self._lines: Lines[pb.ReportRequest, pb.ReportResponse] | None = None

    def connected(self, connection: Connection) -> None:
        """Count a session; presence hears of it when `set_away` says what its user said of itself, or soon."""
        self.interests.connected(connection.user_id, self._clock.now(), connection.team_id)
        if not connection.ticket.bot_id:
            self._idleness.enter(connection)
        self._speak()

    def disconnected(self, connection: Connection) -> None:
        """Forget a session and what it looked at."""
        self._idleness.leave(connection)
        self.interests.look(connection, ())
        self.interests.disconnected(connection.user_id, connection.is_idle)
        self._speak()

    def set_away(self, user_id: str, is_away: bool, offset: int) -> None:
        """Take a user's word of being away by hand, as of an offset of its channel; old ones do no harm."""
        self.interests.heard(user_id, is_away, offset)
        self._speak()

    def stirred(self, connection: Connection) -> None:
        """An idle connection's client has done something."""
        connection.is_idle = False
        self._idleness.enter(connection)
        self.interests.idled(connection.user_id, -1)
        self._speak()

    def subscribe(self, connection: Connection, user_ids: Sequence[str]) -> None:
        """Replace what a connection looks at; its states follow, those known here at once."""
        self.tell({connection: self.interests.look(connection, user_ids, connection.team_id)})
        self._speak()

    def query(self, connection: Connection, user_ids: Sequence[str]) -> None:
        """Tell a connection the states of users, once."""
        try:
            self._tasks.spawn(self._query(connection, user_ids), "presence query")
        except ResourceExhaustedError:
            log.warning("a presence query was dropped: too many at once")

    def tell(self, states: Mapping[Connection, Sequence[tuple[str, bool]]]) -> None:
        """Write presence changes to those who look."""
        encoded: dict[tuple[tuple[tuple[str, bool], ...], bool], list[bytes]] = {}
        for connection, changes in states.items():
            key = (tuple(changes), BATCH_FLAG in connection.ticket.flags)
            if key not in encoded:
                encoded[key] = frames.presence(*key)
            for frame in encoded[key]:
                connection.push(frame)

    def ring_changed(self, ring: Ring) -> None:
        """Go by this ring of presence servers; an empty one changes nothing."""
        if not ring.members:
            return
        self.interests.ring_changed(ring)
        if self._lines is not None:
            self._lines.members(ring.members)
        self._speak()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the lines open for the length of a block."""
        async with (
            lines_of(self._line, "presence lines") as self._lines,
            background("presence time", self._keep_time()),
        ):
            yield

    async def _keep_time(self) -> None:
        """Apply what is due, for ever: clients that have become idle, sessions that were held back."""
        while True:
            await self._clock.sleep(TICK_S)
            now = self._clock.now()
            for connection in self._idleness.due(now):
                connection.is_idle = True
                self.interests.idled(connection.user_id, 1)
            self.interests.due(now)
            self._speak()

    async def _query(self, connection: Connection, user_ids: Sequence[str]) -> None:
        try:
            states = await self._servers.states(user_ids, connection.team_id)
        except ParleyError as error:
            log.warning("presence of %d users could not be read: %s", len(user_ids), error)
            return
        self.tell({connection: [(user_id, states[user_id]) for user_id in user_ids if user_id in states]})

    def _line(self, server_id: str) -> ReportLine:
        end = _ReportEnd(server_id, self._hello, self)
        return Line(server_id, lambda: self._servers.report(server_id), end, self._clock, rest_s=REST_S)

    def _speak(self) -> None:
        if self._lines is not None:
            for server_id in self.interests.servers_with_news():
                self._lines.wake(server_id, may_rest=True)


class RemotePresence:
    """The presence servers of the mesh."""

    def __init__(self, pools: StubPools, ring: RingWatcher) -> None:
        """Find servers by `ring`, which `pools` must follow."""
        self._pools = pools
        self._ring = ring

    def report(self, server_id: str) -> ReportStream:
        """See PresenceServers."""
        instance = self._ring.instance(server_id)
        if instance is None:
            raise LookupError(f"{server_id} is not on the ring any more")
        return self._pools.stub(PresenceServiceStub, instance).Report()

    async def states(self, user_ids: Sequence[str], team_id: str) -> Mapping[str, bool]:
        """See PresenceServers."""
        by_owner: dict[str, list[str]] = {}
        for user_id in user_ids:
            by_owner.setdefault(self._ring.owner(user_id).id, []).append(user_id)
        answers = await asyncio.gather(*map(self._ask, by_owner.values()))
        found = [user for users in answers for user in users]
        return {user.user_id: user.presence == pb.PRESENCE_ACTIVE and user.team_id == team_id for user in found}

    async def _ask(self, user_ids: Sequence[str]) -> Sequence[pb.UserPresence]:
        """Ask the server that owns these users."""
        try:
            answer: pb.GetPresenceResponse = await self._pools.call_owner(
                "presence",
                user_ids[0],
                PresenceServiceStub,
                lambda stub: stub.GetPresence,
                pb.GetPresenceRequest(user_ids=user_ids),
                timeout_s=QUERY_TIMEOUT_S,
            )
        except ParleyError as error:
            log.warning("presence of %d users could not be read: %s", len(user_ids), error)
            return ()
        return answer.users
