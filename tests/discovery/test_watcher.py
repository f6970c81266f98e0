"""The watcher against a Consul that errs, lies and starts over: the view stays whole, and the loop stays calm."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from discovery.health import HealthQueries
from discovery.ring import Ring
from discovery.ring_watcher import RingWatcher
from discovery.view import Instance
from discovery.watcher import ServiceWatcher
from svc.kit.clock import SystemClock
from svc.kit.errors import DeadlineError, PermissionDeniedError, UnavailableError
from svc.kit.lifecycle import background
from tests.discovery.agents import until
from tests.discovery.fake_consul import Answer, FakeConsul, Query

HANGING = 30.0
CLOCK = SystemClock()


class Probes:
    """Who answers when asked directly."""

    def __init__(self, *alive: str) -> None:
        self.alive = set(alive)
        self.asked: list[str] = []

    async def __call__(self, instance: Instance) -> bool:
        self.asked.append(instance.id)
        return instance.id in self.alive


@asynccontextmanager
async def watching(
    consul: FakeConsul, probes: Probes | None = None, wait_s: float = 5.0
) -> AsyncIterator[ServiceWatcher]:
    """Run a watcher of the channel tier against `consul`."""
    async with consul, HealthQueries(f"http://{consul.address}", "", 0.5) as health:
        watcher = ServiceWatcher(health, "parley-channel", CLOCK, probes or Probes(), wait_s=wait_s)
        async with background("watch", watcher.run()):
            yield watcher


def seen(watcher: ServiceWatcher) -> str:
    """Return the ids in the view, joined."""
    return "".join(instance.id for instance in watcher.snapshot.instances)


def script(*answers: Answer) -> FakeConsul:
    """Return a Consul that gives these answers to the watch, and then blocks."""
    rest: Iterator[Answer] = iter(answers)
    return FakeConsul(lambda query: next(rest, Answer(delay_s=HANGING)))


async def test_the_view_follows_the_answers_and_the_index() -> None:
    """Each answer's index is what the next query blocks on."""
    consul = script(Answer("a", 5), Answer("ab", 9))
    async with watching(consul) as watcher:
        await until(lambda: seen(watcher) == "ab")
        await until(lambda: len(consul.queries) == 3)
        assert [query.index for query in consul.queries] == [0, 5, 9]
        assert watcher.snapshot.index == 9


@pytest.mark.parametrize(
    "error",
    [
        Answer("", 1, status=500),
        Answer("", 1, status=404),
        Answer("", 7, status=302),
        Answer(index=7, raw="not json"),
        Answer(index=7, raw='{"a": 1}'),
        Answer(index=7, raw="[1, 2]"),
        Answer(index=7, raw='[{"Service": {"ID": "a", "Port": 1, "Address": "h", "Weights": {"Passing": "x"}}}]'),
    ],
    ids=["500", "404", "redirect", "no json", "no list", "no objects", "no number"],
)
async def test_an_error_changes_nothing_and_its_index_is_not_taken(error: Answer) -> None:
    """FACTS: a leaderless server answers 500 with X-Consul-Index: 1. After an error the next read is a plain one."""
    consul = script(Answer("ab", 50), error, Answer("ab", 51))
    async with watching(consul) as watcher:
        await until(lambda: len(consul.queries) == 4)
        assert [query.index for query in consul.queries] == [0, 50, 0, 51]
        assert seen(watcher) == "ab"


async def test_an_index_that_goes_backwards_is_reset_and_its_answer_used() -> None:
    """A restarted Consul begins to count again."""
    consul = script(Answer("ab", 500), Answer("abc", 3), Answer("abc", 4))
    async with watching(consul) as watcher:
        await until(lambda: len(consul.queries) == 4)
        assert [query.index for query in consul.queries] == [0, 500, 0, 4]
        assert seen(watcher) == "abc"


@pytest.mark.parametrize("index", [0, -3, None, "soon"])
async def test_a_useless_index_never_makes_the_loop_spin(index: int | str | None) -> None:
    """Blocking on 0 does not block: the loop backs off instead."""
    consul = FakeConsul(lambda query: Answer("a", index))
    async with watching(consul) as watcher:
        await until(lambda: seen(watcher) == "a")
        await asyncio.sleep(1.0)
        assert {query.index for query in consul.queries} == {0}
        assert len(consul.queries) < 40


async def test_a_consul_that_errs_at_once_is_asked_ever_more_rarely() -> None:
    """Errors back off with jitter; the view of before stays."""
    consul = script(Answer("ab", 5))
    async with watching(consul) as watcher:
        await until(lambda: seen(watcher) == "ab")
        consul.respond = lambda query: Answer(status=500)
        watcher.suspect("a")
        began = len(consul.queries)
        await asyncio.sleep(1.5)
        assert 2 <= len(consul.queries) - began <= 15
        assert watcher.is_failing
        assert seen(watcher) == "ab"


async def test_a_busy_catalog_is_read_at_most_fifty_times_a_second() -> None:
    """An index that rises with every query must not take the processor with it."""
    count = iter(range(1, 1_000_000))
    consul = FakeConsul(lambda query: Answer("a", next(count)))
    async with watching(consul) as watcher:
        await until(lambda: seen(watcher) == "a")
        began = len(consul.queries)
        await asyncio.sleep(0.5)
        assert len(consul.queries) - began <= 26


