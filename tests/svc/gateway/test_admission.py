"""Admission: one bucket, three kinds of arrivals, and refused clients that come back spread out."""

import asyncio
from random import Random
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.gateway.admission import Admission, AdmissionLimits, Arrival, arrival_of
from tests.svc.gateway.conftest import until

ANN, BOB = "U0000000001", "U0000000002"
LIMITS = AdmissionLimits(admit_per_s=10, admit_burst=100, retry_after_max_s=60)


def bucket(limits: AdmissionLimits = LIMITS) -> Admission:
    return Admission(limits, Random(1), 0.0)


@pytest.mark.parametrize(
    ("flags", "arrival"),
    [
        ((), Arrival.BOOT),
        (("resume_aware",), Arrival.BOOT),
        (("reconnect",), Arrival.RECONNECT),
        (("resume_aware", "resume", "reconnect"), Arrival.RESUME),
        (("resume_aware", "resume", "cold"), Arrival.BOOT),
        (("resume_aware", "resume", "reconnect", "cold"), Arrival.RECONNECT),
    ],
)
def test_the_ticket_says_which_kind_of_arrival_it_is(flags: tuple[str, ...], arrival: Arrival) -> None:
    """Nothing said: from nothing."""
    assert arrival_of(flags) is arrival


@pytest.mark.parametrize(("arrival", "at_once"), [(Arrival.BOOT, 50), (Arrival.RECONNECT, 75), (Arrival.RESUME, 100)])
def test_each_kind_leaves_a_reserve_to_those_before_it(arrival: Arrival, at_once: int) -> None:
    """The last half is for reconnects and resumes, the last quarter for resumes."""
    admission = bucket()
    assert [admission.admit(arrival, 0.0) for _ in range(at_once)] == [0] * at_once
    assert admission.admit(arrival, 0.0) > 0
    assert (admission.admitted[arrival], admission.refused[arrival]) == (at_once, 1)


def test_after_the_burst_connections_come_in_at_the_rate() -> None:
    """Ten a second, whatever the crowd."""
    admission = bucket()
    admitted = sum(not admission.admit(Arrival.RESUME, step / 100) for step in range(1_000))
    assert 195 <= admitted <= 201


def test_while_those_who_resume_take_all_there_is_nobody_else_gets_in() -> None:
    """And when they are done, reconnects are first."""
    admission = bucket()
    turns: dict[Arrival, list[int]] = {arrival: [] for arrival in Arrival}
    crowd = dict.fromkeys(Arrival, 150)
    for second in range(1, 60):
        for arrival in (Arrival.BOOT, Arrival.RECONNECT, Arrival.RESUME):
            for _ in range(crowd[arrival]):
                if not admission.admit(arrival, float(second)):
                    crowd[arrival] -= 1
                    turns[arrival].append(second)
    assert crowd[Arrival.RESUME] == 0
    assert max(turns[Arrival.RESUME]) < max(turns[Arrival.RECONNECT])
    late = [second for second in turns[Arrival.BOOT] if second > 1]
    assert not late or min(late) > max(turns[Arrival.RESUME])


def test_a_crowd_is_told_to_come_back_over_the_time_that_it_takes() -> None:
    """Two hundred refused at ten a second: spread over some twenty seconds, within the limit."""
    admission = bucket()
    for _ in range(100):
        admission.admit(Arrival.RESUME, 0.0)
    waits = [admission.admit(Arrival.RESUME, 0.0) for _ in range(200)]
    assert min(waits) >= 1
    assert 15 <= max(waits) <= 31
    assert len(set(waits)) > 10
    assert all(admission.admit(Arrival.BOOT, 0.0) <= 60 for _ in range(5_000))


@given(st.lists(st.tuples(st.sampled_from(Arrival), st.floats(0, 5)), max_size=200))
def test_never_more_than_burst_and_rate_allow(arrivals: list[tuple[Arrival, float]]) -> None:
    """Whatever comes when, and a clock that stands still harms nothing."""
    admission, now, admitted = bucket(), 0.0, 0
    for arrival, pause in arrivals:
        now += pause
        admitted += not admission.admit(arrival, now)
        assert admitted <= 100 + now * 10 + 1e-6


