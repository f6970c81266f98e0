"""Composition root of a webapp: reads downward as start-up, unwinds as shutdown."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from discovery.front import Discovery
from discovery.lifelines import Lifelines
from discovery.registrar import new_instance_id
from svc.feed.feed import Subscriber
from svc.kit.clock import Clock, SystemClock
from svc.kit.lifecycle import background, run, terminated
from svc.kit.rpc import rpc_server
from svc.kit.telemetry import telemetry
from svc.kit.tls import server_context
from svc.kit.tokens import Signer
from svc.webapp import migrate
from svc.webapp.apps.requests import OwnerDelivery
from svc.webapp.apps.running import run_apps
from svc.webapp.assembly import assemble, stores_of
from svc.webapp.boot_gate import BootGate
from svc.webapp.cache.cache import Cache
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.process import run_process_cache
from svc.webapp.commit.admin_link import run_admin_stream
from svc.webapp.commit.committer import CommitterLimits, run_committer
from svc.webapp.commit.effects import Effects, Writes
from svc.webapp.commit.log import ItemKind
from svc.webapp.commit.mentions import run_mentions
from svc.webapp.commit.publisher import run_publisher
from svc.webapp.commit.sweeping import run_sweepers
from svc.webapp.config import WebappConfig
from svc.webapp.domain.apps.rules import AppLinks
from svc.webapp.domain.connect import Connector, ConnectSettings
from svc.webapp.domain.services import Services
from svc.webapp.due import DueItems, run_due_items
from svc.webapp.edge_tier import EdgeTier
from svc.webapp.files.sweeping import sweep_files
from svc.webapp.files.vault import open_vault
from svc.webapp.gate import Gate
from svc.webapp.http import http_server, make_app
from svc.webapp.limits.limiter import Limiter
from svc.webapp.presence_tier import PresenceTier
from svc.webapp.retention import run_retention
from svc.webapp.search_tier import SearchTier
from svc.webapp.servicer import webapp_service
from svc.webapp.status_sweep import run_status_sweep
from svc.webapp.store.admission import Admission, observe
from svc.webapp.store.follow import followed
from svc.webapp.store.pools import PoolLimits, Pools, open_pools
from svc.webapp.store.retention import RetentionStore
from svc.webapp.unfurl.offers import to_nobody
from svc.webapp.unfurl.running import Line, run_previews

TIER = "webapp"


async def serve(config: WebappConfig) -> None:
    """Be a webapp until a signal: leave discovery, finish the requests under way, publish what is committed, stop."""
    clock = SystemClock()
    instance_id = new_instance_id(TIER, config.instance)
    async with AsyncExitStack() as up:
        measured = up.enter_context(telemetry(TIER, instance_id, config.instance))
        # It warns of every malformed form, which is the client's mistake and told to the client.
        logging.getLogger("python_multipart").setLevel(logging.ERROR)
        disco = await up.enter_async_context(Discovery(config.instance, clock))
        limits = PoolLimits(connections_max=config.mysql_connections)
        pools = await up.enter_async_context(open_pools(config.mysql.dsns(), clock, limits))
        observe(_admissions(pools))
        await up.enter_async_context(followed(pools, disco.kv))
        await migrate.check(pools)
        caching = run_process_cache(
            disco, instance_id, config.cache_routes_file, clock, random.Random(), may_keep=config.cache_keeper
        )
        cached = await up.enter_async_context(caching)
        services = await _start_services(up, config, disco, pools, cached.cache, clock)
        services = replace(services, limits=Limiter(cached.route, config.rate_limits, clock))
        gate = Gate(config.http.requests_max, config.http.bodies_bytes_max, clock)
        gate.observe()
        subscriber = Subscriber(instance_id, config.instance.zone)
        apps = await up.enter_async_context(run_apps(disco, pools, services.lookups, subscriber, clock))
        server = await up.enter_async_context(
            rpc_server(config.instance, [webapp_service(services, gate, cached.hearing, apps.face)])
        )
        app = make_app(services, config.http, gate, config.web)
        tls = server_context(config.instance)
        http_port = await up.enter_async_context(http_server(app, config.instance.bind_host, config.http, tls))
        meta = {
            "metrics_port": str(measured.metrics_port),
            "http_port": str(http_port),
        }
        await up.enter_async_context(disco.registered(TIER, instance_id, server, meta))
        # Given back before we leave the ring, so that the next owners find what was delivered up to the last moment.
        await up.enter_async_context(apps.owner.owning())
        await terminated()


async def _start_services(
    up: AsyncExitStack, config: WebappConfig, disco: Discovery, pools: Pools, cache: Cache, clock: Clock
) -> Services:
    """Start what works behind the requests (commits, publishing, sweeping), and return the rules on top of it."""
    rng = random.Random()
    stores = stores_of(pools)
    lookups = Lookups(cache, stores.workspaces, stores.channels, stores.users)
    await disco.watch("admin")
    await disco.watch("search")
    await disco.ring("presence")
    link = await up.enter_async_context(run_admin_stream(disco.pools, clock, rng))
    publisher = await up.enter_async_context(run_publisher(link, stores.outbox, clock, rng))
    lanes = CommitterLimits(lanes=config.commit_lanes)
    committer = await up.enter_async_context(
        run_committer(pools.channel, publisher.offer, clock, rng, lanes, lookups.forget_writes)
    )
    effects = Effects(committer.commit, stores, lookups)
    await up.enter_async_context(run_sweepers(stores.outbox, publisher, effects, clock, lookups.forget_events))
    await up.enter_async_context(run_retention(RetentionStore(pools.channel, pools.user), config.retention, clock))
    mentions = await up.enter_async_context(run_mentions(stores.users, stores.channels, stores.outbox))
    writes = Writes(committer.commit, effects, stores.outbox, mentions)
    edges = EdgeTier(disco.pools, await disco.ring("edge", config.instance.zone), clock)
    boot_gate = BootGate(config.boots, clock, rng, lambda: any(each.is_slow for each in _admissions(pools)))
    boot_gate.observe()
    await up.enter_async_context(background("lateness of the loop", boot_gate.watch_loop()))
    vault = await up.enter_async_context(open_vault(config.files, Signer(config.instance.secret), clock))
    if vault.is_open:
        sweeping = sweep_files(vault, stores.files, clock, rng)
        await up.enter_async_context(background("sweeping files", sweeping))
    linked = Line()
    connector, presence = await _connector(up, config, disco, clock), PresenceTier(disco.pools)
    services = assemble(
        stores,
        lookups,
        writes,
        clock,
        connector,
        presence,
        edges=edges,
        boot_gate=boot_gate,
        tell=publisher.offer,
        vault=vault,
        app_links=AppLinks(Signer(config.instance.secret), OwnerDelivery(disco.pools)),
        index=SearchTier(disco.pools),
        invitation_s=config.web.invitation_days * 86_400,
        previews=linked.offer if config.previews.is_on else to_nobody,
    )
    previews = run_previews(config.previews, linked, stores.channels.message, services.edits.preview, clock)
    await up.enter_async_context(previews)
    handlers = {ItemKind.SCHEDULED: services.scheduled.due, ItemKind.REMINDER: services.reminders.due}
    due_items = DueItems(stores.channels, writes, clock, handlers, {ItemKind.REMINDER: services.reminders.pass_over})
    await up.enter_async_context(run_due_items(due_items, clock))
    await up.enter_async_context(run_status_sweep(stores.workspaces, services.people, clock, rng))
    return services


def _admissions(pools: Pools) -> Sequence[Admission]:
    return (pools.workspace.admission, pools.channel.admission, pools.user.admission)


async def _connector(up: AsyncExitStack, config: WebappConfig, disco: Discovery, clock: Clock) -> Connector:
    gateways = await up.enter_async_context(Lifelines(await disco.watch("gateway"), clock))
    settings = ConnectSettings(config.instance.zone, config.instance.reachable_host, config.ws_public_url)
    signer = Signer(config.instance.secret)
    return Connector(settings, gateways.standing, signer, clock, random.Random())


def main() -> None:
    """Run as a process: `python -m svc.webapp.main`."""
    run(serve, WebappConfig)


if __name__ == "__main__":
    main()
