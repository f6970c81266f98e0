"""A Web API over real servers in this process: what the API tests talk to, by HTTP as everybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from discovery.view import Instance
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from parley.event.v1 import event_pb2
from parley.search.v1 import search_service_pb2
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background
from svc.kit.tokens import Signer
from svc.webapp import migrate
from svc.webapp.assembly import assemble, stores_of
from svc.webapp.cache.cache import run_cache
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.memcached.node import Node
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.effects import Effects, Writes
from svc.webapp.commit.mentions import run_mentions
from svc.webapp.domain.apps.delivery import DeliveryTwin
from svc.webapp.domain.apps.rules import AppLinks
from svc.webapp.domain.connect import Connector, ConnectSettings
from svc.webapp.domain.people.accounts import caller_of
from svc.webapp.domain.people.presence import Presence
from svc.webapp.domain.search.searching import MessageIndex, NoIndex
from svc.webapp.domain.services import Services
from svc.webapp.files.config import FileConfig
from svc.webapp.files.vault import open_vault
from svc.webapp.gate import Gate
from svc.webapp.http import HttpConfig, http_server, make_app
from svc.webapp.store.pools import Pools, open_pools
from svc.webapp.store.rows import User
from svc.webapp.unfurl.offers import Offered
from svc.webapp.web.config import WebConfig
from tests.svc.webapp.api.edge_twin import EdgeTwin

Json = dict[str, Any]
PATIENCE_S = 60.0
"""How long a call is repeated that is told to come back later."""
SIGNER = Signer("a secret for these tests alone")
GATEWAY = Instance("gateway-az1-1-abcdef", "gateway", "127.0.0.1:5000", "az1", meta={"ws_port": "8090"})
HTTP = HttpConfig(
    port=0, body_bytes_max=1 << 20, request_s=5.0, requests_max=1000, bodies_bytes_max=1 << 26, keep_alive_s=60
)


FILES: dict[str, Any] = {
    "file_bytes_max": 3 << 20,
    "workspace_bytes_max": 64 << 20,
    "free_bytes_min": 0,
    "uploads_max": 3,
    "downloads_max": 8,
    "upload_s": 120.0,
    "idle_s": 60.0,
    "sweep_s": 60.0,
}


@dataclass(slots=True)
class Told:
    """An in-memory presence tier: whoever is in `active`; UnavailableError when it is `broken`."""

    active: set[str] = field(default_factory=set)
    broken: Exception | None = None

    async def presence(self, user_id: str) -> Presence:
        if self.broken is not None:
            raise self.broken
        return Presence(is_active=user_id in self.active, connection_count=int(user_id in self.active))

    async def active_among(self, user_ids: Sequence[str]) -> set[str]:
        return self.active.intersection(user_ids)


@dataclass(slots=True)
class Library:
    """The search tier: an index that a test puts there. Without one nothing is found; NoIndex: it is down."""

    index: MessageIndex | None = None
    asked: list[search_service_pb2.SearchRequest] = field(default_factory=list)

    def burn(self) -> None:
        """Be down from now on."""
        self.index = NoIndex()

    async def search(self, request: search_service_pb2.SearchRequest) -> search_service_pb2.SearchResponse:
        copy = search_service_pb2.SearchRequest()
        copy.CopyFrom(request)
        self.asked.append(copy)
        if self.index is None:
            return search_service_pb2.SearchResponse(is_whole=True)
        return await self.index.search(request)


@dataclass(frozen=True, slots=True)
class Someone:
    """A user with a token, who calls methods."""

    user: User
    token: str
    base: str
    http: aiohttp.ClientSession

    @property
    def id(self) -> str:
        return self.user.id

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call with form arguments; return the answer, ok or not. Any status but 200 fails the test.

        Who is told to come back later does, as any client: of boots that no edge serves few may begin at once.
        """
        form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in arguments.items() if v is not None}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.http.post(self.base + method, data=form, headers=self.headers) as answer:
                    if answer.status != 429:
                        assert answer.status == 200, (answer.status, await answer.text())
                        body: Json = await answer.json()
                        return body
                    await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def ok(self, method: str, **arguments: Any) -> Json:
        """Call what must succeed."""
        body = await self.call(method, **arguments)
        assert body["ok"] is True, (method, arguments, body)
        return body

    async def error(self, method: str, **arguments: Any) -> str:
        """Call what must fail; return the code."""
        body = await self.call(method, **arguments)
        assert body["ok"] is False, (method, arguments, body)
        return str(body["error"])

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(slots=True)
class Office:
    """One webapp's HTTP face with people in its workspace, and everything that it committed."""

    mesh: Mesh
    pools: Pools
    services: Services
    base: str
    http: aiohttp.ClientSession
    presence: Told
    events: list[event_pb2.Event]
    edges: EdgeTwin
    apps: DeliveryTwin
    library: Library
    linked: list[Offered]
    """Messages with links, as they would wait for their previews."""
    people: dict[str, Someone] = field(default_factory=dict)
    general: str = ""

    def __getitem__(self, name: str) -> Someone:
        return self.people[name]

    def payloads(self, channel_id: str) -> list[Json]:
        """Return the JSON of a channel's events, in order; some have nothing for clients."""
        return [json.loads(event.payload) for event in self.events if event.channel_id == channel_id and event.payload]

    async def hire(self, team_id: str, names: Sequence[str], bots: Sequence[str] = ()) -> dict[str, Someone]:
        """Add people and bots to a workspace."""
        accounts = self.services.accounts
        users = [await accounts.person(User("", team_id, name, real_name=name.title())) for name in names]
        users += [await accounts.bot(team_id, name) for name in bots]
        return {user.name: Someone(user, await accounts.token_for(user), self.base, self.http) for user in users}