async def test_a_busy_gateway_refuses_with_a_retry_after_and_the_ticket_stays_good(open_house: Any) -> None:
    """Those who resume still come in."""
    house = await open_house(admission=AdmissionLimits(admit_per_s=2, admit_burst=8))
    boots = [await house.connect(ANN) for _ in range(4)]
    url = house.url(BOB)
    house.mesh.members[BOB] = []
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await house.http.ws_connect(url)
    assert refused.value.status == 503
    assert refused.value.headers is not None
    assert int(refused.value.headers["Retry-After"]) >= 1
    resuming = await house.http.ws_connect(house.url(BOB, flags=["resume_aware", "resume"]))
    assert (await resuming.receive_json())["type"] == "hello"
    async with house.http.get(url, headers={"Upgrade": "websocket"}) as answer:
        assert (await answer.json())["error"]["msg"] == "busy", "not: has been used"
    assert len(boots) == 4
    await resuming.close()


ADAPTIVE = AdmissionLimits(
    admit_per_s=400, admit_per_s_min=100, admit_raise_per_s=50, admit_burst=800, opening_s_max=1.0, retry_after_max_s=60
)


def test_slow_openings_halve_the_rate_once_in_the_time_that_shows_it() -> None:
    """A hundred slow ones at once are one verdict; the lowest rate stays."""
    admission = bucket(ADAPTIVE)
    rates = []
    for now in (0.0, 0.1, 0.9, 1.0, 1.5, 2.0, 3.0, 4.0):
        for _ in range(100):
            admission.opened(1.2, now)
        rates.append(round(admission.rate_per_s))
    assert rates[:3] == [200, 200, 200]
    assert rates[3] == 125, "half of what was regained"
    assert min(rates) == 100


def test_the_rate_is_regained_by_so_much_a_second() -> None:
    """And never beyond the highest."""
    admission = bucket(ADAPTIVE)
    admission.opened(5.0, 0.0)
    for now, rate in ((1.0, 250), (2.0, 300), (4.0, 400), (60.0, 400)):
        admission.opened(0.1, now)
        admission.admit(Arrival.RESUME, now)
        assert admission.rate_per_s == rate


def test_quick_openings_change_nothing() -> None:
    """The usual case."""
    admission = bucket(ADAPTIVE)
    for step in range(1_000):
        admission.opened(0.99, step / 100)
    assert admission.rate_per_s == 400


def test_while_the_rate_is_low_the_refused_are_spread_over_longer() -> None:
    """Retry-After follows the rate."""

    def longest(is_slow: bool) -> int:
        admission = bucket(ADAPTIVE)
        for step in range(4 * is_slow):
            admission.opened(9.0, float(step))
        return max(admission.admit(Arrival.RESUME, 3.0) for _ in range(3_000))

    assert longest(is_slow=True) > 2 * longest(is_slow=False)


@pytest.mark.parametrize("arrival", [Arrival.RESUME, Arrival.RECONNECT])
@pytest.mark.parametrize("took_s", [0.1, 9.0])
def test_the_clients_of_a_dead_gateway_are_in_within_ten_seconds(arrival: Arrival, took_s: float) -> None:
    """Two thousand at once, with the defaults, though opening them takes far too long; refused ones come as told."""
    admission, dice = Admission(AdmissionLimits(), Random(1), 0.0), Random(2)
    arrivals = sorted((dice.uniform(0.1, 3.0), number) for number in range(2_000))
    last = 0.0
    while arrivals:
        now, number = arrivals.pop(0)
        admission.opened(took_s, now)
        wait_s = admission.admit(arrival, now)
        if wait_s:
            arrivals = sorted([*arrivals, (now + wait_s * dice.uniform(1.0, 1.25), number)])
        else:
            last = now
    assert last <= 8.0


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 3), st.sampled_from(Arrival)), max_size=200))
def test_whatever_openings_take_the_rate_stays_within_its_bounds(steps: list[tuple[float, float, Arrival]]) -> None:
    """And tokens within the burst."""
    admission, now, admitted = bucket(ADAPTIVE), 0.0, 0
    for took_s, pause, arrival in steps:
        now += pause
        admission.opened(took_s, now)
        admitted += not admission.admit(arrival, now)
        assert 100 <= admission.rate_per_s <= 400
        assert admitted <= 800 + 400 * now + 1e-6


async def test_openings_that_take_too_long_slow_admission_down(open_house: Any) -> None:
    """Measured from a client's turn until what it follows is known."""
    limits = AdmissionLimits(admit_per_s=100, admit_per_s_min=10, opening_s_max=0.05, admit_raise_per_s=0)
    house = await open_house(admission=limits)
    house.mesh.members[BOB] = []
    await house.connect(ANN)
    assert house.door._admission.rate_per_s == 100
    house.mesh.is_down = True
    bob = await house.http.ws_connect(house.url(BOB))
    await asyncio.sleep(0.1)
    house.mesh.is_down = False
    await until(lambda: house.door._admission.rate_per_s == 50)
    await bob.close()
