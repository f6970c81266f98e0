"""What writes do to what is there: each guard, and batches in which they touch each other's."""

from __future__ import annotations

import pytest

from svc.kit.errors import InvalidArgumentError
from svc.webapp.commit.changes import Known, Rewrite, Standing, Thread, asked
from svc.webapp.commit.log import (
    CHANGES_MAX,
    ITEM_BYTES_MAX,
    Annotation,
    AnnotationKind,
    Committed,
    Guard,
    Item,
    ItemKind,
    MessageChange,
    MessageRemoval,
    Write,
)
from svc.webapp.commit.plan import Head, Plan, State, plan
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, message, note

NOW_US = 1_700_000_000_000_000
HEAD = Head(9, 500, 300)
"""Of a channel with messages 100 (a parent of 200 and 250), 200, 250 and 300."""
MESSAGES = {
    (CHANNEL, 100): Standing(1, 0),
    (CHANNEL, 200): Standing(2, 100),
    (CHANNEL, 250): Standing(3, 100),
    (CHANNEL, 300): Standing(4, 0),
}
THREADS = {(CHANNEL, 100): Thread(2, (250, 200))}
THUMB = Annotation(300, AnnotationKind.REACTION, "thumbsup", ALICE, ALICE)
PIN = Annotation(300, AnnotationKind.PIN, by_id=ALICE)
THUMB_KEY = (CHANNEL, 300, 1, "thumbsup", ALICE)
BOOKMARK = Item(ItemKind.BOOKMARK, "Bk1", b"{}")


def write(**alterations: object) -> Write:
    """Return a write with one event."""
    return Write(CHANNEL, (note(),), **alterations)  # type: ignore[arg-type]


def edit(ts_us: int, revision: int, text: str = "edited") -> Write:
    """Return an edit."""
    return write(changed=(MessageChange(ts_us, revision, text=text),))


def removal(*ts_us: int) -> Write:
    """Return a removal of messages as they are at first."""
    return write(removed=tuple(MessageRemoval(each, MESSAGES[CHANNEL, each].revision) for each in ts_us))


def planned(*writes: Write, known: Known | None = None, head: Head = HEAD) -> tuple[Plan, list[Guard | None]]:
    """Return the plan of a batch, and what each of its writes was refused by."""
    known = known or Known(MESSAGES, threads=THREADS, to_read={CHANNEL: (300, 100)})
    found = plan(State({CHANNEL: head}, known=known), writes, NOW_US)
    results = [result for result in found.results if isinstance(result, Committed)]
    assert len(results) == len(writes), found.results
    return found, [result.refused_by for result in results]


def test_an_edit_quotes_the_revision_that_it_changes() -> None:
    """Of two who read the same one, the second has to read again."""
    found, refused = planned(edit(300, 4, "first"), edit(300, 4, "second"), edit(300, 10, "third"), edit(301, 4))
    assert refused == [None, Guard.MESSAGE, None, Guard.MESSAGE]
    assert found.altered.messages == {(CHANNEL, 300): Rewrite(11, "third")}
    assert [row[1] for row in found.log] == [10, 11]


def test_what_an_edit_leaves_out_stays_as_the_one_before_made_it() -> None:
    """Two edits of one batch are one row."""
    first = write(changed=(MessageChange(300, 4, text="words", subtype="me_message"),))
    found, _ = planned(first, write(changed=(MessageChange(300, 10, extra=b"{}"),)))
    assert found.altered.messages[CHANNEL, 300] == Rewrite(11, "words", b"{}", "me_message")


def test_a_removed_message_is_not_there_for_those_after_it() -> None:
    """To be edited, removed, or annotated; what was on it is gone with it."""
    known = Known(MESSAGES, frozenset({THUMB_KEY}), to_read={CHANNEL: (300, 100)})
    writes = (
        write(annotated=(PIN,)),
        removal(300),
        removal(300),
        edit(300, 4),
        write(annotated=(PIN,)),
        write(unannotated=(THUMB,)),
        write(unannotated=(PIN,)),
    )
    found, refused = planned(*writes, known=known)
    assert refused == [None, None, Guard.MESSAGE, Guard.MESSAGE, Guard.MESSAGE, Guard.ANNOTATION, Guard.ANNOTATION]
    assert found.altered.messages == {(CHANNEL, 300): None}
    assert found.altered.annotations == {}


