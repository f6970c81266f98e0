"""The scenarios: which mesh, which faults, how close together. Pure: a seed gives the same schedule every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from ops.chaos.faults import APP_GATEWAY, APP_OWNER, PRIMARY, URL_OWNER, Action, Cut, Fault
from ops.local.spec import DEFAULT_ZONES, counts, places

COUNTS: Mapping[str, int] = counts(webapp=2, admin=2, channel=4, gateway=3, presence=2, edge=1)
"""Two or more of everything whose death is to be survived, and four channel servers, so that a quarter is one."""

ZONES = DEFAULT_ZONES

WARM_S = 2.5
"""Load before the first fault: what comes after it is compared with a mesh that works."""

TAIL_S = 4.0
"""Load after the last fault, so that its recovery is seen."""

JOINED_MAX = 3
"""Channel servers that join-leave adds: more of them would be about this machine, not about the ring."""

Draw = Callable[["Dice"], Iterator[Fault]]
"""Yields faults for ever, or until it has no more; their `at_s` is set by the schedule."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to make life hard. `every_s` is the range that the time between two faults is drawn from."""

    name: str
    summary: str
    draw: Draw
    every_s: tuple[float, float]
    duration_s: float
    is_partitioned: bool = False
    """Whether the channel servers stand behind proxies that can cut connections."""
    has_replica: bool = False
    """Whether the database has a replica."""
    memcached: int = 1
    """Cache nodes."""


