"""The simulated gateways: the real feed, hub, sessions and connections, over streams and sockets of the simulation."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, cast

from discovery.view import Instance
from ops.sim.calls import call
from ops.sim.consul import Watch
from ops.sim.following import Following, attached
from ops.sim.lines import connect
from ops.sim.mesh import Mesh, Process
from ops.sim.sockets import Socket
from ops.sim.webapps import WebappProcess
from ops.sim.world import Host
from parley.event.v1 import event_pb2
from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.feed.feed import Feed, Subscriber
from svc.feed.filler import ChannelLog
from svc.feed.follower import HoldBudget
from svc.gateway import frames
from svc.gateway.apps.desk import AppDesk, AppLimits
from svc.gateway.apps.lines import AppStream
from svc.gateway.close_codes import CloseCode
from svc.gateway.desk import FrontDesk
from svc.gateway.door import Connections
from svc.gateway.edge import Edges
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.lazy.lazy import Lazy, LazyLimits
from svc.gateway.openings import Openings
from svc.gateway.posts import Posts
from svc.gateway.prefetch.prefetch import Prefetch, PrefetchLimits
from svc.gateway.presence.reports import Presence
from svc.gateway.return_tickets import ReturnLimits, ReturnTickets
from svc.gateway.session import Session, SessionLimits
from svc.gateway.sockets import Connection, Wiring
from svc.gateway.tickets import Ticket, TicketGate, TicketRefused
from svc.gateway.webapp import Subscriptions, subscriptions_of
from svc.kit.errors import ParleyError, UnavailableError
from svc.kit.lifecycle import Tasks, background
from svc.kit.tokens import Signer
from svc.shapes.vouching import Vouched
from svc.shapes.ways import WS_PORT, Way
from svc.webapp.domain.apps.model import App

APP_LIMITS = AppLimits(lifetime_s=20.0, warning_s=1.0, silent_s=4.0)
APP_BYTES = 1 << 20
"""Of one app's connection: as for real, a window of events fits into it many times."""
TRIES = 3
TRY_S = 1.5
"""As discovery.stubs and feed.discovered have it."""


class WebappTier:
    """Webapps as a gateway calls them: gateway.webapp.Webapp, over the simulation's calls."""

    def __init__(self, gateway: Process) -> None:
        self._gateway = gateway
        self.view = Watch(gateway.mesh.consul, gateway.host, "webapp", lambda _: None)

    async def subscriptions(self, team_id: str, user_id: str, token_prefix: bytes = b"") -> Subscriptions:
        """See Webapp."""
        request = pb.ListSubscriptionsRequest(team_id=team_id, user_id=user_id, token_prefix=token_prefix)
        answer = await self._call(lambda servicer: servicer.ListSubscriptions(request, None))
        return subscriptions_of(answer)

    async def post(self, request: pb.PostMessageRequest) -> pb.PostMessageResponse:
        """See Webapp."""
        tries = TRIES if request.client_msg_id else 1
        answer: pb.PostMessageResponse = await self._call(
            lambda servicer: servicer.PostMessage(request, None), tries, 3.5
        )
        return answer

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        """See LogReader."""
        positions = [event_pb2.ChannelPosition(channel_id=channel_id, offset=offset) for channel_id, offset in after]
        request = pb.ReadLogRequest(after=positions, limit=limit)
        answer = await self._call(lambda servicer: servicer.ReadLog(request, None))
        return [ChannelLog(run.channel_id, run.events, run.head_offset, run.truncated) for run in answer.logs]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        """See LogReader."""
        request = pb.ReadHeadsRequest(channel_ids=channel_ids)
        answer = await self._call(lambda servicer: servicer.ReadHeads(request, None))
        return {head.channel_id: head.offset for head in answer.heads}

    async def _call(self, work: Callable[[Any], Awaitable[Any]], tries: int = TRIES, try_s: float = TRY_S) -> Any:
        """Try several webapps, as StubPools.call does."""
        mesh, tried = self._gateway.mesh, set[str]()
        failure: ParleyError = UnavailableError("no webapp is there")
        for _ in range(tries):
            ids = [each for each in self.view.ids if each not in tried] or list(self.view.ids)
            if not ids:
                break
            chosen = self._gateway.rng.choice(ids)
            tried.add(chosen)
            webapp = cast(WebappProcess, mesh.processes[chosen])
            try:
                return await call(mesh.network, self._gateway.host, webapp.host, partial(work, webapp.servicer), try_s)
            except ParleyError as error:
                if not error.retryable:
                    raise
                failure = error
            await asyncio.sleep(0.02)
        raise failure


class NumberedConnection(Connection):
    """A connection whose place in a set is a function of its number, so that a run repeats."""

    def __hash__(self) -> int:
        return self.number


class NoPresence:
    """Nobody looks at anybody."""

    def connected(self, _: Connection) -> None:
        """See Presence."""

    def disconnected(self, _: Connection) -> None:
        """See Presence."""

    def set_away(self, user_id: str, is_away: bool, offset: int) -> None:
        """See Presence."""


def _instance(gateway_id: str) -> Instance:
    return Instance(gateway_id, "gateway", "10.0.0.1:1", meta={WS_PORT: "1"})