def test_a_message_with_replies_cannot_be_removed_before_them() -> None:
    """Whoever answers while it is being removed is not left without a parent."""
    _, refused = planned(removal(100))
    assert refused == [Guard.MESSAGE]
    _, refused = planned(removal(200), removal(250), removal(100))
    assert refused == [None, None, None]
    _, refused = planned(removal(200, 250, 100))
    assert refused == [None]
    answer = Write(CHANNEL, (message("answer", thread_ts_us=300),))
    _, refused = planned(answer, removal(300))
    assert refused == [None, Guard.MESSAGE]


def test_a_thread_counts_what_is_left_of_it() -> None:
    """The latest reply is the newest that is there; a thread without any is no thread."""
    key = (CHANNEL, 100)
    assert planned(removal(200))[0].altered.threads == {key: (1, 250)}
    assert planned(removal(250))[0].altered.threads == {key: (1, 200)}
    assert planned(removal(250), removal(200))[0].altered.threads == {key: (0, 0)}
    more = Write(CHANNEL, (message("more", thread_ts_us=100),))
    found, _ = planned(more, removal(250))
    assert (found.threads, found.altered.threads) == ({}, {key: (2, NOW_US)})
    found, _ = planned(removal(250), removal(200), more)
    assert (found.threads, found.altered.threads) == ({}, {key: (1, NOW_US + 2)})


def test_the_newest_message_to_read_is_one_that_is_there() -> None:
    """A head that named a removed one would leave the conversation unread for ever; its event tells the edge."""

    def newest(*writes: Write, head: Head = HEAD) -> tuple[int, list[int | None]]:
        found, _ = planned(*writes, head=head)
        events = [event for result in found.results if isinstance(result, Committed) for event in result.events]
        told = [event.latest_message_ts_us if event.HasField("latest_message_ts_us") else None for event in events]
        return found.heads[CHANNEL].message_us, told

    buried = write(changed=(MessageChange(300, 4, text="", subtype="tombstone"),))
    assert newest(removal(300)) == (100, [100])
    assert newest(buried) == (100, [100])
    assert newest(edit(300, 4)) == (300, [None])
    assert newest(removal(200)) == (300, [None])
    assert newest(removal(200), removal(250), removal(100)) == (300, [None] * 3)
    assert newest(removal(200, 250, 100), removal(300)) == (0, [None, 0])
    assert newest(removal(300), removal(200, 250, 100)) == (0, [100, 0])
    assert newest(Write(CHANNEL, (message("new"),)), removal(300)) == (NOW_US, [None, None])
    both = Write(CHANNEL, (note(), message("instead")), removed=(MessageRemoval(300, 4),))
    assert newest(both) == (NOW_US + 1, [100, None])


def test_a_reply_that_is_broadcast_is_something_to_read() -> None:
    """At its own ts: the head never goes back for it, and is left to it when what is newer is removed."""

    def shown(*writes: Write, head: Head = HEAD) -> tuple[int, list[int]]:
        found, refused = planned(*writes, head=head)
        assert refused == [None] * len(writes)
        events = [event for result in found.results if isinstance(result, Committed) for event in result.events]
        return found.heads[CHANNEL].message_us, [event.message_ts_us for event in events]

    broadcast = write(changed=(MessageChange(250, 3, subtype="thread_broadcast", reply_broadcast=True),))
    assert shown(broadcast) == (300, [250])
    assert shown(broadcast, head=Head(9, 500, 100)) == (250, [250])
    assert shown(broadcast, removal(300)) == (250, [250, 0])
    gone = write(removed=(MessageRemoval(250, 10),))
    assert shown(broadcast, gone, removal(300)) == (100, [250, 0, 0])
    found, _ = planned(broadcast, write(changed=(MessageChange(250, 10, text="words"),)))
    assert found.altered.messages[CHANNEL, 250] == Rewrite(11, "words", None, "thread_broadcast", True)


def test_an_annotation_is_there_once() -> None:
    """For each message, kind, name and user; who takes one away leaves room for it."""
    other = Annotation(300, AnnotationKind.REACTION, "thumbsup", BOB, BOB)
    writes = (
        write(annotated=(THUMB,)),
        write(annotated=(THUMB,)),
        write(annotated=(other, PIN)),
        write(unannotated=(THUMB,)),
        write(unannotated=(THUMB,)),
        write(annotated=(Annotation(999, AnnotationKind.PIN),)),
    )
    found, refused = planned(*writes)
    assert refused == [None, Guard.ANNOTATION, None, None, Guard.ANNOTATION, Guard.MESSAGE]
    assert found.altered.annotations == {
        THUMB_KEY: None,
        (CHANNEL, 300, 1, "thumbsup", BOB): (BOB, NOW_US + 1),
        (CHANNEL, 300, 2, "", ""): (ALICE, NOW_US + 1),
    }


