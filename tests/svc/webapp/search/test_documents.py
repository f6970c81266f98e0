"""Rows become documents, and events say which rows."""

from __future__ import annotations

import json

import pytest

from parley.event.v1 import event_pb2
from svc.webapp.commit.log import Json
from svc.webapp.search.changes import touched
from svc.webapp.search.documents import document
from svc.webapp.store.rows import AnnotationKind, AnnotationRow
from tests.svc.webapp.search.samples import ADA, GENERAL, GRACE, PRIVATE, PUBLIC, TEAM, message


def test_a_message_is_its_words_and_marks() -> None:
    """Links, mentions, reactions, pins, files and threads are marks; attachments and names of files are words."""
    extra = {
        "files": [{"id": "F1", "name": "plan-b.pdf", "title": "Plan B"}],
        "attachments": [{"fallback": "A chart", "fields": [{"title": "Owner", "value": "Linus"}]}],
        "blocks": [{"type": "rich_text", "elements": [{"elements": [{"type": "text", "text": "See the docs"}]}]}],
    }
    text = f"See <https://a.b|the docs> <@{GRACE}>"
    row = message(text, 7, extra=json.dumps(extra).encode(), thread_ts_us=3)
    marks = [
        AnnotationRow(GENERAL, 7, AnnotationKind.REACTION, "tada", ADA, ADA, 1),
        AnnotationRow(GENERAL, 7, AnnotationKind.REACTION, "+1", ADA, ADA, 2),
        AnnotationRow(GENERAL, 7, AnnotationKind.PIN, "", "", ADA, 3),
    ]
    made = document(row, PUBLIC, marks)
    assert made is not None
    assert (made.key, made.user_id, made.public_in, made.reaction_count) == ((GENERAL, 7), ADA, TEAM, 2)
    assert " ".join(made.words) == "see the docs https a b a chart owner linus plan b pdf plan b"
    wanted = {"link", "file", "thread", "reaction", "r:tada", "r:+1", "pin", f"to:{GRACE}"}
    assert set(made.marks) == wanted
    assert not any(" " in mark for mark in made.marks)


def test_blocks_that_say_something_else_are_words() -> None:
    """A bot's text is often a shortened form of its blocks."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Build *4711* is red"}}]
    made = document(message("Build is red", extra=json.dumps({"blocks": blocks}).encode()), PUBLIC)
    assert made is not None
    assert "4711" in made.words


def test_private_messages_are_public_nowhere_and_parents_are_of_threads() -> None:
    """Who may see what, and `is:thread`, are the index's to know."""
    made = document(message("hi"), PRIVATE, has_replies=True)
    assert made is not None
    assert (made.public_in, made.marks) == ("", ("thread",))


@pytest.mark.parametrize("subtype", ["channel_join", "group_leave", "tombstone"])
def test_notices_and_what_was_removed_are_no_documents(subtype: str) -> None:
    """Nobody looks for them."""
    assert document(message("ada has joined", subtype=subtype), PUBLIC) is None


def test_what_is_nested_too_deep_is_left_out() -> None:
    """No message takes more time than it is worth."""
    nested: Json = {"text": "deepest"}
    for _ in range(30):
        nested = {"elements": [nested]}
    made = document(message("top", extra=json.dumps({"blocks": [nested]}).encode()), PUBLIC)
    assert made is not None
    assert made.words == ("top",)


def event(
    payload: Json | None, *, kind: event_pb2.EventKind.ValueType = event_pb2.EVENT_KIND_MESSAGE
) -> event_pb2.Event:
    """Return an event of general."""
    return event_pb2.Event(channel_id=GENERAL, kind=kind, payload=json.dumps(payload).encode() if payload else b"")


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        ({"type": "message", "ts": "1.000001"}, {1_000_001}),
        ({"type": "message", "ts": "2.000000", "thread_ts": "1.000000"}, {1_000_000, 2_000_000}),
        ({"subtype": "message_changed", "ts": "9.000000", "message": {"ts": "1.000000"}}, {9_000_000, 1_000_000}),
        ({"subtype": "message_deleted", "deleted_ts": "1.000000"}, {1_000_000}),
        ({"type": "reaction_added", "item": {"ts": "1.000000", "channel": GENERAL}}, {1_000_000}),
        ({"type": "pin_removed", "item": {"message": {"ts": "1.000000", "thread_ts": "0.000001"}}}, {1_000_000, 1}),
        ({"type": "message", "ts": 7, "message": "none", "item": {"ts": "yesterday"}}, set()),
        (None, set()),
    ],
)
def test_an_event_names_messages_wherever_it_does(payload: Json | None, wanted: set[int]) -> None:
    """One too many does no harm, one too few is never found."""
    assert touched(event(payload)) == {(GENERAL, ts_us) for ts_us in wanted}


def test_other_events_are_about_no_message() -> None:
    """A member who comes is nothing to index, unless a message tells of it."""
    told = event({"type": "member_joined_channel", "ts": "1.000000"}, kind=event_pb2.EVENT_KIND_MEMBERSHIP)
    assert touched(told) == set()
    told.message_ts_us = 5
    assert (GENERAL, 5) in touched(told)
