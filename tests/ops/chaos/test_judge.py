"""The judge, against records that each break the promise in one known way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops.chaos.judge import Wrong, judge
from ops.chaos.record import Entry, Kind, Outcome, Record, Session, Stream, Told
from tests.ops.chaos.runs import CHANNEL, arrival, entries, post, record, reset, stream, ts


def wrongs(made: Record) -> dict[Wrong, int]:
    """Return how often each kind of violation was found."""
    verdict = judge(made)
    return {wrong: count for wrong in Wrong if (count := verdict.count(wrong))}


def plain(*offsets: int, since: float = 0.0, until: float | None = None) -> Stream:
    """Return a stream of one connection that cannot resume."""
    return stream(*offsets, kind=Kind.PLAIN, sessions=(Session(since, until),))


def test_a_run_in_which_everything_arrived_is_clean() -> None:
    """The judge must be able to say yes."""
    verdict = judge(record(stream(1, 2, 3, 4), plain(1, 2, 3, 4), stream(1, 2, 3, 4, kind=Kind.SDK)))
    assert verdict.is_clean
    assert (verdict.expected, verdict.delivered) == (12, 12)


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (record(stream(1, 2, 4)), {Wrong.LOST: 1, Wrong.GAP: 1}),
        (record(stream(1, 2, 3)), {Wrong.LOST: 1, Wrong.GAP: 1}),
        (record(stream()), {Wrong.LOST: 4, Wrong.GAP: 4}),
        (record(stream(1, 2, 2, 3, 4)), {Wrong.DUPLICATED: 1}),
        (record(stream(1, 3, 2, 4)), {Wrong.REORDERED: 1}),
        (record(stream(4, 3, 2, 1)), {Wrong.REORDERED: 3}),
        (record(stream(1, 2, 3, 4, user_id="UEVE")), {Wrong.LEAKED: 4}),
        (record(stream(1, 2, 3, 4, 5)), {Wrong.INVENTED: 1}),
    ],
    ids=["hole", "end missing", "nothing came", "twice", "swapped", "backwards", "no member", "not in the log"],
)
def test_what_a_stream_shows_is_counted_by_what_it_breaks(broken: Record, found: dict[Wrong, int]) -> None:
    """Each row breaks one thing, and nothing else may be accused."""
    assert wrongs(broken) == found


def test_a_post_that_was_acknowledged_and_is_not_stored_is_lost() -> None:
    """Whether it is missing from the log or from history, and although nobody was owed it by the log."""
    no_log = record(stream(1, 2, 3), log={CHANNEL: entries(1, 2, 3)})
    assert wrongs(no_log) == {Wrong.LOST: 1}
    no_history = record(stream(1, 2, 3, 4), history={CHANNEL: tuple(Told(ts(n), f"k{n}") for n in (1, 2, 3))})
    assert wrongs(no_history) == {Wrong.LOST: 1}


def test_a_post_that_is_stored_under_another_ts_than_was_acknowledged_is_lost_in_log_and_history() -> None:
    """An acknowledgement names a message; another one is no substitute."""
    elsewhere = tuple(post(n) if n != 2 else replace(post(2), ts="1700000009.000000") for n in (1, 2, 3, 4))
    assert wrongs(record(stream(1, 2, 3, 4), posts=elsewhere)) == {Wrong.LOST: 2}


def test_one_key_stored_twice_is_a_duplicate_in_log_and_history() -> None:
    """A retried post must give one message."""
    again = Entry(5, ts(5), "k4")
    twice = record(
        stream(1, 2, 3, 4, arrivals=(*(arrival(n) for n in (1, 2, 3, 4)), arrival(5, key="k4"))),
        log={CHANNEL: (*entries(1, 2, 3, 4), again)},
        history={CHANNEL: (*(Told(ts(n), f"k{n}") for n in (1, 2, 3, 4)), Told(ts(5), "k4"))},
    )
    found = wrongs(twice)
    assert found[Wrong.DUPLICATED] == 2
    assert Wrong.GAP not in found


def test_a_log_with_a_hole_is_a_gap_by_itself() -> None:
    """Offsets are dense, whatever was delivered."""
    holed = record(stream(1, 2, 4), log={CHANNEL: entries(1, 2, 4)}, posts=(post(1), post(2), post(4)))
    assert wrongs(holed) == {Wrong.GAP: 1}


def test_an_event_with_another_text_than_is_stored_is_invented() -> None:
    """The right offset with the wrong content is no delivery."""
    mangled = tuple(arrival(n) if n != 3 else arrival(3, key="k1") for n in (1, 2, 3, 4))
    assert wrongs(record(stream(arrivals=mangled))) == {Wrong.INVENTED: 1}


def test_a_post_of_unknown_outcome_may_be_stored_or_not_but_not_missing_from_one_stream_alone() -> None:
    """Nobody was promised that it exists; that offsets have no holes was promised."""
    unsure = tuple(
        post(n) if n != 3 else replace(post(3), outcome=Outcome.UNKNOWN, offset=0, ts="") for n in (1, 2, 3, 4)
    )
    assert wrongs(record(stream(1, 2, 3, 4), posts=unsure)) == {}
    assert wrongs(record(stream(1, 2, 4), posts=unsure)) == {Wrong.GAP: 1}
    absent = record(
        stream(1, 2),
        posts=(*unsure[:2], replace(unsure[2], key="gone")),
        log={CHANNEL: entries(1, 2)},
        history={CHANNEL: tuple(Told(ts(n), f"k{n}") for n in (1, 2))},
    )
    assert wrongs(absent) == {}


def test_events_that_clients_get_no_frame_for_and_those_before_the_load_are_not_owed() -> None:
    """A stream is judged by what it could have shown."""
    hidden = tuple(e if e.offset != 2 else replace(e, ts="", key="", is_visible=False) for e in entries(1, 2, 3, 4))
    later = record(
        stream(3, 4),
        base={CHANNEL: 1},
        log={CHANNEL: hidden},
        posts=(post(3), post(4)),
        history={CHANNEL: (Told(ts(3), "k3"), Told(ts(4), "k4"))},
    )
    assert wrongs(later) == {}


def test_resume_failed_explains_what_it_covers_and_nothing_else() -> None:
    """From what the reader had to its new start; not a hole before it, not one behind it."""
    assert wrongs(record(stream(1, 4, resets=(reset(3, after=1),)))) == {}
    assert wrongs(record(stream(1, 4, resets=(reset(2, after=1),)))) == {Wrong.LOST: 1, Wrong.GAP: 1}
    assert wrongs(record(stream(2, 4, resets=(reset(3, after=1),)))) == {Wrong.LOST: 1, Wrong.GAP: 1}


def test_a_stream_is_judged_across_its_connections_for_duplicates() -> None:
    """What the application had on the last connection must not come again on the next."""
    arrivals = (*(arrival(n) for n in (1, 2)), *(arrival(n, session=1) for n in (2, 3, 4)))
    for kind in (Kind.RESUMING, Kind.PLAIN):
        both = stream(kind=kind, arrivals=arrivals, sessions=(Session(0.0, 12.5), Session(12.6)))
        assert wrongs(record(both)) == {Wrong.DUPLICATED: 1}
    sdk = stream(kind=Kind.SDK, arrivals=arrivals, sessions=(Session(0.0), Session(12.6)))
    assert wrongs(record(sdk)) == {}


@pytest.mark.parametrize(
    ("reader", "lost"),
    [
        (plain(3, 4, since=12.5), 0),
        (plain(4, since=12.5), 0),
        (plain(3, 4, since=5.0), 2),
        (plain(1, 4, since=12.5), 2),
        (plain(1, 2, since=0.0, until=14.0), 0),
        (plain(1, since=0.0, until=17.0), 1),
        (plain(since=0.0, until=17.0), 2),
        (plain(since=0.0), 4),
    ],
    ids=[
        "connected late",
        "the first after hello may be missed",
        "connected from the start",
        "a hole within the connection",
        "the line broke with two on their way",
        "missing long before the line broke",
        "nothing came, and the line broke later",
        "nothing came at all",
    ],
)
def test_a_reader_that_cannot_resume_is_owed_what_was_posted_while_it_was_connected(reader: Stream, lost: int) -> None:
    """With 2 s of slack after a hello and 4 s before an end, but no slack for holes between two arrivals."""
    assert wrongs(record(reader)).get(Wrong.LOST, 0) == lost


def test_slack_sdk_counts_as_connected_until_its_last_frame() -> None:
    """It learns late that a connection broke, so silence at the end proves nothing; a hole does."""
    assert wrongs(record(stream(1, 2, kind=Kind.SDK))) == {}
    assert wrongs(record(stream(1, 3, kind=Kind.SDK))) == {Wrong.LOST: 1, Wrong.GAP: 1}


def test_the_socket_that_posted_is_owed_the_acknowledgement_alone() -> None:
    """Posts over RTM come back to everybody but the connection that made them."""
    own = tuple(post(n) if n != 2 else replace(post(2), writer="ann") for n in (1, 2, 3, 4))
    for reader in (plain(1, 3, 4), stream(1, 3, 4)):
        assert wrongs(record(reader, posts=own)) == {}
        assert wrongs(record(replace(reader, name="another"), posts=own)) == {Wrong.LOST: 1, Wrong.GAP: 1}