@asynccontextmanager
async def serving(mesh: Mesh, *, config: HttpConfig = HTTP, web: WebConfig | None = None) -> AsyncIterator[Office]:
    """Serve the Web API over a mesh's MariaDB and memcached; events that are committed are kept, not published."""
    clock, rng, events = SystemClock(), Random(7), list[event_pb2.Event]()
    async with AsyncExitStack() as up:
        pools = await up.enter_async_context(open_pools(migrate.DsnConfig(**_dsns(mesh)).dsns(), clock))
        await migrate.migrate(pools)
        stores = stores_of(pools)
        node = Node(mesh.memcached_addrs[0], clock, rng)
        await up.enter_async_context(background("memcached", node.run()))
        cache = await up.enter_async_context(run_cache(node, clock, rng))
        lookups = Lookups(cache, stores.workspaces, stores.channels, stores.users)
        committer = await up.enter_async_context(
            run_committer(pools.channel, events.extend, clock, rng, forget=lookups.forget_writes)
        )
        effects = Effects(committer.commit, stores, lookups)
        mentions = await up.enter_async_context(run_mentions(stores.users, stores.channels, stores.outbox))
        writes = Writes(committer.commit, effects, stores.outbox, mentions)
        presence = Told()
        connector = Connector(ConnectSettings("az1", "127.0.0.1"), lambda: [GATEWAY], SIGNER, clock, rng)
        edges, apps, library = EdgeTwin(), DeliveryTwin(), Library()
        files = FileConfig(directory=str(mesh.spec.var / "files"), **FILES)
        vault = await up.enter_async_context(open_vault(files, SIGNER, clock))
        linked = list[Offered]()
        services = assemble(
            stores,
            lookups,
            writes,
            clock,
            connector,
            presence,
            edges=edges,
            tell=events.extend,
            app_links=AppLinks(SIGNER, apps),
            vault=vault,
            index=library,
            previews=linked.append,
        )
        edges.services = services
        app = make_app(services, config, Gate(config.requests_max, config.bodies_bytes_max), web)
        port = await up.enter_async_context(http_server(app, "127.0.0.1", config))
        http = await up.enter_async_context(aiohttp.ClientSession())
        base = f"http://127.0.0.1:{port}/api/"
        yield Office(mesh, pools, services, base, http, presence, events, edges, apps, library, linked)


def _dsns(mesh: Mesh) -> dict[str, str]:
    return {"workspace": mesh.dsns.workspace, "channel": mesh.dsns.channel, "user": mesh.dsns.user}


@asynccontextmanager
async def office(var: Path, *, config: HttpConfig = HTTP, web: WebConfig | None = None) -> AsyncIterator[Office]:
    """Start MariaDB and memcached, and a workspace with ada, grace, linus and the bot helper in it."""
    spec = MeshSpec(var=var, counts=none(), graceful=False)
    async with Mesh(spec) as mesh, serving(mesh, config=config, web=web) as here:
        accounts = here.services.accounts
        team, _ = await accounts.team("Acme", "acme")
        here.people.update(await here.hire(team.id, ["ada", "grace", "linus"], ["helper"]))
        ada = caller_of(here["ada"].user)
        sight = await here.services.conversations.create(ada, "general", is_private=False, is_general=True)
        here.general = sight.conversation.id
        for someone in here.people.values():
            await here.services.conversations.admit(sight.conversation, someone.id)
        yield here