def test_what_was_on_a_message_before_counts() -> None:
    """As the transaction found it."""
    known = Known(MESSAGES, frozenset({THUMB_KEY}))
    _, refused = planned(write(annotated=(THUMB,)), write(unannotated=(THUMB,)), write(annotated=(THUMB,)), known=known)
    assert refused == [Guard.ANNOTATION, None, None]


def test_an_annotation_is_no_change_of_the_message() -> None:
    """Who edits while others react is not refused."""
    _, refused = planned(write(annotated=(THUMB,)), edit(300, 4))
    assert refused == [None, None]


def test_items_are_new_or_there_as_a_write_says() -> None:
    """Of two who take one only one succeeds."""
    new, old = Item(BOOKMARK.kind, "Bk1", b"1", is_new=True), Item(BOOKMARK.kind, "Bk1", b"2", due_us=5, is_new=False)
    dropped = ((ItemKind.BOOKMARK, "Bk1"),)
    writes = (
        write(items=(old,)),
        write(items_dropped=dropped),
        write(items=(BOOKMARK,)),
        write(items=(new,)),
        write(items_dropped=dropped),
        write(items_dropped=dropped),
        write(items=(new,)),
        write(items=(old,)),
    )
    found, refused = planned(*writes)
    item = Guard.ITEM
    assert refused == [item, item, None, item, None, item, None, None]
    assert found.altered.items == {(CHANNEL, 1, "Bk1"): (5, b"2", NOW_US + 3)}
    _, refused = planned(write(items=(new,)), known=Known(items=frozenset({(CHANNEL, 1, "Bk1")})))
    assert refused == [item]


def test_a_refused_write_leaves_nothing() -> None:
    """Not even what of it was possible; nor does one of who is no member."""
    both = write(annotated=(THUMB,), changed=(MessageChange(300, 7, text="late"),), members_added=(BOB,))
    found, refused = planned(both, write(annotated=(THUMB,), if_member=BOB))
    assert refused == [Guard.MESSAGE, Guard.MEMBER]
    assert not found.log
    assert not found.members
    assert not found.altered.annotations
    assert not found.heads


def test_what_a_batch_asks_about_is_what_it_names() -> None:
    """A lock is held for as long as it takes to look, so nothing else is."""
    buried = write(changed=(MessageChange(250, 3, subtype="tombstone"),))
    found = asked(
        [edit(300, 4), buried, removal(200), write(annotated=(PIN,), unannotated=(THUMB,), items=(BOOKMARK,))]
    )
    assert found.messages == {(CHANNEL, each) for each in (200, 250, 300)}
    assert found.annotations == {THUMB_KEY, (CHANNEL, 300, 2, "", "")}
    assert found.removed == {(CHANNEL, 200)}
    assert found.faded == {(CHANNEL, 200), (CHANNEL, 250)}
    assert found.items == set()


@pytest.mark.parametrize(
    "wrong",
    [
        Write(CHANNEL, changed=(MessageChange(300, 4),)),
        Write(CHANNEL, items=(BOOKMARK,)),
        write(changed=(MessageChange(300, 4),) * 2),
        write(changed=(MessageChange(300, 4),), removed=(MessageRemoval(300, 4),)),
        write(annotated=(THUMB,), unannotated=(THUMB,)),
        write(annotated=(THUMB,), removed=(MessageRemoval(300, 4),)),
        write(items=(BOOKMARK,), items_dropped=((ItemKind.BOOKMARK, "Bk1"),)),
        write(annotated=tuple(Annotation(each, AnnotationKind.PIN) for each in range(CHANGES_MAX + 1))),
        write(annotated=(Annotation(300, AnnotationKind.REACTION, "x" * 129, ALICE),)),
        write(annotated=(Annotation(300, AnnotationKind.REACTION, "x ", ALICE),)),
        write(items=(Item(ItemKind.SAVED, "x" * 65, b""),)),
        write(items=(Item(ItemKind.SAVED, "x", b"x" * (ITEM_BYTES_MAX + 1)),)),
    ],
)
def test_a_write_that_says_too_much_or_too_little_is_an_error(wrong: Write) -> None:
    """Of whoever made it; the others of its batch are none the worse."""
    found = plan(State({CHANNEL: HEAD}, known=Known(MESSAGES)), [wrong, edit(300, 4)], NOW_US)
    assert isinstance(found.results[0], InvalidArgumentError)
    assert isinstance(found.results[1], Committed)
    assert not found.results[1].refused
