"""Events for the tests of what brings them on their way."""

from __future__ import annotations

from svc.webapp.apps.items import Item


def item(number: int, channel_id: str = "C1") -> Item:
    """Return the event at this offset, committed so many seconds after the beginning."""
    return Item(f"{channel_id}:{number}", "message", channel_id, number, number * 1_000_000, b"{}")
