"""The judgement of pool control, played through in a world without sockets."""

from __future__ import annotations

import pytest

from svc.webapp.cache.pools.control import GRACE_S, Control
from svc.webapp.cache.pools.table import KEPT_S, Mode
from tests.svc.webapp.cache.pools.world import World, at, nodes, running

SLOTS = range(0, 16_384, 331)


def test_the_first_table_is_what_consul_has_listed_for_three_seconds() -> None:
    """A fleet that starts registers one after the other; nobody is left out for being second."""
    world = World(2)
    world.run(2)
    world.start(at(3), "3")
    world.run(3)
    assert world.history == []
    world.run(1)
    assert nodes(world) == {"1": at(1), "2": at(2), "3": at(3)}
    assert world.table is not None
    assert {seat.mode for seat in world.table.seats.values()} == {Mode.YOUNG}


def test_a_node_is_replaced_in_two_steps_and_warmed_up() -> None:
    """Announced, read with the old one behind it, alone, the old one let go."""
    world = running(spares=(9,))
    order = world.order("replace", "2")
    world.until_idle()
    assert world.said == [
        "seat 2: n9:11211 will take it from n2:11211 (order:1)",
        "seat 2: n9:11211 instead of n2:11211, which warms it up (n2:11211)",
        "seat 2: n9:11211 is warm after 30 s",
        "seat 2: n2:11211 let go",
    ]
    assert nodes(world)["2"] == at(9)
    assert world.table is not None
    assert world.table.retired == (at(2),)
    assert world.control.outcomes[order].state == "done"
    world.check_deletions(SLOTS)


def test_a_second_replacement_waits_until_the_pool_is_as_good_as_before() -> None:
    """Two ordered at once: one after the other, and nothing is thrown away."""
    world = running(8, spares=(11, 12))
    first, second = world.order("replace", "1"), world.order("replace", "2")
    world.run(2)
    assert world.control.outcomes[first].state == "running"
    assert world.control.outcomes[second].state == "waiting"
    assert world.control.outcomes[second].text == "waits for seat 1"
    world.run(8)
    assert world.control.outcomes[second].text.startswith("waits")
    assert "hit rate" in world.control.outcomes[second].text
    world.until_idle()
    # The second begins as soon as the pool is well; the first node before still has something to say.
    assert [text for text in world.said if "warm after" in text or "will take" in text] == [
        "seat 1: n11:11211 will take it from n1:11211 (order:1)",
        "seat 2: n12:11211 will take it from n2:11211 (order:2)",
        "seat 1: n11:11211 is warm after 30 s",
        "seat 2: n12:11211 is warm after 30 s",
    ]
    assert not world.lost
    world.check_deletions(SLOTS)


def test_no_more_than_a_quarter_of_the_pool_is_warming_up_when_the_next_change_begins() -> None:
    """The nodes before may die together: what is left to that chance is bounded."""
    world = running(8, spares=(11, 12, 13, 14, 15))
    world.filling = 0.05
    for seat in "12345":
        world.order("replace", seat)
    most = 0
    for _ in range(400):
        world.run(1)
        assert world.table is not None
        most = max(most, sum(bool(seat.warm or seat.next) for seat in world.table.seats.values()))
    assert most == 3
    world.until_idle()
    assert not world.lost


def test_a_node_that_left_consul_and_answers_is_restarting() -> None:
    """An agent's upgrade is none of the cache's business."""
    world = running(spares=(9,))
    seat = world.listed[at(1)]
    world.leave(at(1))
    world.run(GRACE_S - 2)
    assert world.control.state(world.seen(), at(1)) == "restarting"
    world.listed[at(1)] = seat
    world.run(60)
    assert world.said == []


def test_a_node_that_stays_away_from_consul_is_replaced_and_warms_its_successor_up() -> None:
    """Whoever took it out of Consul meant it."""
    world = running(spares=(9,))
    world.leave(at(1))
    world.run(GRACE_S + 20)
    assert nodes(world)["1"] == at(9)
    assert world.table is not None
    assert world.table.seats["1"].warm == at(1)
    world.until_idle()
    assert not world.lost


