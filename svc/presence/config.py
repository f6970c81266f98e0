"""The settings of a presence server, each with what raising it costs."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting


@dataclass(frozen=True, slots=True)
class RosterLimits:
    """Times, and how much is held."""

    lease_s: float = setting(
        "PARLEY_PRESENCE_LEASE_S",
        default=10.0,
        minimum=0.1,
        maximum=3600,
        help="seconds that a silent gateway is believed; more: a dead gateway's users stay longer, less: pauses show",
    )
    away_grace_s: float = setting(
        "PARLEY_PRESENCE_AWAY_GRACE_S",
        default=2.0,
        minimum=0,
        maximum=600,
        help="seconds from a user's last session to being away; more: reloads never show, departures show later",
    )
    away_grace_max_s: float = setting(
        "PARLEY_PRESENCE_AWAY_GRACE_MAX_S",
        default=30.0,
        minimum=0,
        maximum=3600,
        help="the grace of a user who keeps coming and going, in seconds",
    )
    flap_window_s: float = setting(
        "PARLEY_PRESENCE_FLAP_WINDOW_S",
        default=60.0,
        minimum=0,
        maximum=3600,
        help="a return within so many seconds of having gone away doubles the grace",
    )
    settle_s: float = setting(
        "PARLEY_PRESENCE_SETTLE_S",
        default=3.0,
        minimum=0,
        maximum=600,
        help="seconds after a start or a ring move in which an unknown user is not yet called away",
    )
    stray_s: float = setting(
        "PARLEY_PRESENCE_STRAY_S",
        default=10.0,
        minimum=0,
        maximum=600,
        help="seconds that reports of users owned by another server are kept, for rings that differ for a moment",
    )
    gateways_max: int = setting(
        "PARLEY_PRESENCE_GATEWAYS_MAX", default=1024, minimum=1, help="gateways reporting; more are refused"
    )
    users_max: int = setting(
        "PARLEY_PRESENCE_USERS_MAX",
        default=1_000_000,
        minimum=1,
        help="users held (some 1 KB each); more stay away",
    )
    departed_max: int = setting(
        "PARLEY_PRESENCE_DEPARTED_MAX",
        default=100_000,
        minimum=0,
        help="users gone whose last activity is remembered; the earliest departed are forgotten first",
    )


@dataclass(frozen=True, slots=True)
class ReportLimits:
    """How changes are batched, and what one gateway may ask for."""

    watched_max: int = setting(
        "PARLEY_PRESENCE_WATCHED_MAX", default=200_000, minimum=1, help="users that one gateway may watch"
    )
    batch_s: float = setting(
        "PARLEY_PRESENCE_BATCH_S",
        default=0.05,
        minimum=0,
        maximum=5,
        help="seconds that a change waits for company; more: fewer frames, later changes",
    )
    batch_users: int = setting(
        "PARLEY_PRESENCE_BATCH_USERS", default=4096, minimum=1, maximum=65_536, help="users in a frame of changes"
    )
    hello_timeout_s: float = setting(
        "PARLEY_PRESENCE_HELLO_TIMEOUT_S", default=5.0, minimum=0.01, help="seconds in which a new line must say hello"
    )
    tick_s: float = setting(
        "PARLEY_PRESENCE_TICK_S", default=0.1, minimum=0.01, maximum=5, help="seconds between looks at what is due"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceConfig:
    """A presence server: who is online, for its share of the users by the ring."""

    instance: InstanceConfig
    roster: RosterLimits
    report: ReportLimits
    drain_s: float = setting(
        "PARLEY_PRESENCE_DRAIN_S",
        default=0.5,
        minimum=0,
        maximum=60,
        help="seconds between leaving the ring and ending the gateways' lines, in which they report to the new owners",
    )