class GatewayProcess(Process):
    """A gateway, composed as its `main.py` does."""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        super().__init__(mesh, host)
        scenario, clock = mesh.scenario, host.clock
        webapp = WebappTier(self)
        tasks = Tasks("session work", limit=1_000)
        self.feed = Feed(
            Subscriber(host.name, ""),
            lambda server_id: attached(self, self._ring, server_id),
            webapp,
            clock,
            HoldBudget(scenario.held_events),
            lambda server_id: self._ring.suspect(server_id),
            self.rng,
        )
        self.connections = Connections(1_000)
        presence = NoPresence()
        self.openings = Openings(webapp, webapp, presence, tasks, clock, self.rng)
        outbox, no_edges = Outbox(host.as_loop, scenario.output_bytes_max), cast(Edges, None)  # devices are not lazy
        self.desk = FrontDesk(
            self.connections,
            self.feed,
            self.openings,
            Posts(webapp, tasks),
            Lazy(no_edges, tasks, clock, self.rng, LazyLimits(), scenario.output_bytes_max),
            Prefetch(no_edges, tasks, clock, outbox.call_later, PrefetchLimits()),
            cast(Presence, presence),
            clock,
            outbox.push_all,
        )
        self._webapps = webapp.view
        self.apps = AppDesk(
            self.connections, Outbox(host.as_loop, APP_BYTES), self, tasks, clock, host.name, APP_LIMITS, self.rng
        )
        signer, others = Signer("the secret of the simulation"), Watch(mesh.consul, host, "gateway", lambda _: None)
        self.gate = TicketGate(signer, host.name)
        self.tickets = self.desk.tickets = ReturnTickets(
            self.desk.hub,
            self.connections,
            signer,
            lambda: [_instance(each) for each in others.ids],
            lambda _: False,
            _instance(host.name),
            ReturnLimits(),
            clock,
            mesh.world.rng(f"{host.name} tickets"),
        )
        self._wiring = Wiring(outbox, self.desk, clock.now, frames.hello(host.name))
        self._number = 0
        self._ring: Watch
        mesh.subscribers[host.name] = Following(self.feed)
        host.spawn(self._serve(), "main")

    def admit_app(self, socket: Socket, app: App) -> None:
        """Let an app's program in (Socket Mode)."""
        self._number += 1
        name = (f"{self.name}-{self._number:010d}", self._number)
        ticket = Ticket(app.team_id, app.user_id, app.bot_id, frozenset(), app_id=app.id)
        socket.connection_id = name[0]
        socket.opened(self.apps.admit(ticket, name, 0))

    def admit(self, socket: Socket, user_id: str, flags: frozenset[str], vouched: Vouched | None) -> None:
        """Let a device in, as the door does for a valid ticket; the socket learns the connection's id."""
        self._enter(socket, Ticket("T0000000001", user_id, "", flags, vouched, way=Way()))

    def take_back(self, socket: Socket, ticket: str) -> None:
        """Let a device in that comes with a ticket of another gateway, if it is one."""
        try:
            self._enter(socket, self.gate.admit(ticket, self.host.clock.wall_us() / 1_000_000))
        except TicketRefused:
            socket.abort()

    def _enter(self, socket: Socket, ticket: Ticket) -> None:
        self._number += 1
        name = (f"{self.name}-{self._number:010d}", self._number)
        session = Session(SessionLimits(), self.host.clock.now(), awaits_resume=ticket.resumes)
        socket.connection_id = name[0]
        socket.opened(NumberedConnection(self._wiring, session, ticket, name, 0))

    async def _serve(self) -> None:
        async with AsyncExitStack() as up:
            await up.enter_async_context(self.feed.running(self.desk.hub))
            self._ring = Watch(self.mesh.consul, self.host, "channel", lambda watch: self.feed.ring_changed(watch.ring))
            if self.mesh.scenario.has_apps:
                await up.enter_async_context(background("app connections", self.apps.run()))
            self.mesh.consul.register("gateway", self.host)
            self.host.spawn(self.tickets.run(), "return tickets")
            await asyncio.get_running_loop().create_future()

    def owner(self, app_id: str) -> str:
        """See apps.lines.Owners."""
        if not self._webapps.ids:
            raise LookupError("no webapp is known")
        return self._webapps.ring.owner(app_id)

    def stream(self, owner_id: str) -> AppStream:
        """See apps.lines.Owners."""
        if owner_id not in self._webapps.ids:
            raise LookupError(f"{owner_id} is not on the ring any more")
        return cast(AppStream, connect(self, owner_id, lambda servicer: servicer.AppStream))

    def count(self, counts: Counter[str]) -> None:
        """Add what happened here."""
        stats = self.feed.stats()
        counts["feed: holes"] += stats.holes
        counts["feed: duplicates"] += stats.duplicates
        counts["feed: log reads"] += stats.log_reads
        counts["feed: events filled"] += stats.events_filled
        counts["feed: losses"] += stats.losses
        for cause, asked in stats.asked.items():
            counts[f"feed: asked, {cause}"] += asked
        counts["gateway: resumed"] += self.openings.resumed
        counts["gateway: vouched for"] += self.openings.vouched
        counts["gateway: returned"] += self.openings.returned
        counts["gateway: resume failures"] += self.openings.resume_failures
        counts["gateway: slow consumers"] += self._wiring.outbox.slow_consumers

    async def drain(self) -> None:
        """See Process."""
        for connection in self.connections:
            self.desk.leaving(connection)
            connection.say_goodbye()
            connection.close(CloseCode.GOING_AWAY, "this gateway is leaving")
        await asyncio.sleep(0.2)
