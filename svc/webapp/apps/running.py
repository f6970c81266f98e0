"""What serving apps is made of in a webapp process, from the feed to the requests, started and ended together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from discovery.front import Discovery
from svc.feed.discovered import discovered_feed, following
from svc.feed.feed import Subscriber
from svc.feed.metrics import observe_feed
from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks
from svc.webapp.apps.audience import Audience
from svc.webapp.apps.face import OwnerFace
from svc.webapp.apps.metrics import observe_apps
from svc.webapp.apps.owner import AppOwner, Parts
from svc.webapp.apps.poster import run_poster
from svc.webapp.apps.sources import StoreLog, StoreSources
from svc.webapp.cache.lookups import Lookups
from svc.webapp.store.app_places import AppPlaceStore
from svc.webapp.store.apps import AppStore
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.pools import Pools
from svc.webapp.store.user import UserStore

__all__ = ["AppServing", "run_apps"]

TASKS_MAX = 20_000
"""Pumps, streams of connections, and requests to URLs, of a process."""


@dataclass(frozen=True, slots=True)
class AppServing:
    """The apps of this process."""

    owner: AppOwner
    """To be entered (`owning`) once this process is on the ring, and left before it is not."""
    face: OwnerFace


@asynccontextmanager
async def run_apps(
    disco: Discovery, pools: Pools, lookups: Lookups, subscriber: Subscriber, clock: Clock
) -> AsyncIterator[AppServing]:
    """Have everything ready for the length of a block; owns nothing yet."""
    channels, users = ChannelStore(pools.channel), UserStore(pools.user)
    async with AsyncExitStack() as up:
        poster = await up.enter_async_context(run_poster(clock))
        feed = await discovered_feed(disco, subscriber, clock, log=StoreLog(channels))
        observe_feed(feed)
        audience = Audience(feed)
        await up.enter_async_context(following(disco, feed, audience))
        tasks = await up.enter_async_context(Tasks("apps", TASKS_MAX))
        parts = Parts(
            me=subscriber.instance_id,
            ring=await disco.ring("webapp"),
            apps=AppStore(pools.workspace),
            places=AppPlaceStore(pools.user),
            users=users,
            sources=StoreSources(channels, users, lookups),
            audience=audience,
            poster=poster,
            clock=clock,
        )
        owner = AppOwner(parts, tasks)
        observe_apps(owner)
        yield AppServing(owner, OwnerFace(owner, parts, tasks))
