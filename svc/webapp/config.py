"""Settings of a webapp."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting
from svc.webapp.api.asgi import HttpConfig
from svc.webapp.domain.boot.rate import BootRules
from svc.webapp.files.config import FileConfig
from svc.webapp.limits.tiers import Scale
from svc.webapp.migrate import DsnConfig
from svc.webapp.retention import RetentionConfig
from svc.webapp.unfurl.config import PreviewConfig
from svc.webapp.web.config import WebConfig


@dataclass(frozen=True, slots=True)
class WebappConfig:
    """A webapp: the Web API over HTTP, and its internal gRPC service."""

    instance: InstanceConfig
    http: HttpConfig
    mysql: DsnConfig
    retention: RetentionConfig
    boots: BootRules
    files: FileConfig
    web: WebConfig
    previews: PreviewConfig
    ws_public_url: str = setting(
        "PARLEY_WS_PUBLIC_URL",
        default="",
        help="what clients open their sockets to, wss://rt.example.org; empty: the gateway that was found",
    )
    mysql_connections: int = setting(
        "PARLEY_WEBAPP_MYSQL_CONNECTIONS", default=8, minimum=1, maximum=500, help="connections to each keyspace"
    )
    commit_lanes: int = setting(
        "PARLEY_WEBAPP_COMMIT_LANES",
        default=1,
        minimum=1,
        maximum=64,
        help="transactions at a time; one keeps up with one MariaDB, a sharded keyspace wants one a shard",
    )
    cache_routes_file: str = setting(
        "PARLEY_CACHE_ROUTES_FILE",
        default="",
        help="how cache keys find their nodes, while Consul's KV says nothing; empty: the file that comes with parley",
    )
    rate_limits: Scale = setting(
        "PARLEY_WEBAPP_RATE_LIMITS",
        default=Scale(5.0),
        help="how often an app may call a method: slack, as Slack limits it; x5, five times as often and in bursts five"
        " times as large; off, without limit. One app may use up a webapp's time by as much: at x5 an app in one"
        " workspace makes 250 calls a minute of most methods, and posts 5 a second into a channel",
    )
    cache_keeper: bool = setting(
        "PARLEY_CACHE_KEEPER",
        default=True,
        help="whether this webapp may keep the cache pools; where none may, what Consul lists is the pool",
    )
