"""Interest sets and the batches that wait for each gateway."""

from __future__ import annotations

from svc.presence.roster import UserState
from svc.presence.watchers import Watchers


def made(watched_max: int = 100) -> tuple[Watchers, list[str]]:
    """Watchers with two attached gateways, and the list of those woken."""
    woken: list[str] = []
    watchers = Watchers(watched_max, woken.append)
    watchers.attach("g1")
    watchers.attach("g2")
    return watchers, woken


def test_only_those_who_look_are_told() -> None:
    """A change goes to the gateways that watch the user and wakes nobody else."""
    watchers, woken = made()
    watchers.watch("g1", ["UA"], [])
    watchers.tell([UserState("UA", active=True), UserState("UB", active=True)])
    assert woken == ["g1"]
    assert [state.user_id for state in watchers.take("g1", 10)] == ["UA"]
    assert watchers.take("g2", 10) == []


def test_the_latest_state_of_a_user_replaces_the_earlier_one() -> None:
    """However long a gateway does not listen, it is owed one entry a user."""
    watchers, _ = made()
    watchers.watch("g1", ["UA", "UB"], [])
    for active in (True, False, True, False):
        watchers.tell([UserState("UA", active=active), UserState("UB", active=not active)])
    assert watchers.take("g1", 10) == [UserState("UA", active=False), UserState("UB", active=True)]


def test_a_full_batch_wakes_the_gateway_again_for_the_rest() -> None:
    """A frame is bounded and nothing is left behind."""
    watchers, woken = made()
    users = [f"U{number}" for number in range(5)]
    watchers.watch("g1", users, [])
    watchers.tell([UserState(user) for user in users])
    assert [len(watchers.take("g1", 2)) for _ in range(3)] == [2, 2, 1]
    assert woken == ["g1"] * 3


def test_who_looks_away_is_not_told_what_was_pending() -> None:
    """Removing an interest removes its news."""
    watchers, _ = made()
    watchers.watch("g1", ["UA"], [])
    watchers.tell([UserState("UA")])
    watchers.watch("g1", [], ["UA", "UB"])
    assert watchers.take("g1", 10) == []
    assert not watchers.users


def test_a_gateway_that_is_gone_leaves_nothing_behind() -> None:
    """Detaching forgets interests and news; doing it twice is harmless."""
    watchers, _ = made()
    watchers.watch("g1", ["UA"], [])
    watchers.watch("g2", ["UA"], [])
    watchers.detach("g1")
    watchers.detach("g1")
    watchers.tell([UserState("UA")])
    assert watchers.take("g1", 10) == []
    assert [state.user_id for state in watchers.take("g2", 10)] == ["UA"]
    watchers.detach("g2")
    assert not watchers.users


def test_an_attachment_begins_with_nothing() -> None:
    """A new line of the same gateway inherits neither interests nor news."""
    watchers, _ = made()
    watchers.watch("g1", ["UA"], [])
    watchers.tell([UserState("UA")])
    watchers.attach("g1")
    assert watchers.take("g1", 10) == []
    assert watchers.watched_count("g1") == 0
    assert not watchers.users


def test_who_is_beyond_the_limit_is_left_out_and_the_others_are_watched() -> None:
    """The limit is on distinct users; repeating one costs nothing."""
    watchers, _ = made(watched_max=2)
    watchers.watch("g1", ["UA", "UA", "UB", "UB"], [])
    watchers.watch("g1", ["UC"], [])
    assert (set(watchers.users), watchers.left_out) == ({"UA", "UB"}, 1)
    watchers.tell([UserState("UC", active=True)])
    assert watchers.take("g1", 10) == []
    watchers.watch("g1", [], ["UC"])
    watchers.watch("g1", ["UC"], ["UA"])
    assert set(watchers.users) == {"UB", "UC"}
    assert watchers.watched_count("g1") == 2
