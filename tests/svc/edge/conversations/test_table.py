"""The table of how far conversations have come: what it keeps, what it drops, and for whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from svc.edge.conversations.table import Conversations, Far
from svc.kit.ids import id_from_number

IDS = [id_from_number("C", number) for number in range(12)]


def test_an_event_that_does_not_follow_says_so_and_changes_nothing() -> None:
    """Whoever holds the table forgets the conversation then."""
    table = Conversations(10)
    table.read(IDS[0], Far(5, 100), 1.0)
    assert table.take(IDS[0], 6, 101)
    assert not table.take(IDS[0], 8, 103)
    assert table.asked(IDS[0]) == (Far(6, 101), 1.0)


def test_the_newest_message_may_be_taken_away() -> None:
    """By an event that says which one is left; one that is told once more does nothing, as ever."""
    table = Conversations(10)
    table.read(IDS[0], Far(5, 100), 1.0)
    assert table.take(IDS[0], 6, 0, 80)
    assert table.asked(IDS[0]) == (Far(6, 80), 1.0)
    assert table.take(IDS[0], 7, 101)
    assert table.take(IDS[0], 6, 0, 80)
    assert table.asked(IDS[0]) == (Far(7, 101), 1.0)
    assert table.take(IDS[0], 8, 0, 0)
    assert table.asked(IDS[0]) == (Far(8, 0), 1.0)


def test_what_is_known_already_changes_nothing() -> None:
    """Events and reads may be told twice, and late."""
    table = Conversations(10)
    table.read(IDS[0], Far(5, 100), 1.0)
    assert table.take(IDS[0], 4, 999)
    assert table.take(IDS[1], 4, 999)
    table.read(IDS[0], Far(3, 90), 2.0)
    assert table.asked(IDS[0]) == (Far(5, 100), 2.0)
    assert len(table) == 1


@given(
    steps=st.lists(st.tuples(st.sampled_from(["read", "take", "ask", "forget"]), st.sampled_from(IDS)), max_size=80),
    limit=st.integers(1, 8),
)
def test_the_table_holds_what_it_was_told_and_never_more_than_its_limit(
    steps: list[tuple[str, str]], limit: int
) -> None:
    """Against a dictionary that loses what the table says that it let go."""
    table, truth = Conversations(limit), dict[str, Far]()
    for number, (what, channel_id) in enumerate(steps, start=1):
        if what == "read":
            gone = table.read(channel_id, far := Far(1000 * number, number), float(number))
            truth[channel_id] = far
            assert (gone is not None) == (len(truth) > limit)
            if gone is not None:
                del truth[gone]
        elif what == "take" and channel_id in truth:
            assert table.take(channel_id, truth[channel_id].head + 1, number)
            truth[channel_id] = Far(truth[channel_id].head + 1, max(truth[channel_id].latest_us, number))
        elif what == "forget":
            assert table.forget(channel_id) == (truth.pop(channel_id, None) is not None)
        held = table.asked(channel_id)
        assert (held and held[0]) == truth.get(channel_id)
        assert len(table) == len(truth) <= limit
    for channel_id in IDS:
        assert table.head(channel_id) == (truth[channel_id].head if channel_id in truth else None)