class Dice:
    """The seeded choices of a schedule, over the members of a mesh with COUNTS."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.names = {tier: [name for name, _ in places(tier, count, ZONES)] for tier, count in COUNTS.items()}

    def one_of(self, tier: str) -> str:
        """Return a member of a tier."""
        return self._rng.choice(self.names[tier])

    def tier(self) -> str:
        """Return a tier, each as likely as any other, however many instances it has."""
        return self._rng.choice(list(COUNTS))

    def zone(self) -> str:
        """Return a zone."""
        return self._rng.choice(ZONES)

    def shuffled(self) -> list[str]:
        """Return every member of every tier once."""
        everybody = [name for names in self.names.values() for name in names]
        self._rng.shuffle(everybody)
        return everybody

    def between(self, low: float, high: float) -> float:
        """Return a number of seconds, to a tenth."""
        return round(self._rng.uniform(low, high), 1)


def schedule(scenario: Scenario, seed: int, duration_s: float) -> tuple[Fault, ...]:
    """Return the faults of a run, in order of their times."""
    rng = Random(f"{scenario.name}:{seed}")
    planned: list[Fault] = []
    at_s = WARM_S
    for fault in scenario.draw(Dice(rng)):
        if at_s > duration_s - TAIL_S:
            break
        planned.append(_at(fault, round(at_s, 1)))
        at_s += fault.down_s + rng.uniform(*scenario.every_s)
    return tuple(planned)


def _at(fault: Fault, at_s: float) -> Fault:
    return Fault(at_s, fault.action, fault.target, fault.down_s, fault.peers, fault.cut, fault.zone)


def _kill(tier: str) -> Draw:
    def draw(dice: Dice) -> Iterator[Fault]:
        while True:
            yield Fault(0.0, Action.KILL, dice.one_of(tier), dice.between(0.2, 2.0))

    return draw


def _kill_any(dice: Dice) -> Iterator[Fault]:
    while True:
        yield Fault(0.0, Action.KILL, dice.one_of(dice.tier()), dice.between(0.1, 1.0))


def _app_owner(dice: Dice) -> Iterator[Fault]:
    while True:
        for target in (APP_OWNER, URL_OWNER, APP_GATEWAY, APP_OWNER, URL_OWNER):
            yield Fault(0.0, Action.KILL, target, dice.between(0.2, 2.0))


def _pause_channel(dice: Dice) -> Iterator[Fault]:
    while True:
        yield Fault(0.0, Action.PAUSE, dice.one_of("channel"), dice.between(1.5, 5.0))


def _partition_channel(dice: Dice) -> Iterator[Fault]:
    while True:
        for cut in Cut:
            for peers in ("consul", "admin", "gateway"):
                yield Fault(0.0, Action.CUT, dice.one_of("channel"), dice.between(2.0, 5.0), peers, cut)


def _restart_consul(dice: Dice) -> Iterator[Fault]:
    while True:
        for action in (Action.KILL, Action.LOSE):
            yield Fault(0.0, action, "consul", dice.between(0.5, 5.0))


def _restart_mysql(dice: Dice) -> Iterator[Fault]:
    while True:
        yield Fault(0.0, Action.KILL, "mariadb", dice.between(0.1, 2.0))


def _primary_loss(dice: Dice) -> Iterator[Fault]:
    while True:
        yield Fault(0.0, Action.FAIL_OVER, PRIMARY, dice.between(0.1, 2.0))


def _primary_switch(dice: Dice) -> Iterator[Fault]:
    while True:
        yield Fault(0.0, Action.SWITCH, PRIMARY, dice.between(0.1, 2.0))


def _cache_loss(dice: Dice) -> Iterator[Fault]:
    while True:
        yield Fault(0.0, Action.KILL_ALL, "memcached", dice.between(0.1, 3.0))


def _rolling_restart(dice: Dice) -> Iterator[Fault]:
    for name in dice.shuffled():
        yield Fault(0.0, Action.RESTART, name, 0.0)


def _join_leave(dice: Dice) -> Iterator[Fault]:
    joined = 0
    while True:
        if joined < JOINED_MAX:
            joined += 1
            yield Fault(0.0, Action.JOIN, "channel", zone=dice.zone())
        name = dice.one_of("channel")
        yield Fault(0.0, Action.LEAVE, name)
        yield Fault(0.0, Action.RETURN, name)


def _killing(tier: str, what: str) -> Scenario:
    return Scenario(f"kill-{tier}", f"kill -9 of {what}, back after up to 2 s", _kill(tier), (3.5, 5.5), 45.0)


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        _killing("channel", "a channel server, the owner of a quarter of the channels"),
        _killing("gateway", "a gateway, with all its sockets"),
        _killing("webapp", "a webapp, between commit and publish as well"),
        _killing("admin", "an admin server, with publishes under way"),
        _killing("presence", "a presence server, which no message needs"),
        Scenario("kill-any", "kill -9 of any instance of any tier, every few seconds", _kill_any, (2.5, 3.5), 45.0),
        Scenario(
            "app-owner",
            "kill -9 of the webapps that serve apps, over a socket and over HTTP, and of the socket's gateway, in turn",
            _app_owner,
            (3.5, 5.5),
            45.0,
        ),
        Scenario(
            "pause-channel",
            "SIGSTOP of a channel server for longer than its fence time, then SIGCONT: an owner that does not know",
            _pause_channel,
            (4.0, 6.0),
            50.0,
        ),
        Scenario(
            "partition-channel",
            "a channel server cut off from Consul, from admin, from gateways in turn; silently, then by resets",
            _partition_channel,
            (4.5, 6.0),
            65.0,
            is_partitioned=True,
        ),
        Scenario(
            "restart-consul",
            "kill -9 of Consul, back with its data and without in turn",
            _restart_consul,
            (5.0, 7.0),
            60.0,
        ),
        Scenario("restart-mysql", "kill -9 of the database, back after up to 2 s", _restart_mysql, (5.0, 7.0), 50.0),
        Scenario(
            "primary-loss",
            "kill -9 of the primary database, its replica promoted; the dead one comes back as the replica",
            _primary_loss,
            (4.0, 6.0),
            55.0,
            has_replica=True,
        ),
        Scenario(
            "primary-switch",
            "the database's primary and its replica change places, both alive",
            _primary_switch,
            (4.0, 6.0),
            50.0,
            has_replica=True,
        ),
        Scenario(
            "cache-loss",
            "kill -9 of every memcached at once, back and empty after up to 3 s",
            _cache_loss,
            (4.0, 6.0),
            55.0,
            memcached=4,
        ),
        Scenario(
            "rolling-restart",
            "a planned restart of every instance once, in any order",
            _rolling_restart,
            (3.0, 3.5),
            60.0,
        ),
        Scenario("join-leave", "channel servers join, leave in order and come back", _join_leave, (4.0, 5.0), 45.0),
    )
}
"""By name, in the order of the documentation."""
