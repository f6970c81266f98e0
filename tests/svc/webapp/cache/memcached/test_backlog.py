"""What a node must be told before it is read again."""

from svc.webapp.cache.memcached.backlog import Backlog


def test_keys_are_taken_once_in_the_order_they_came() -> None:
    """Some at a time, as many as a node does within its deadline."""
    backlog = Backlog(10)
    backlog.add(["a", "b"])
    backlog.add(["b", "c"])
    assert (len(backlog), backlog.take_flush()) == (3, False)
    assert [backlog.take(2), backlog.take(2), backlog.take(2)] == [["a", "b"], ["c"], []]


def test_what_was_taken_and_not_done_is_added_again() -> None:
    """The next connection may end, too."""
    backlog = Backlog(10)
    backlog.add(["a"])
    backlog.add(backlog.take(5))
    assert backlog.take(5) == ["a"]


def test_past_its_limit_everything_is_to_be_deleted() -> None:
    """And no key need be remembered until that has been done."""
    backlog = Backlog(3)
    backlog.add(["a", "b", "c"])
    assert len(backlog) == 3
    backlog.add(["d"])
    backlog.add(["e"])
    assert len(backlog) == 0
    assert backlog.take_flush()
    backlog.add(["f"])
    assert (backlog.take_flush(), backlog.take(5)) == (False, ["f"])


def test_a_flush_that_failed_is_still_to_be_done() -> None:
    """Whatever came meanwhile is within it."""
    backlog = Backlog(3)
    backlog.add("abcd")
    assert backlog.take_flush()
    backlog.add(["e"])
    backlog.add_all()
    assert (backlog.take_flush(), backlog.take(5)) == (True, [])
