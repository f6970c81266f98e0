"""What events amount to: threads, pins, saved things and what is to be read; the rest is in the judges' tests."""

from __future__ import annotations

from typing import Any

import pytest

from ops.folding import Contradiction, Folded


def message(ts: str, **more: Any) -> dict[str, Any]:
    """Return a message's event."""
    return {"type": "message", "ts": ts, "text": ts, "event_ts": ts, **more}


def removed(ts: str) -> dict[str, Any]:
    """Return the event of a removal."""
    return {"type": "message", "subtype": "message_deleted", "deleted_ts": ts, "ts": "99.0"}


def folded(*events: dict[str, Any]) -> Folded:
    """Return what these events amount to."""
    found = Folded()
    for offset, event in enumerate(events, start=1):
        found.take(offset, event)
    return found


def test_a_thread_is_made_of_the_replies_that_are_there() -> None:
    """One without any is none; a broadcast reply is to be read, others are not."""
    events = (
        message("1.0"),
        message("2.0", thread_ts="1.0"),
        message("3.0", thread_ts="1.0", subtype="thread_broadcast"),
    )
    assert folded(*events).threads == {"1.0": ["2.0", "3.0"]}
    assert folded(*events).newest_to_read == "3.0"
    assert folded(*events, removed("3.0")).threads == {"1.0": ["2.0"]}
    assert folded(*events, removed("3.0")).newest_to_read == "1.0"
    assert folded(*events, removed("3.0"), removed("2.0")).threads == {}


def test_a_reply_to_what_is_not_there_cannot_be() -> None:
    """Neither to what never was nor to what was removed before it."""
    with pytest.raises(Contradiction, match="not there"):
        folded(message("2.0", thread_ts="1.0"))
    with pytest.raises(Contradiction, match="not there"):
        folded(message("1.0"), removed("1.0"), message("2.0", thread_ts="1.0"))


def test_nobody_has_to_read_notices_and_what_is_left_of_a_removed_message() -> None:
    """Nor is anything to be read where nothing is left."""
    notice, parent = message("1.0", subtype="channel_join"), message("2.0")
    tombstone = {
        "type": "message",
        "subtype": "message_changed",
        "message": {"ts": "2.0", "text": "gone", "subtype": "tombstone"},
    }
    assert folded(notice).newest_to_read == ""
    assert folded(notice, parent).newest_to_read == "2.0"
    pin = {"type": "pin_added", "user": "U1", "item": {"channel": "C1", "message": {"ts": "2.0"}}}
    found = folded(notice, parent, pin, tombstone)
    assert found.pins == {}
    assert (found.newest_to_read, found.messages["2.0"].text, found.messages["2.0"].revision) == ("", "gone", 4)


def test_pins_and_saved_things_come_and_go_and_pins_go_with_their_message() -> None:
    """Each is there once."""
    pin = {"type": "pin_added", "user": "U1", "item": {"channel": "C1", "message": {"ts": "1.0"}}}
    star = {"type": "star_added", "item": {"type": "channel", "channel": "C1"}}
    assert folded(message("1.0"), pin).pins == {"1.0": "U1"}
    assert folded(message("1.0"), pin, {**pin, "type": "pin_removed"}).pins == {}
    assert folded(message("1.0"), pin, removed("1.0")).pins == {}
    assert folded(star).saved == {"C1"}
    assert folded({**star, "item": pin["item"]}).saved == {"C1:1.0"}
    assert folded(star, {**star, "type": "star_removed"}).saved == set()
    for events in ((message("1.0"), pin, pin), (pin,), (star, star), ({**star, "type": "star_removed"},)):
        with pytest.raises(Contradiction):
            folded(*events)