def test_who_is_registered_for_the_seat_of_a_node_that_left_takes_it_at_once() -> None:
    """A deployment that brings the new node and takes the old one out."""
    world = running()
    world.start(at(21), "2")
    world.run(10)
    assert nodes(world)["2"] == at(2)
    world.leave(at(2))
    world.run(5)
    assert nodes(world)["2"] == at(21)


def test_a_quarter_of_the_fleet_replaced_by_deployment_goes_one_by_one() -> None:
    """The morning of 22 February 2022: our keeper sets the pace, not the deployment."""
    world = running(8)
    for number in (1, 2):
        world.start(at(20 + number), str(number))
        world.leave(at(number))
    world.run(10)
    assert nodes(world) == {**{str(n): at(n) for n in range(1, 9)}, "1": at(21)}
    world.until_idle()
    world.run(60)
    assert nodes(world)["2"] == at(22)
    assert not world.lost


def test_a_dead_node_is_replaced_at_once_by_a_spare_even_while_another_warms_up() -> None:
    """There is nothing to lose, and every second costs."""
    world = running(spares=(8, 9))
    world.order("replace", "1", at(8))
    world.run(8)
    world.kill(at(3))
    world.run(7)
    assert nodes(world) == {"1": at(8), "2": at(2), "3": at(9), "4": at(4)}
    world.until_idle()
    world.check_deletions(SLOTS)


def test_a_dead_node_without_a_spare_keeps_its_seat_and_comes_back_to_it() -> None:
    """Its keys do not move: what they would leave behind is worse than a gutter."""
    world = running()
    world.kill(at(3))
    world.run(600)
    assert nodes(world)["3"] == at(3)
    assert world.control.state(world.seen(), at(3)) == "dead"
    world.start(at(3), "3")
    world.run(60)
    assert world.said == []


def test_a_node_that_hangs_is_replaced_after_the_grace_time() -> None:
    """Consul's TCP check finds a stopped process healthy: the kernel still takes its connections."""
    world = running(spares=(9,))
    world.answering.discard(at(2))
    world.run(GRACE_S - 2)
    assert nodes(world)["2"] == at(2)
    world.run(8)
    assert nodes(world)["2"] == at(9)


def test_who_finds_most_nodes_silent_that_consul_finds_healthy_blames_itself() -> None:
    """A keeper whose own line is cut throws nothing away."""
    world = running(spares=(8, 9))
    world.answering -= {at(1), at(2), at(3)}
    world.run(300)
    assert world.said == []


@pytest.mark.parametrize("answers", [True, False])
def test_consul_gone_or_empty_changes_nothing(answers: bool) -> None:
    """Not one seat is given up for what Consul does not say."""
    world = running(spares=(9,))
    if answers:
        world.listed.clear()
    world.consul_answers = answers
    world.run(600)
    assert world.said == []


def test_a_consul_that_lost_its_table_gets_it_back() -> None:
    """The webapps still follow what was; a table made anew would be another."""
    world = running()
    world.order("drain", "4")
    world.until_idle()
    before = world.table
    assert before is not None
    world.table = None
    world.history.clear()
    world.run(1)
    _, after = world.history[-1]
    assert after.seats == before.seats
    assert after.version == before.version + 1


def test_a_seat_is_added_in_steps() -> None:
    """Its node fetches what it lacks from where the keys were before."""
    world = running()
    world.start(at(5))
    world.order("add", node=at(5))
    world.until_idle()
    assert world.said == [
        "seat 5: n5:11211 joins (order:1)",
        "seat 5: warming",
        "seat 5: filled",
        "seat 5: young",
    ]
    world.run(KEPT_S, tick_s=5)
    assert world.said[-1].endswith("settled")
    world.check_deletions(SLOTS)


