"""What one run is made of, drawn from its seed: how many of each, how tight the limits, what goes wrong and how often.

Limits are drawn far below the real ones, so that a few dozen posts reach their corners: a tail of one event, a window
of two batches, a log that retention has eaten.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ops.sim.database import Trouble
from svc.admin.config import RouterLimits
from svc.channel.config import FanoutLimits, PublishLimits, TailLimits
from svc.webapp.apps.posting import PostingRules
from svc.webapp.apps.pump_rules import PumpRules
from svc.webapp.apps.window import WindowRules


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run."""

    webapps: int
    admins: int
    channels: int
    gateways: int
    people: int
    devices: int
    """Sockets of each person."""
    conversations: int
    posts: int
    """In each round."""
    changes: int
    """Edits, removals, reactions and the like, in each round."""
    rounds: int
    faults: int
    """In each round."""
    load_s: float
    """How long a round's posts and faults take, in virtual seconds."""
    slow: float
    late: float
    skew_us: int
    """Wall clocks differ by up to this."""
    trouble: Trouble
    tail: TailLimits
    fanout: FanoutLimits
    publish: PublishLimits
    router: RouterLimits
    errands: int
    """Messages scheduled, reminders set and files uploaded, in each round; 0: nobody looks for what is due, either."""
    has_apps: bool
    """Whether there are two apps, one with Socket Mode and one with a request URL."""
    app_rules: PumpRules
    held_events: int
    output_bytes_max: int
    fence_s: float
    has_rest: bool
    """Whether channel servers have room for what they know of quiet channels; else it is forgotten with the tail."""


def draw(rng: Random) -> Scenario:
    """Return a run."""
    fence_s = rng.choice((0.4, 1.0))
    return Scenario(
        webapps=rng.choice((1, 2, 2)),
        admins=rng.choice((1, 2)),
        channels=rng.choice((1, 2, 3)),
        gateways=rng.choice((1, 2, 2)),
        people=rng.choice((2, 3)),
        devices=rng.choice((1, 1, 2)),
        conversations=rng.choice((1, 2)),
        posts=rng.choice((6, 10, 14)),
        rounds=rng.choice((1, 2)),
        faults=rng.choice((1, 2, 3, 5)),
        load_s=rng.choice((0.5, 1.5, 1.5, 3.0, 3.0, 6.0)),
        slow=rng.choice((0.0, 0.01, 0.1)),
        late=rng.choice((0.0, 0.1, 0.4)),
        skew_us=rng.choice((0, 50_000, 400_000)),
        trouble=_trouble(rng),
        tail=TailLimits(
            hole_wait_s=rng.choice((0.05, 0.25)),
            held_events_max=rng.choice((1, 3, 256)),
            tail_events_max=rng.choice((1, 3, 512)),
            active_max=rng.choice((1, 1, 2, 1_000)),
        ),
        fanout=FanoutLimits(
            mailbox_events_max=rng.choice((4, 64, 65_536)),
            batch_events_max=rng.choice((1, 2, 1_024)),
            unacked_batches_max=rng.choice((1, 2, 256)),
            ack_timeout_s=rng.choice((0.5, 2.0)),
            linger_s=2 * fence_s,
        ),
        publish=PublishLimits(
            window_batches=rng.choice((2, 64)),
            in_flight_bytes_max=rng.choice((1_000, 128 << 20)),
            publish_timeout_s=rng.choice((0.3, 4.0)),
        ),
        router=RouterLimits(
            deadline_s=rng.choice((1.0, 5.0)),
            batch_events_max=rng.choice((1, 3, 1_024)),
            window_batches=rng.choice((1, 4, 32)),
        ),
        held_events=rng.choice((1, 2, 256)),
        output_bytes_max=rng.choice((1_500, 16_384, 1 << 20)),
        fence_s=fence_s,
        # Drawn last, so that the rest of a seed is as it was before there were any.
        changes=rng.choice((0, 4, 10)),
        errands=rng.choice((0, 0, 0, 4, 8)),
        has_apps=rng.random() < 0.2,
        app_rules=_app_rules(rng),
        has_rest=rng.random() < 0.4,
    )


def _app_rules(rng: Random) -> PumpRules:
    """Return bounds of apps. Nothing is given up before faults are mended."""
    return PumpRules(
        pending_max=rng.choice((1, 3, 256)),
        read_events_max=rng.choice((1, 3, 50)),
        window=WindowRules(under_way_max=rng.choice((1, 2, 32))),
        posting=PostingRules(at_once_max=rng.choice((1, 8)), again_after_s=(0.0, *[1.0] * 4, *[3.0] * 6)),
    )


def _trouble(rng: Random) -> Trouble:
    """Return what MySQL's connections go through: nothing in most runs."""
    if rng.random() < 0.6:
        return Trouble()
    share = rng.choice((0.02, 0.1))
    return Trouble(statement=share / 8, before_commit=share, after_commit=share, conflict=share)
