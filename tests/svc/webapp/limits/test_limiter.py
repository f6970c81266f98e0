"""Limits that several webapps keep together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from svc.kit.clock import ManualClock, SystemClock
from svc.webapp.cache.routes.route import Step, Sum
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import RateLimited
from svc.webapp.limits.limiter import Counting, Limiter, Limits, Unlimited
from svc.webapp.limits.nearby import Nearby
from svc.webapp.limits.tiers import (
    HOOK,
    OFF,
    POSTING_ALL,
    RATES,
    SLACK,
    TRIES_FROM_ADDRESS,
    TRIES_OF_LOGIN,
    Scale,
    Tier,
)
from tests.svc.webapp.cache.memcached.clients import client
from tests.svc.webapp.cache.nodes import cache_server
from tests.svc.webapp.cache.twin import Twin

ADA = Caller("T1", "U1")
BOT = Caller("T1", "U2", bot_id="B1", app_id="A1")
BURST = RATES[Tier.T2].burst


class Asked:
    """Counts what goes to the node behind it."""

    def __init__(self, node: Counting) -> None:
        self.node = node
        self.count = 0

    async def add(self, key: str, step: Step) -> Sum | None:
        """See Counting."""
        self.count += 1
        return await self.node.add(key, step)


async def allowed(limits: Limits, calls: int, caller: Caller = BOT, tier: Tier = Tier.T2, reference: str = "") -> int:
    """Return how many calls pass until one is refused, or all have passed."""
    for number in range(calls):
        try:
            await limits.check(tier, "a.method", caller, reference)
        except RateLimited:
            return number
    return calls


async def refusal(limits: Limits, caller: Caller = BOT, tier: Tier = Tier.T2) -> float:
    """Return after how many seconds a refused call is welcome."""
    with pytest.raises(RateLimited) as refused:
        await limits.check(tier, "a.method", caller)
    return refused.value.retry_after_s


async def test_all_webapps_together_allow_what_one_would() -> None:
    """The burst is spent by both; whoever is refused waits for the one number."""
    clock = ManualClock()
    node = Twin("a:1", clock)
    here, there = Limiter(node, SLACK, clock), Limiter(node, SLACK, clock)
    assert await allowed(here, BURST - 5) == BURST - 5
    assert await allowed(there, 100) == 5
    assert await refusal(here) == pytest.approx(3.0)
    await clock.advance(3.0)
    assert await allowed(here, 100) == 1
    assert await refusal(there) == pytest.approx(3.0)


async def test_who_is_known_to_be_early_is_refused_without_asking() -> None:
    """A refusal costs one question, and then none until the time has come."""
    clock = ManualClock()
    node = Asked(Twin("a:1", clock))
    limits = Limiter(node, SLACK, clock)
    await allowed(limits, 100)
    asked = node.count
    for _ in range(50):
        await refusal(limits)
    assert node.count == asked
    await clock.advance(3.0)
    assert await allowed(limits, 5) == 1


async def test_refused_calls_cost_nothing() -> None:
    """However many come, the next one is welcome when the first was told."""
    clock = ManualClock()
    node = Twin("a:1", clock)
    webapps = [Limiter(node, SLACK, clock) for _ in range(5)]
    await allowed(webapps[0], 100)
    for _ in range(20):
        for webapp in webapps:
            await refusal(webapp)
    await clock.advance(3.0)
    assert sum([await allowed(webapp, 1) for webapp in webapps]) == 1


async def test_apps_users_methods_and_workspaces_have_limits_of_their_own() -> None:
    """A bot's is its app's; a person's token without an app has its own."""
    clock = ManualClock()
    limits = Limiter(Twin("a:1", clock), SLACK, clock)
    other_bot = Caller("T1", "U3", app_id="A1")
    elsewhere = Caller("T2", "U2", bot_id="B1", app_id="A1")
    assert await allowed(limits, 100) == BURST
    assert await allowed(limits, 1, other_bot) == 0
    assert await allowed(limits, 100, ADA) == BURST
    assert await allowed(limits, 100, elsewhere) == BURST
    await limits.check(Tier.T2, "another.method", BOT)


async def test_posts_have_a_limit_for_each_conversation_and_one_for_all() -> None:
    """What one of the two refuses counts for neither."""
    clock = ManualClock()
    limits = Limiter(Twin("a:1", clock), SLACK, clock)
    each = RATES[Tier.POSTING].burst
    assert await allowed(limits, 100, tier=Tier.POSTING, reference="C1") == each
    assert await allowed(limits, 100, tier=Tier.POSTING, reference="#c2") == each
    passed = 2 * each
    for number in range(100):
        passed += await allowed(limits, each, tier=Tier.POSTING, reference=f"D{number}")
    assert passed == POSTING_ALL.burst
    # The conversation that was refused for all of them has its own calls still.
    await clock.advance(1.0)
    assert await allowed(limits, 100, tier=Tier.POSTING, reference="D99") == 10