def test_a_seat_is_drained_in_steps_and_its_node_is_left_alone_after() -> None:
    """The listed node of a drained seat is not a new one."""
    world = running()
    order = world.order("drain", "2")
    world.until_idle()
    assert world.said == [
        "seat 2: will be drained",
        "seat 2: cooling",
        "seat 2: leaving",
        "seat 2 is gone",
    ]
    world.run(120)
    assert set(nodes(world)) == {"1", "3", "4"}
    assert world.control.outcomes[order].state == "done"
    world.check_deletions(SLOTS)
    back = world.order("add", node=at(2))
    world.until_idle()
    assert nodes(world)["2"] == at(2)
    assert world.control.outcomes[back].state == "done"
    world.check_deletions(SLOTS)


def test_a_node_that_is_listed_for_a_new_seat_gets_one() -> None:
    """Growing a pool needs no order."""
    world = running()
    world.start(at(5), "5")
    world.until_idle()
    world.run(60)
    assert nodes(world)["5"] == at(5)


@pytest.mark.parametrize(
    ("op", "seat", "node", "says"),
    [
        ("replace", "7", "", "there is no seat 7; there are 1, 2"),
        ("replace", "1", "", "no spare answers"),
        ("replace", "1", at(2), "n2:11211 is in use in seat 2"),
        ("replace", "1", at(77), "n77:11211 does not answer"),
        ("drain", "7", "", "there is no seat 7"),
        ("add", "", "", "no spare answers"),
        ("spare", "", at(1), "n1:11211 is in use in seat 1"),
    ],
)
def test_an_order_that_cannot_be_carried_out_says_why(op: str, seat: str, node: str, says: str) -> None:
    """And what there is instead."""
    world = running(2)
    order = world.order(op, seat, node)
    world.run(1)
    assert world.control.outcomes[order].state == "refused"
    assert says in world.control.outcomes[order].text
    assert world.said == []


def test_the_last_seat_is_not_drained() -> None:
    """A pool without seats would be a database without a cache."""
    world = running(2)
    world.order("drain", "1")
    world.until_idle()
    order = world.order("drain", "2")
    world.run(15)
    assert world.control.outcomes[order].state == "refused"
    assert "last one" in world.control.outcomes[order].text


def test_a_node_that_dies_while_it_joins_is_given_up() -> None:
    """The old one was never asked to leave."""
    world = running()
    world.start(at(9))
    order = world.order("replace", "1", at(9))
    world.run(1)
    world.kill(at(9))
    world.until_idle()
    assert nodes(world)["1"] == at(1)
    assert world.control.outcomes[order].state == "refused"


def test_a_new_keeper_goes_on_with_what_it_finds_and_repeats_nothing() -> None:
    """All that a change needs to go on is in the table."""
    world = running(spares=(8, 9))
    order = world.order("replace", "1")
    world.run(4)
    given = list(world.orders)
    world.control = Control()
    world.until_idle()
    assert world.control.outcomes[order].state == "done"
    world.control = Control()
    world.orders = given
    world.run(30)
    assert world.control.outcomes[order].state == "done"
    assert nodes(world) == {"1": at(8), "2": at(2), "3": at(3), "4": at(4)}


def test_a_node_ordered_to_be_spare_is_taken_when_one_dies() -> None:
    """Spares need no tag."""
    world = running()
    world.start(at(9))
    world.order("spare", node=at(9))
    world.run(1)
    world.kill(at(2))
    world.run(8)
    assert nodes(world)["2"] == at(9)
    assert world.table is not None
    assert world.table.spares == ()


def test_a_pool_that_nobody_asks_is_not_waited_for() -> None:
    """At night a replacement takes half a minute."""
    world = running(spares=(9,))
    world.is_asked = False
    world.run(20)
    world.order("replace", "1")
    began = world.now
    world.until_idle()
    assert world.now - began < 45


def test_a_node_before_that_never_has_nothing_to_say_is_kept_for_ten_minutes() -> None:
    """A node that does not fill must not hold up an order for ever."""
    world = running(spares=(9,))
    world.filling = 0.0
    order = world.order("replace", "1")
    world.until_idle()
    assert world.control.outcomes[order].state == "done"
    assert any("is warm after 600 s" in text for text in world.said)
