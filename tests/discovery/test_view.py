"""What is believed of Consul's answers: the rules, as tables and short stories."""

from typing import Any

import pytest

from discovery.view import GRACE_S, WARY_S, Instance, ServiceView, next_index, parse_instances, service_name

NOW = 1_000.0


def some(*names: str) -> tuple[Instance, ...]:
    """Return instances with these ids, in order."""
    return tuple(Instance(name, "channel", f"{name}:1") for name in sorted(names))


def view_of(*names: str) -> ServiceView:
    """Return a view that believes in these instances."""
    view = ServiceView("parley-channel")
    view.believe(7, some(*names), NOW)
    return view


def ids(view: ServiceView) -> str:
    """Return the ids in a view, joined."""
    return "".join(instance.id for instance in view.snapshot.instances)


@pytest.mark.parametrize(
    ("asked", "answered", "expected"),
    [(0, 5, 5), (5, 5, 5), (5, 9, 9), (9, 5, 0), (5, 0, 0), (5, -1, 0), (0, 0, 0)],
)
def test_an_index_that_goes_backwards_or_is_not_positive_starts_over(asked: int, answered: int, expected: int) -> None:
    """Consul's own advice for blocking queries."""
    assert next_index(asked, answered) == expected


@pytest.mark.parametrize(
    ("known", "seen", "is_doubted"),
    [
        ("", "", False),
        ("", "ab", False),
        ("ab", "abc", False),
        ("a", "", True),
        ("ab", "", True),
        ("ab", "b", False),
        ("abc", "c", False),
        ("abcd", "cd", False),
        ("abcd", "d", True),
        ("abcd", "xyz", True),
        ("abcdefgh", "defgh", False),
        ("abcdefgh", "fgh", True),
    ],
)
def test_losing_everybody_or_most_of_four_is_doubted(known: str, seen: str, is_doubted: bool) -> None:
    """One death is believed; a massacre is checked."""
    assert view_of(*known).doubts(some(*seen), NOW) is is_doubted


def test_any_loss_is_doubted_for_a_while_after_consul_was_in_trouble() -> None:
    """A Consul back without its data lists whoever registered first, and one of three is no mass."""
    view = view_of(*"abc")
    view.disturbed(NOW)
    assert view.doubts(some(*"ab"), NOW + WARY_S - 1)
    assert not view.doubts(some(*"abcd"), NOW + WARY_S - 1)
    assert not view.doubts(some(*"ab"), NOW + WARY_S + 1)


def test_the_lost_that_answer_are_held_and_the_silent_are_dropped() -> None:
    """After a doubt was checked, the view holds the listed and the living."""
    view = view_of(*"abc")
    assert view.believe(9, (), NOW, answering={"a", "b"})
    assert ids(view) == "ab"
    assert [instance.id for instance in view.held] == ["a", "b"]
    assert view.snapshot.index == 9


def test_a_held_instance_that_registers_is_ordinary_again() -> None:
    """The registrar came back: from now on its absence counts."""
    view = view_of(*"abc")
    view.believe(1, (), NOW, answering=set("abc"))
    assert not view.believe(2, some(*"ab"), NOW + 1)
    assert [instance.id for instance in view.held] == ["c"]
    assert view.believe(3, some(*"b"), NOW + 2)
    assert ids(view) == "bc"


def test_held_instances_are_not_lost_a_second_time() -> None:
    """While some are held, an ordinary answer does not raise the same doubt again and again."""
    view = view_of(*"ab")
    view.believe(1, (), NOW, answering=set("ab"))
    assert not view.doubts((), NOW + 1)
    assert not view.believe(2, (), NOW + 1)
    assert ids(view) == "ab"


def test_a_held_instance_leaves_when_it_falls_silent_or_its_grace_ends() -> None:
    """Held is not for ever."""
    view = view_of(*"ab")
    view.believe(1, (), NOW, answering=set("ab"))
    assert view.recheck({"a"}, NOW + 1)
    assert ids(view) == "a"
    assert not view.recheck({"a"}, NOW + GRACE_S - 1)
    assert view.recheck({"a"}, NOW + GRACE_S)
    assert ids(view) == ""


def test_a_view_is_ready_after_its_first_answer_even_an_empty_one() -> None:
    """A tier without instances is knowledge; no answer at all is not."""
    view = ServiceView("parley-edge")
    assert not view.is_ready
    assert not view.believe(3, (), NOW)
    assert view.is_ready


def test_an_instance_is_read_from_consuls_answer() -> None:
    """Address, zone, weight and tags as registered; IPv6 in brackets; the node's address where there is no other."""
    entries: list[dict[str, Any]] = [
        {
            "Node": {"Address": "10.0.0.9"},
            "Service": {
                "ID": "channel-2",
                "Service": "parley-channel",
                "Address": "",
                "Port": 70,
                "Meta": {"zone": "az2", "version": "1"},
                "Weights": {"Passing": 5_000, "Warning": 1},
                "Tags": ["pool:main"],
            },
        },
        {
            "Node": {},
            "Service": {"ID": "channel-1", "Service": "redis", "Address": "fe80::1", "Port": 71, "Meta": None},
        },
    ]
    first, second = parse_instances(entries)
    assert first == Instance("channel-1", "redis", "[fe80::1]:71")
    assert second == Instance(
        "channel-2", "channel", "10.0.0.9:70", "az2", 1_000, {"zone": "az2", "version": "1"}, ("pool:main",)
    )


def test_entries_without_id_host_or_port_are_left_out() -> None:
    """One bad registration does not take the others with it."""
    good: dict[str, Any] = {"ID": "a", "Service": "s", "Address": "h", "Port": 1}
    bad: list[dict[str, Any]] = [
        {},
        {"Service": None},
        {"Service": {**good, "ID": ""}},
        {"Service": {**good, "Port": 0}},
    ]
    assert [instance.id for instance in parse_instances([*bad, {"Service": good}])] == ["a"]


def test_service_names_carry_our_prefix_once() -> None:
    """`channel` and `parley-channel` are the same service."""
    assert service_name("channel") == service_name("parley-channel") == "parley-channel"
