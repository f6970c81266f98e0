"""Who shares which read: rules without a store or a clock."""

from __future__ import annotations

import pytest

from svc.kit.errors import ResourceExhaustedError
from svc.webapp.gathering.asks import Ask, AskRules, Asks, Read
from svc.webapp.priority import Priority, Turn


def ask(keys: str, priority: Priority = Priority.READ, *, begun: bool = False) -> Ask:
    """An ask for keys of one letter each."""
    return Ask(tuple(keys), Turn(priority, has_begun=begun))


def joined(asks: Asks[Ask], *several: Ask) -> None:
    for each in several:
        asks.join(each)


def begun(asks: Asks[Ask], now: float = 0.0) -> Read[Ask]:
    read = asks.begin(now)
    assert read is not None
    return read


def test_whoever_comes_during_a_read_shares_the_next() -> None:
    """The first alone, all others together, each key once."""
    asks = Asks[Ask](AskRules())
    first = ask("ab")
    asks.join(first)
    read = begun(asks)
    assert (read.asks, read.keys) == ([first], ("a", "b"))
    others = [ask("bc"), ask("cd"), ask("a")]
    joined(asks, *others)
    assert asks.begin(0.1) is None
    asks.end(read)
    second = begun(asks, 0.1)
    assert (second.asks, second.keys) == (others, ("b", "c", "d", "a"))
    asks.end(second)
    assert asks.begin(0.1) is None
    assert (len(asks), asks.reads_under_way) == (0, 0)


def test_a_read_takes_no_more_keys_than_it_may() -> None:
    """In order: a small ask does not pass the one before it."""
    asks = Asks[Ask](AskRules(keys_a_read=3))
    joined(asks, ask("ab"), ask("bc"), ask("de"), ask("a"))
    read = begun(asks)
    assert read.keys == ("a", "b", "c")
    asks.end(read)
    assert begun(asks).keys == ("d", "e", "a")


def test_the_most_important_are_taken_first_and_the_read_is_of_their_class() -> None:
    """Also of those of them for whom a store has worked already."""
    asks = Asks[Ask](AskRules(keys_a_read=3))
    joined(asks, ask("ab", Priority.BOOT), ask("c"), ask("d", begun=True), ask("e", Priority.BOOT, begun=True))
    read = begun(asks)
    assert read.keys == ("c", "d")
    assert (read.turn.priority, read.turn.has_begun) == (Priority.READ, True)
    asks.end(read)
    read = begun(asks)
    assert read.keys == ("a", "b", "e")
    assert (read.turn.priority, read.turn.has_begun) == (Priority.BOOT, True)


def test_who_matters_more_does_not_wait_for_a_read_of_those_who_matter_less() -> None:
    """It may be waiting in a line of its class; one of the same class is waited for."""
    asks = Asks[Ask](AskRules())
    asks.join(ask("a", Priority.BOOT))
    boot = begun(asks)
    asks.join(ask("b", Priority.BOOT))
    assert asks.begin(0.0) is None
    asks.join(ask("c"))
    read = begun(asks)
    assert (read.keys, read.turn.priority) == (("c", "b"), Priority.READ)
    asks.join(ask("d"))
    assert asks.begin(0.0) is None
    asks.end(boot)
    assert asks.begin(0.0) is None
    asks.end(read)
    assert begun(asks).keys == ("d",)


def test_a_read_that_is_overdue_is_not_waited_for() -> None:
    """But not more than so many are under way at once."""
    asks = Asks[Ask](AskRules(overdue_s=0.5, reads_max=2))
    asks.join(ask("a"))
    begun(asks, 10.0)
    asks.join(ask("b"))
    assert asks.begin(10.4) is None
    second = begun(asks, 10.5)
    asks.join(ask("c"))
    assert asks.begin(20.0) is None
    asks.end(second)
    assert begun(asks, 20.0).keys == ("c",)


def test_a_read_that_broke_off_is_made_again_before_what_came_later() -> None:
    """Without the one who went away."""
    asks = Asks[Ask](AskRules())
    gone, stays, boot = ask("a"), ask("b"), ask("c", Priority.BOOT)
    joined(asks, gone, stays, boot)
    read = begun(asks)
    asks.join(ask("d"))
    asks.again(read, gone)
    assert begun(asks).keys == ("b", "d", "c")


def test_who_is_gone_is_not_read_for() -> None:
    """Whether he said so or not; nor does a read go on for which nobody waits."""
    asks = Asks[Ask](AskRules())
    is_gone = False
    silent = Ask(("a",), Turn(Priority.READ, lambda: is_gone))
    said, here = ask("b"), ask("c")
    joined(asks, silent, said, here)
    assert asks.leave(said)
    assert not asks.leave(said)
    is_gone = True
    read = begun(asks)
    assert read.keys == ("c",)
    assert not read.turn.is_gone()
    is_gone = False
    asks.end(read)
    asks.join(silent)
    read = begun(asks)
    is_gone = True
    assert read.turn.is_gone()
    asks.end(read)
    asks.join(silent)
    assert asks.begin(0.0) is None
    assert len(asks) == 0


def test_no_more_may_wait_than_the_rules_say() -> None:
    """Asks, keys, and keys of one; who leaves or is taken makes room."""
    asks = Asks[Ask](AskRules(asks_max=2, keys_max=4, keys_a_read=3))
    with pytest.raises(ResourceExhaustedError, match="keys of an ask: 4, at most 3"):
        asks.join(ask("abcd"))
    first = ask("abc")
    asks.join(first)
    with pytest.raises(ResourceExhaustedError, match="keys waiting: 5, at most 4"):
        asks.join(ask("de"))
    asks.join(ask("d"))
    with pytest.raises(ResourceExhaustedError, match="asks waiting: 3, at most 2"):
        asks.join(ask(""))
    assert asks.leave(first)
    joined(asks, ask("ef"))
    assert begun(asks).keys == ("d", "e", "f")
    joined(asks, ask("abc"), ask("d"))
