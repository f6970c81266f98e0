"""Apps in a simulated webapp: the real feed, owner, pumps and face; requests to URLs are the simulation's calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any, cast

from discovery.ring import Ring
from ops.sim.calls import call
from ops.sim.consul import Watch
from ops.sim.following import Following, attached
from ops.sim.lookups import NoCache
from ops.sim.mesh import Mesh, Process
from ops.sim.world import Host
from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.feed.feed import Feed, Subscriber
from svc.feed.follower import HoldBudget
from svc.kit.errors import DeadlineError, ParleyError
from svc.kit.lifecycle import Tasks
from svc.webapp.apps.audience import Audience
from svc.webapp.apps.face import OwnerFace
from svc.webapp.apps.owner import AppOwner, Parts
from svc.webapp.apps.poster import ANSWER_S, Posted, Poster
from svc.webapp.apps.sources import StoreLog, StoreSources
from svc.webapp.commit.effects import Stores
from svc.webapp.store.app_places import AppPlaceStore


class WebappRing:
    """See owner.WebappRing: the ring of webapps as one of them sees it."""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        self._subscribers: list[Callable[[Ring], None]] = []
        self._watch = Watch(mesh.consul, host, "webapp", self._moved)

    @property
    def ring(self) -> Ring:
        """See owner.WebappRing."""
        return self._watch.ring

    def subscribe(self, callback: Callable[[Ring], None]) -> Callable[[], None]:
        """See owner.WebappRing."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def _moved(self, watch: Watch) -> None:
        for callback in tuple(self._subscribers):
            callback(watch.ring)


class Requests:
    """Poster's twin: a request is a call to the program that stands behind its URL, and its answer may get lost."""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        self._mesh = mesh
        self._host = host

    async def post_json(self, url: str, secret: str, body: bytes, more: Mapping[str, str]) -> Posted:
        """See Poster."""
        program = self._mesh.programs[url]
        attempt = int(more.get("X-Slack-Retry-Num", 0))
        try:
            status: int = await call(
                self._mesh.network, self._host, program.host, lambda: program.take(self._host, body, attempt), ANSWER_S
            )
        except ParleyError as error:
            return Posted(0, "http_timeout" if isinstance(error, DeadlineError) else "connection_failed")
        return Posted(status, "" if status == 200 else "http_error")

    async def challenge(self, url: str, secret: str, token: str, challenge: str) -> bool:
        """See Poster."""
        return (await self.post_json(url, secret, b"", {})).is_ok


class WatchedFace(OwnerFace):
    """Notes what goes out on which connection."""

    def __init__(self, mesh: Mesh, owner: AppOwner, parts: Parts, tasks: Tasks) -> None:
        super().__init__(owner, parts, tasks)
        self._mesh = mesh

    async def stream(
        self, requests: AsyncIterator[pb.AppStreamRequest], context: Any
    ) -> AsyncIterator[pb.AppStreamResponse]:
        """See OwnerFace."""
        connection_id = ""

        async def watched() -> AsyncIterator[pb.AppStreamRequest]:
            nonlocal connection_id
            async for request in requests:
                connection_id = request.open.connection_id or connection_id
                yield request

        async for response in super().stream(watched(), context):
            if response.HasField("envelope"):
                self._mesh.first_sent.setdefault(response.envelope.envelope_id, connection_id)
            yield response


class Serving:
    """What a webapp has for apps. It serves some only where the scenario has any."""

    def __init__(self, process: Process, rng: Random, stores: Stores, lookups: NoCache, places: AppPlaceStore) -> None:
        """Own nothing yet; composed as svc.webapp.apps.running does."""
        mesh, host = process.mesh, process.host
        self._process = process
        self.feed = Feed(
            Subscriber(host.name, ""),
            lambda server_id: attached(process, self._ring, server_id),
            StoreLog(stores.channels),
            host.clock,
            HoldBudget(mesh.scenario.held_events),
            lambda server_id: self._ring.suspect(server_id),
            rng,
        )
        self._audience = Audience(self.feed)
        self._tasks = Tasks("apps", limit=1_000)
        self._ring: Watch
        parts = Parts(
            me=host.name,
            ring=WebappRing(mesh, host) if mesh.scenario.has_apps else cast(WebappRing, None),
            apps=stores.apps,
            places=places,
            users=stores.users,
            sources=StoreSources(stores.channels, stores.users, lookups),
            audience=self._audience,
            poster=cast(Poster, Requests(mesh, host)),
            clock=host.clock,
            rules=mesh.scenario.app_rules,
            rng=rng,
        )
        self.owner = AppOwner(parts, self._tasks)
        self.face = WatchedFace(mesh, self.owner, parts, self._tasks)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[None]:
        """Follow what apps follow while the block runs."""
        process = self._process
        async with AsyncExitStack() as up:
            if process.mesh.scenario.has_apps:
                await up.enter_async_context(self.feed.running(self._audience))
                self._ring = Watch(
                    process.mesh.consul, process.host, "channel", lambda watch: self.feed.ring_changed(watch.ring)
                )
                process.mesh.subscribers[process.name] = Following(self.feed)
                await up.enter_async_context(self._tasks)
            yield

    @asynccontextmanager
    async def owning(self) -> AsyncIterator[None]:
        """Own apps while the block runs."""
        if not self._process.mesh.scenario.has_apps:
            yield
            return
        async with self.owner.owning():
            yield
