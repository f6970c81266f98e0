"""The settings of an admin server, each with what raising it costs."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterLimits:
    """What may be under way, and for how long it is tried."""

    deadline_s: float = setting(
        "PARLEY_ADMIN_DEADLINE_S",
        default=5.0,
        minimum=0.1,
        help="seconds for which an event is offered to owners before the webapp gets it back",
    )
    retry_base_s: float = setting(
        "PARLEY_ADMIN_RETRY_BASE_S", default=0.02, minimum=0.001, help="first wait before a refused event is retried"
    )
    retry_cap_s: float = setting(
        "PARLEY_ADMIN_RETRY_CAP_S", default=0.5, minimum=0.001, help="longest wait before a refused event is retried"
    )
    retry_ratio: float = setting(
        "PARLEY_ADMIN_RETRY_RATIO",
        default=0.1,
        minimum=0,
        maximum=1,
        help="retries for each batch sent that overloaded owners may cost; more multiplies an overload",
    )
    events_max: int = setting(
        "PARLEY_ADMIN_EVENTS_MAX",
        default=65_536,
        minimum=1_024,
        help="events under way; beyond, webapps' streams are not read until some are settled",
    )
    bytes_max: int = setting(
        "PARLEY_ADMIN_BYTES_MAX", default=64 * _MIB, minimum=_MIB, help="bytes of events under way, likewise"
    )
    batch_events_max: int = setting(
        "PARLEY_ADMIN_BATCH_EVENTS_MAX", default=1_024, minimum=1, maximum=1_024, help="events in one forwarded batch"
    )
    batch_bytes_max: int = setting(
        "PARLEY_ADMIN_BATCH_BYTES_MAX",
        default=_MIB,
        minimum=1024,
        maximum=8 * _MIB,
        help="bytes in one forwarded batch (one event more may be in it)",
    )
    window_batches: int = setting(
        "PARLEY_ADMIN_WINDOW",
        default=128,
        minimum=1,
        help="unanswered batches at one channel server; fewer are larger, but all wait behind a subscriber that hangs",
    )
    recent_s: float = setting(
        "PARLEY_ADMIN_RECENT_S",
        default=3.0,
        minimum=0,
        help="seconds for which an event that an owner took is offered again if its channel moves; a ring is known to "
        "everybody sooner",
    )
    recent_events_max: int = setting(
        "PARLEY_ADMIN_RECENT_EVENTS_MAX", default=16_384, minimum=0, help="such events kept; the oldest go first"
    )
    recent_bytes_max: int = setting(
        "PARLEY_ADMIN_RECENT_BYTES_MAX", default=8 * _MIB, minimum=0, help="bytes of such events kept"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminConfig:
    """An admin server: the stateless router between webapps and channel servers."""

    instance: InstanceConfig
    router: RouterLimits
    publish_window: int = setting(
        "PARLEY_ADMIN_PUBLISH_WINDOW", default=64, minimum=1, help="unanswered batches of one webapp's stream"
    )
    publishers_max: int = setting(
        "PARLEY_ADMIN_PUBLISHERS_MAX", default=1_024, minimum=1, help="webapps' streams open at a time"
    )
    drain_s: float = setting(
        "PARLEY_ADMIN_DRAIN_S",
        default=1.0,
        minimum=0,
        help="seconds that events under way get to be settled when this server leaves",
    )