async def test_an_empty_answer_is_believed_when_a_consistent_read_and_the_instances_agree() -> None:
    """Everybody is really gone: two opinions, then the view is empty."""
    probes = Probes()
    consul = script(Answer("ab", 5), Answer("", 6), Answer("", 6))
    async with watching(consul, probes) as watcher:
        await until(lambda: watcher.snapshot.index == 6)
        assert seen(watcher) == ""
        assert sorted(probes.asked) == ["a", "b"]
        assert [query.is_consistent for query in consul.queries[:3]] == [False, False, True]


async def test_an_empty_answer_that_the_leader_denies_is_forgotten() -> None:
    """A stale server was wrong: nobody is asked, nothing changes."""
    probes = Probes()
    consul = script(Answer("ab", 5), Answer("", 6), Answer("ab", 7))
    async with watching(consul, probes) as watcher:
        await until(lambda: len(consul.queries) >= 4)
        assert seen(watcher) == "ab"
        assert probes.asked == []


async def test_without_a_leader_to_ask_nobody_is_taken_out() -> None:
    """The second opinion fails: the first is not believed."""
    consul = FakeConsul(
        lambda query: (
            Answer(status=500) if query.is_consistent else Answer("" if query.index else "ab", 5 + query.index)
        )
    )
    async with watching(consul) as watcher:
        await until(lambda: len(consul.queries) > 6)
        assert seen(watcher) == "ab"


async def test_those_that_still_answer_are_held_until_they_fall_silent() -> None:
    """Consul forgot both; one lives. Then it dies, and its grace ends with it."""
    probes = Probes("a")

    def respond(query: Query) -> Answer:
        return Answer("ab", 5) if len(consul.queries) == 1 else Answer("", 6, delay_s=0.2 if query.index >= 6 else 0)

    consul = FakeConsul(respond)
    async with watching(consul, probes) as watcher:
        await until(lambda: seen(watcher) == "a")
        await asyncio.sleep(0.3)
        assert seen(watcher) == "a"
        probes.alive.clear()
        assert await until(lambda: seen(watcher) == "") < 2.5


async def test_losing_most_of_many_at_once_is_checked_as_well() -> None:
    """Three of four vanish from an answer; two of them are alive."""
    probes = Probes("a", "b")
    consul = script(Answer("abcd", 5), Answer("d", 6), Answer("d", 6))
    async with watching(consul, probes) as watcher:
        await until(lambda: watcher.snapshot.index == 6)
        assert seen(watcher) == "abd"


async def test_a_hint_makes_the_watcher_ask_at_once_and_removes_nobody() -> None:
    """A broken stream is a reason to look, not a verdict. Strangers and repeated hints are ignored."""
    consul = script(Answer("ab", 5), Answer("ab", 6, delay_s=HANGING), Answer("ab", 6), Answer("b", 7, delay_s=0.3))
    async with watching(consul) as watcher:
        await until(lambda: len(consul.queries) == 2)
        watcher.suspect("x")
        await asyncio.sleep(0.05)
        assert len(consul.queries) == 2
        watcher.suspect("a")
        watcher.suspect("a")
        await until(lambda: len(consul.queries) == 4)
        assert [query.index for query in consul.queries] == [0, 5, 0, 6]
        assert seen(watcher) == "ab"
        await until(lambda: seen(watcher) == "b")


async def test_readers_wait_for_the_first_view_and_then_get_each_new_one() -> None:
    """`ready` has a deadline; `changes` begins with what is."""
    consul = script(Answer("", 4, delay_s=0.2), Answer("a", 5, delay_s=0.1))
    async with watching(consul) as watcher:
        with pytest.raises(DeadlineError):
            await watcher.ready(0.05)
        changes = watcher.changes()
        assert (await anext(changes)).instances == ()
        assert [instance.id for instance in (await anext(changes)).instances] == ["a"]
        assert (await watcher.ready(1)).index == 5


async def test_health_queries_say_what_went_wrong() -> None:
    """Refused, too late, not there: one error each, from the kit's tree."""
    consul = FakeConsul(lambda query: Answer(status=403))
    async with consul, HealthQueries(f"http://{consul.address}", "", 0.1) as health:
        with pytest.raises(PermissionDeniedError):
            await health.passing("parley-channel")
        consul.respond = lambda query: Answer(delay_s=HANGING)
        with pytest.raises(DeadlineError):
            await health.passing("parley-channel")
    async with HealthQueries("http://127.0.0.1:1", "", 0.1) as health:
        with pytest.raises(UnavailableError):
            await health.passing("parley-channel")


async def test_a_ring_changes_with_its_members_and_readers_miss_no_slot() -> None:
    """A slow reader gets the way from what it saw to the newest ring in one change."""
    consul = script(Answer("a", 5), Answer("ab", 6, delay_s=0.05), Answer("abc", 7, delay_s=0.05))
    async with watching(consul) as watcher:
        rings = RingWatcher(watcher)
        changes = rings.changes()
        first = await anext(changes)
        assert set(first.moves.values()) == {(None, "a")}
        await until(lambda: len(rings.ring.members) == 3)
        second = await anext(changes)
        assert second.before is first.after
        assert second.after is rings.ring
        assert {old for old, _ in second.moves.values()} == {"a"}
        assert {new for _, new in second.moves.values()} == {"b", "c"}
        owner = rings.owner("C1")
        assert owner == rings.instance(owner.id)
        assert rings.instance("x") is None
        assert rings.fingerprint == Ring(rings.ring.members.values()).fingerprint
