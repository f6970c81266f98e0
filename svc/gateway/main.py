"""The gateway process. Reads downward as start-up; unwinding it is shutdown: leave discovery, drain, then stop."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import SystemRandom

from discovery.front import Discovery
from discovery.registrar import new_instance_id
from discovery.stubs import StubPools
from discovery.view import Instance
from discovery.watcher import ServiceWatcher
from parley.gateway.v1.gateway_service_pb2_grpc import add_GatewayServiceServicer_to_server
from svc.feed.discovered import discovered_feed, following
from svc.feed.feed import Feed, Subscriber
from svc.feed.metrics import observe_feed
from svc.feed.uplinks import Consumer
from svc.gateway import frames
from svc.gateway.admission import Admission
from svc.gateway.apps.desk import AppDesk
from svc.gateway.apps.lines import RemoteOwners
from svc.gateway.config import GatewayConfig
from svc.gateway.desk import FrontDesk
from svc.gateway.door import Connections, Door, open_door
from svc.gateway.drain import Drain
from svc.gateway.edge import RemoteEdges
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.keepalive import keep_alive
from svc.gateway.lazy.lazy import Lazy
from svc.gateway.metrics import Observed, observe_gateway
from svc.gateway.openings import Openings
from svc.gateway.posts import Posts
from svc.gateway.prefetch.fetches import FETCHES_MAX
from svc.gateway.prefetch.prefetch import Prefetch
from svc.gateway.presence.reports import Presence, RemotePresence
from svc.gateway.recent import Recent, RecentFirst, Remembering
from svc.gateway.return_tickets import ReturnTickets
from svc.gateway.servicer import GatewayServicer
from svc.gateway.sockets import Wiring
from svc.gateway.tickets import TicketGate
from svc.gateway.webapp import RemoteWebapp
from svc.kit.clock import Clock, SystemClock
from svc.kit.lifecycle import Tasks, background, run, terminated
from svc.kit.rpc import Service, rpc_server
from svc.kit.telemetry import telemetry
from svc.kit.tls import server_context
from svc.kit.tokens import Signer
from svc.shapes.ways import WS_PORT, WS_TLS

TIER = "gateway"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What start-up makes before anything runs."""

    connections: Connections
    desk: FrontDesk
    door: Door
    apps: AppDesk
    tickets: ReturnTickets
    observed: Observed
    consumer: Consumer


def _assemble(
    config: GatewayConfig,
    me: str,
    clock: Clock,
    feed: Feed,
    pools: StubPools,
    presence: Presence,
    owners: RemoteOwners,
    gateways: ServiceWatcher,
    tasks: Tasks,
) -> _Parts:
    rng = SystemRandom()
    connections = Connections(config.connections_max)
    outbox = Outbox(asyncio.get_running_loop(), config.output_bytes_max)
    webapp, edges = RemoteWebapp(pools), RemoteEdges(pools)
    recent = Recent()
    openings = Openings(webapp, RecentFirst(recent, webapp), presence, tasks, clock, rng)
    lazy = Lazy(edges, tasks, clock, rng, config.lazy, config.output_bytes_max)
    prefetch = Prefetch(edges, tasks, clock, outbox.call_later, config.prefetch)
    posts = Posts(webapp, tasks)
    desk = FrontDesk(connections, feed, openings, posts, lazy, prefetch, presence, clock, outbox.push_all)
    wiring = Wiring(outbox, desk, clock.now, frames.hello(me))
    signer = Signer(config.instance.secret)
    tickets = desk.tickets = ReturnTickets(
        desk.hub,
        connections,
        signer,
        lambda: gateways.snapshot.instances,
        presence.interests.is_away,
        Instance(me, TIER, "", config.instance.zone),
        config.returns,
        clock,
        rng,
    )
    gate = TicketGate(signer, me)
    admission = Admission(config.admission, rng, clock.now())
    openings.on_listed = lambda took_s: admission.opened(took_s, clock.now())
    apps = AppDesk(connections, outbox, owners, tasks, clock, me, config.apps)
    door = Door(gate, admission, connections, wiring, config.limits, clock, me, rng, apps.admit)
    observed = Observed(connections, door, admission, desk.hub, outbox, openings, lazy, prefetch, apps, tickets)
    return _Parts(connections, desk, door, apps, tickets, observed, Remembering(recent, desk.hub))


def _tasks_max(config: GatewayConfig) -> int:
    """Return how much may be under way for sessions: three things each, and what the edge is asked for all."""
    return 3 * config.connections_max + config.lazy.queries_open_all_max + FETCHES_MAX


async def serve(config: GatewayConfig) -> None:
    """Run until SIGTERM, then send the clients away."""
    clock = SystemClock()
    me = new_instance_id(TIER, config.instance)
    subscriber = Subscriber(me, config.instance.zone)
    async with AsyncExitStack() as up:
        metrics_port = up.enter_context(telemetry(TIER, me, config.instance)).metrics_port
        disco = await up.enter_async_context(Discovery(config.instance, clock))
        tasks = await up.enter_async_context(Tasks("session work", limit=_tasks_max(config)))
        feed = await discovered_feed(disco, subscriber, clock)
        presence_ring = await disco.ring("presence")
        await disco.ring("edge", zone=config.instance.zone)
        servers = RemotePresence(disco.pools, presence_ring)
        presence = Presence(subscriber, servers, tasks, clock, config.keepalive.idle_s)
        owners = RemoteOwners(disco.pools, await disco.ring("webapp"))
        gateways = await disco.watch(TIER)
        parts = _assemble(config, me, clock, feed, disco.pools, presence, owners, gateways, tasks)
        drain = Drain(parts.connections, parts.door.shut, clock, tasks, config.linger_s, parts.desk.leaving)
        observe_feed(feed)
        observe_gateway(parts.observed)
        await up.enter_async_context(following(disco, feed, parts.consumer))
        await up.enter_async_context(presence.running())
        up.callback(presence_ring.subscribe(presence.ring_changed))
        await up.enter_async_context(background("app connections", parts.apps.run()))
        await up.enter_async_context(background("return tickets", parts.tickets.run()))
        await up.enter_async_context(background("pings", keep_alive(parts.connections, config.keepalive, clock)))
        tls = server_context(config.instance)
        door = open_door(parts.door.answer, config.instance.bind_host, config.ws_port, tls)
        ws_port = await up.enter_async_context(door)
        servicer = GatewayServicer(parts.connections, drain)
        service = Service(
            "parley.gateway.v1.GatewayService", lambda server: add_GatewayServiceServicer_to_server(servicer, server)
        )
        server = await up.enter_async_context(rpc_server(config.instance, [service]))
        up.push_async_callback(drain.finish, config.drain_s)
        meta = {WS_PORT: str(ws_port), "metrics_port": str(metrics_port)} | ({WS_TLS: "1"} if tls else {})
        await up.enter_async_context(disco.registered(TIER, me, server, meta))
        await terminated()


def main() -> None:
    """Run as a process: `python -m svc.gateway.main`."""
    run(serve, GatewayConfig)


if __name__ == "__main__":
    main()
