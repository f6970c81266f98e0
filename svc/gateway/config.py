"""The settings of a gateway."""

from __future__ import annotations

from dataclasses import dataclass

from svc.gateway.admission import AdmissionLimits
from svc.gateway.apps.desk import AppLimits
from svc.gateway.keepalive import KeepaliveLimits
from svc.gateway.lazy.lazy import LazyLimits
from svc.gateway.prefetch.prefetch import PrefetchLimits
from svc.gateway.return_tickets import ReturnLimits
from svc.gateway.session import SessionLimits
from svc.kit.config import InstanceConfig, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """A gateway: terminates WebSockets, and pushes events to them."""

    instance: InstanceConfig
    limits: SessionLimits
    keepalive: KeepaliveLimits
    admission: AdmissionLimits
    lazy: LazyLimits
    prefetch: PrefetchLimits
    apps: AppLimits
    returns: ReturnLimits
    ws_port: int = setting(
        "PARLEY_GATEWAY_WS_PORT", default=0, minimum=0, maximum=65535, help="WebSocket port; 0 takes a free one"
    )
    connections_max: int = setting(
        "PARLEY_GATEWAY_CONNECTIONS_MAX",
        default=50_000,
        minimum=1,
        help="open connections; more cost memory, some 20 KB each",
    )
    output_bytes_max: int = setting(
        "PARLEY_GATEWAY_OUTPUT_BYTES_MAX",
        default=1024 * 1024,
        minimum=600 * 1024,  # the largest event fits, so whoever comes back gets on by one at least
        help="bytes waiting to be written to one connection; beyond, it is closed as a slow consumer",
    )
    drain_s: float = setting(
        "PARLEY_GATEWAY_DRAIN_S",
        default=2.0,
        minimum=0,
        maximum=3_600,
        help="seconds over which clients are sent away when the gateway stops; more: a smaller herd elsewhere",
    )
    linger_s: float = setting(
        "PARLEY_GATEWAY_LINGER_S",
        default=2.0,
        minimum=0,
        maximum=30,
        help="seconds between goodbye and Close, in which events are still delivered; clients use them to connect anew",
    )
