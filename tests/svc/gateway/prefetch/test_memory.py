"""What prefetch remembers: bounded, the newest kept, and never an older version of anybody."""

import sys
from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.prefetch.audience import Audience, named
from svc.gateway.prefetch.memory import FRESH_S, HeldOutput, Met, ObjectCache, objects_frame
from tests.svc.gateway.hub_twins import FakeMember

T, ANN, BOB, EVE = "T0000000001", "U0000000001", "U0000000002", "U0000000003"


def user(user_id: str, version: int = 0, **fields: str) -> boot_pb2.User:
    return boot_pb2.User(id=user_id, team_id=T, version=version, **fields)  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 2**32 - 1), max_size=300))
def test_whom_one_met_last_is_remembered(numbers: list[int]) -> None:
    """Nobody is remembered who was not met, and the newest of each pair of places always is."""
    met = Met()
    for number in numbers:
        met.add(number)
        assert number in met
    assert all(number in numbers for number in range(1, 50) if number in met)


def test_a_few_hundred_are_all_remembered_and_the_oldest_of_many_forgotten() -> None:
    """Two thousand at most, in 8 KiB."""
    met = Met()
    dice = Random(1)
    numbers = [dice.getrandbits(32) | 1 for _ in range(20_000)]
    for count, number in enumerate(numbers[:200], start=1):
        met.add(number)
        assert sum(each in met for each in numbers[:count]) >= count * 0.9
    for number in numbers:
        met.add(number)
    assert sum(each in met for each in numbers) <= 2_048
    assert sum(each in met for each in numbers[-500:]) >= 400
    assert sys.getsizeof(met._table) <= 8_300
    assert sys.getsizeof(Met()._table) <= 400


def test_the_cache_keeps_the_higher_version() -> None:
    """An edge that is a moment behind undoes no change."""
    cache = ObjectCache(1_000_000)
    cache.put(T, user(ANN, 5, name="new"), 0.0, 0.0)
    cache.put(T, user(ANN, 4, name="old"), 0.0, 0.0)
    known = cache.get(T, ANN, 0.0)
    assert known is not None
    assert (orjson.loads(known.json)["name"], orjson.loads(known.json)["v"]) == ("new", 5)
    cache.put_unknown(T, ANN, 0.0)
    assert cache.get(T, ANN, 0.0) is known
    assert cache.get("T0000000002", ANN, 0.0) is None, "users of one workspace are nobody's business in another"
    assert cache.get(T, ANN, FRESH_S) is None, "asked for again after a while"
    cache.put(T, user(ANN, 5, name="new"), FRESH_S, 0.0)
    assert cache.get(T, ANN, FRESH_S) is not None


def test_the_cache_is_bounded_by_bytes_and_forgets_whole_workspaces() -> None:
    """Those not asked for longest go first."""
    cache = ObjectCache(20_000)
    for number in range(100):
        cache.put(T, user(f"U{number:010d}"), 0.0, 0.0)
        cache.get(T, "U0000000000", 0.0)
        assert cache.bytes <= 20_000
    assert 5 < len(cache) < 30
    assert cache.get(T, "U0000000000", 0.0) is not None
    assert cache.get(T, "U0000000001", 0.0) is None
    cache.put("T0000000002", user(BOB), 0.0, 0.0)
    cache.forget_team(T)
    assert (len(cache), cache.get("T0000000002", BOB, 0.0) is not None) == (1, True)
    cache.forget_team("T0000000002")
    assert (len(cache), cache.bytes) == (0, 0)


def test_an_event_names_its_sender_and_whom_it_mentions() -> None:
    """Bots without a user, and what is no id, are nobody."""
    event = event_pb.Event(sender_id=ANN, mentioned_user_ids=[BOB, ANN, "U1", "here", "C0000000001"])
    assert named(event) == [ANN, BOB]
    assert named(event_pb.Event(sender_id="B0000000001")) == []


def test_an_audience_looks_again_when_somebody_joins() -> None:
    """Until then, users whom all have cost one look-up an event."""
    audience = Audience()
    audience.add(FakeMember("1", met=Met()))
    event = event_pb.Event(sender_id=ANN, mentioned_user_ids=[BOB])
    assert audience.strangers(event) == [ANN, BOB]
    audience.familiar([ANN])
    assert audience.strangers(event) == [BOB]
    assert audience.strangers(event_pb.Event(sender_id=ANN)) == []
    audience.add(FakeMember("2", met=Met()))
    assert audience.strangers(event) == [ANN, BOB]
    for number in range(1_000):
        audience.familiar([f"U{number:010d}"])
        assert audience._familiar is not None
        assert len(audience._familiar) <= 64 + 2 * 2


def test_held_output_keeps_its_order_and_leaves_out_what_never_came() -> None:
    """Bytes are counted."""
    held = HeldOutput()
    held.take([b"a", b"bb"])
    first = held.leave_place()
    held.take([b"c"])
    second = held.leave_place()
    held.take([b"d"])
    held.fill(second, b"user")
    assert held.frames() == [b"a", b"bb", b"c", b"user", b"d"]
    assert held.bytes == 9
    held.fill(first, b"other")
    assert held.frames() == [b"a", b"bb", b"other", b"c", b"user", b"d"]


def test_the_frame_is_json() -> None:
    """Whatever is in it."""
    assert orjson.loads(objects_frame([b'{"id":"U1"}', b'{"id":"U2"}'])[2:]) == {
        "type": "user_objects",
        "users": [{"id": "U1"}, {"id": "U2"}],
    }
