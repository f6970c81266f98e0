"""Protocol pings, so that dead connections are found, and clients that wait for our pings stay calm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from svc.gateway.close_codes import CloseCode
from svc.gateway.frames import ping_frame
from svc.gateway.sockets import Connection
from svc.kit.clock import Clock
from svc.kit.config import setting

SLICES = 10
"""A tenth of the connections is pinged at a time: no burst of writes, and one timer for all."""


@dataclass(frozen=True, slots=True)
class KeepaliveLimits:
    """How often connections are pinged, and when one counts as dead."""

    ping_interval_s: float = setting(
        "PARLEY_GATEWAY_PING_INTERVAL_S",
        default=10.0,
        minimum=0.1,
        maximum=20.0,
        help="seconds between pings; some clients reconnect when they hear none for 30",
    )
    silence_max_s: float = setting(
        "PARLEY_GATEWAY_SILENCE_MAX_S",
        default=30.0,
        minimum=0.2,
        help="seconds without anything heard (pongs count) after which a connection is closed",
    )
    idle_s: float = setting(
        "PARLEY_GATEWAY_IDLE_S",
        default=1_800.0,
        minimum=0.1,
        help="seconds of nothing but pings after which a client counts as idle: a user with only such ones is "
        "away; longer shows people who left as active",
    )


async def keep_alive(connections: Iterable[Connection], limits: KeepaliveLimits, clock: Clock) -> None:
    """Ping every connection once an interval, and close those that fell silent; runs for ever."""
    turn = 0
    while True:
        await clock.sleep(limits.ping_interval_s / SLICES)
        turn = (turn + 1) % SLICES
        now = clock.now()
        # Never empty: the parser of a common client waits for more bytes after a lone 2-byte frame.
        frame = ping_frame(b"%d" % (clock.wall_us() // 1000))
        now_unix_s = clock.wall_us() / 1_000_000
        for connection in connections:
            if connection.ticket.ends_unix_s:
                connection.expire(now_unix_s)
            if connection.number % SLICES != turn:
                continue
            if now - connection.heard_at > limits.silence_max_s:
                connection.close(CloseCode.SILENT, "nothing was heard for too long")
            else:
                connection.push(frame)
