"""Events on their way to a URL, as transcripts."""

from __future__ import annotations

from svc.webapp.apps.posting import Posting, PostingRules
from tests.svc.webapp.apps.items import item

RULES = PostingRules(at_once_max=3, failures_calm=3)


def offsets(posting: Posting, now: float = 0.0) -> list[tuple[str, int]]:
    """Return what is posted now."""
    return [(each.channel_id, each.offset) for each in posting.next(now)]


def test_a_conversation_has_one_request_at_a_time_and_several_go_on_at_once() -> None:
    """So events of a conversation arrive in order, and one that hangs holds up no other."""
    posting = Posting(RULES)
    first = item(1)
    for each in (first, item(2), item(1, "C2"), item(1, "C3"), item(1, "C4")):
        posting.add(each)
    assert offsets(posting) == [("C1", 1), ("C2", 1), ("C3", 1)]
    assert posting.next_due(0.0) is None
    posting.delivered(first)
    assert offsets(posting) == [("C1", 2)]
    assert len(posting) == 4


def test_what_failed_comes_again_at_once_after_a_minute_and_after_five() -> None:
    """With its reason; meanwhile what comes after goes on. Then it is given up."""
    posting = Posting(PostingRules(failures_calm=100))
    failing = item(1)
    posting.add(failing)
    posting.add(item(2))
    assert offsets(posting, 0.0) == [("C1", 1)]
    assert not posting.failed(failing, "http_error", 0.0)
    assert offsets(posting, 0.0) == [("C1", 1), ("C1", 2)]
    assert not posting.failed(failing, "http_timeout", 3.0)
    assert posting.next_due(3.0) == 63.0
    assert offsets(posting, 62.9) == []
    assert offsets(posting, 63.0) == [("C1", 1)]
    assert not posting.failed(failing, "http_error", 64.0)
    assert posting.next_due(64.0) == 364.0
    assert offsets(posting, 364.0) == [("C1", 1)]
    assert (failing.attempts, failing.reason) == (3, "http_error")
    assert posting.failed(failing, "http_error", 365.0)
    assert len(posting) == 1


def test_an_endpoint_that_keeps_failing_is_left_alone_and_asked_with_one_event() -> None:
    """Longer each time, at most a minute; a success ends it."""
    posting = Posting(RULES)
    events = [item(1, f"C{number}") for number in range(8)]
    for each in events:
        posting.add(each)
    first = list(posting.next(0.0))
    assert len(first) == 3
    for each in first:
        posting.failed(each, "connection_failed", 0.0)
    assert posting.is_failing
    now, pauses = 0.0, []
    for _ in range(9):
        due = posting.next_due(now)
        assert due is not None
        pauses.append(due - now)
        now = due
        (asked,) = posting.next(now)
        posting.failed(asked, "connection_failed", now)
    assert pauses == sorted(pauses)
    assert max(pauses) == 60.0
    now += 60.0
    (asked,) = posting.next(now)
    posting.delivered(asked)
    assert not posting.is_failing


def test_what_waits_for_too_long_is_dropped() -> None:
    """What is tried again has its own end."""
    posting = Posting(RULES)
    for number in range(1, 4):
        posting.add(item(number))
    assert [each.offset for each in posting.drop_older(3_000_000)] == [1, 2]
    assert [each.offset for each in posting.clear()] == [3]
    assert (len(posting), posting.size) == (0, 0)