async def test_webhooks_have_their_own() -> None:
    """By the address that they are called by."""
    clock = ManualClock()
    limits = Limiter(Twin("a:1", clock), SLACK, clock)
    for _ in range(HOOK.burst):
        await limits.check_hook("T1/B1/secret")
    with pytest.raises(RateLimited):
        await limits.check_hook("T1/B1/secret")
    await limits.check_hook("T1/B2/secret")


async def test_without_memcached_each_webapp_limits_by_itself() -> None:
    """And goes on from what it saw last; when memcached is back, all do together again."""
    clock = ManualClock()
    node = Twin("a:1", clock)
    here, there = Limiter(node, SLACK, clock), Limiter(node, SLACK, clock)
    assert await allowed(here, BURST - 2) == BURST - 2
    node.is_away = True
    assert await allowed(here, 100) == 2
    assert await allowed(there, 100) == BURST
    assert await refusal(there) == pytest.approx(3.0)
    await clock.advance(6.0)
    assert await allowed(there, 100) == 2
    node.is_away = False
    await clock.advance(600.0)
    assert await allowed(here, 10) + await allowed(there, 100) == BURST


async def test_limits_are_scaled_or_off() -> None:
    """Five times the burst; or none at all."""
    clock = ManualClock()
    assert await allowed(Limiter(Twin("a:1", clock), Scale(5), clock), 1000) == 5 * BURST
    assert await allowed(Unlimited(), 10_000) == 10_000
    await Unlimited().check_hook("T1/B1/secret")


def test_what_is_remembered_is_bounded() -> None:
    """What was touched longest ago goes first."""
    nearby, rate = Nearby(3), RATES[Tier.T2]
    for number in range(5):
        nearby.take(f"k{number}", rate, 1_700_000_000_000_000)
    assert len(nearby) == 3


def test_a_clock_that_was_set_back_shuts_nobody_out() -> None:
    """What is known is then of no use."""
    nearby, rate = Nearby(), RATES[Tier.T2]
    for _ in range(rate.burst):
        assert nearby.take("k", rate, 1_700_000_000_000_000) == 0
    assert nearby.take("k", rate, 1_700_000_000_000_000) > 0
    assert nearby.take("k", rate, 1_600_000_000_000_000) == 0


@pytest.mark.mesh
async def test_a_real_node_counts_the_calls_of_two_at_once(tmp_path: Path) -> None:
    """A hundred calls in a crowd: a burst passes, and what the time that it took gives besides."""
    clock = SystemClock()
    async with cache_server(tmp_path) as server, client(server.address) as one, client(server.address) as two:
        webapps = [Limiter(one, SLACK, clock), Limiter(two, SLACK, clock)]
        began_us = clock.wall_us()
        passed = await asyncio.gather(*(allowed(webapps[n % 2], 1) for n in range(100)))
        took_us = clock.wall_us() - began_us
    # While a refused call is being taken back, one that was due may be refused as well.
    assert BURST - 3 <= sum(passed) <= BURST + 1 + took_us // RATES[Tier.T2].interval_us


async def test_a_crowd_is_held_back_before_it_reaches_memcached() -> None:
    """All but a burst of it; and who of that is refused is told to wait for a burst at most, not for all of them."""
    clock = ManualClock()
    node = Asked(Twin("a:1", clock))
    webapps = [Limiter(node, SLACK, clock) for _ in range(3)]
    waits: list[float] = []

    async def call(limits: Limiter) -> int:
        try:
            await limits.check(Tier.T2, "a.method", BOT)
        except RateLimited as limit:
            waits.append(limit.retry_after_s)
            return 0
        return 1

    passed = await asyncio.gather(*(call(limits) for limits in webapps for _ in range(300)))
    assert sum(passed) == BURST
    assert node.count <= 3 * BURST
    assert max(waits) <= 3.0 * BURST
    await clock.advance(3.0)
    assert sum([await allowed(limits, 1) for limits in webapps]) == 1


async def test_tries_to_get_in_are_limited_by_login_and_by_address() -> None:
    """By all webapps together, and also where calls are not; a login and an address that nobody said count nothing."""
    clock = ManualClock()
    node = Twin("a:1", clock)
    here, there = Limiter(node, SLACK, clock), Limiter(node, OFF, clock)

    async def tried(limits: Limiter, login: str, address: str, tries: int = 200) -> int:
        for number in range(tries):
            try:
                await limits.check_try(login, address)
            except RateLimited:
                return number
        return tries

    assert await tried(here, "acme:ada", "", 6) == 6
    assert await tried(there, "acme:ada", "") == TRIES_OF_LOGIN.burst - 6
    assert await tried(here, "acme:grace", "") == TRIES_OF_LOGIN.burst
    await clock.advance(60.0)
    assert await tried(there, "acme:ada", "") == 1
    assert await tried(here, "", "192.0.2.1", 50) == 50
    assert await tried(there, "", "192.0.2.1") == TRIES_FROM_ADDRESS.burst - 50
    assert await tried(there, "", "192.0.2.2") == TRIES_FROM_ADDRESS.burst
    assert await tried(here, "", "") == 200
    assert await allowed(there, 500) == 500
