"""Preferences and being away by hand over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import asyncio

import pytest

from parley.event.v1 import event_pb2
from svc.webapp.domain.people.prefs import DEFAULTS
from tests.svc.webapp.api.office import Office

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_preferences_are_kept_and_told(acme: Office) -> None:
    """One by name, several as an object; each by an event of its own, to one's own sockets."""
    ada = acme["ada"]
    assert (await ada.ok("users.prefs.get"))["prefs"] == DEFAULTS
    assert (await ada.ok("users.prefs.set", name="theme", value="dense"))["prefs"] == {"theme": "dense"}
    await ada.ok("users.prefs.set", prefs={"size": 12, "sounds": False, "nested": {"a": [1]}})
    await ada.ok("users.prefs.set", name="sounds", value="true")
    expected = {**DEFAULTS, "theme": "dense", "size": 12, "sounds": True, "nested": {"a": [1]}}
    assert (await ada.ok("users.prefs.get"))["prefs"] == expected
    await ada.ok("users.prefs.set", prefs={"size": None})
    assert "size" not in (await ada.ok("users.prefs.get"))["prefs"]
    told = [e for e in acme.payloads(ada.id) if e["type"] == "pref_change"]
    assert [(e["name"], e["value"]) for e in told] == [
        ("theme", "dense"),
        ("size", 12),
        ("sounds", False),
        ("nested", {"a": [1]}),
        ("sounds", True),
        ("size", None),
    ]
    assert (await acme["grace"].ok("users.prefs.get"))["prefs"] == DEFAULTS
    assert await ada.error("users.prefs.set") == "no_prefs"
    assert await ada.error("users.prefs.set", name="a b", value="x") == "invalid_name"
    assert await ada.error("users.prefs.set", name="big", value="x" * 70_000) == "prefs_too_large"


async def test_of_changes_at_once_all_are_kept_and_the_last_told_is_true(acme: Office) -> None:
    """Different names do not undo each other; of one name, devices end with what is stored."""
    linus = acme["linus"]
    one = [linus.ok("users.prefs.set", prefs={"same": n, f"own_{n}": n}) for n in range(10)]
    await asyncio.gather(*one)
    stored = (await linus.ok("users.prefs.get"))["prefs"]
    assert {stored[f"own_{n}"] for n in range(10)} == set(range(10))
    told = [e["value"] for e in acme.payloads(linus.id) if e["type"] == "pref_change" and e["name"] == "same"]
    assert told[-1] == stored["same"]


async def test_who_says_that_it_is_away_is_away(acme: Office) -> None:
    """Whatever its connections do; gateways hear it by the event, and a session that begins reads it."""
    grace = acme["grace"]
    acme.presence.active.add(grace.id)
    before = await grace.ok("users.getPresence")
    assert (before["presence"], before["manual_away"], before["auto_away"]) == ("active", False, False)
    assert await grace.ok("users.setPresence", presence="away") == {"ok": True}
    now = await grace.ok("users.getPresence")
    assert (now["presence"], now["manual_away"], now["auto_away"], now["online"]) == ("away", True, False, True)
    event = [event for event in acme.events if event.channel_id == grace.id][-1]
    assert (event.kind, event.away_change.is_away_by_hand) == (event_pb2.EVENT_KIND_USER, True)
    assert acme.payloads(grace.id)[-1]["presence"] == "away"
    assert (await acme.services.lookups.prefs(grace.id, event.offset)).away
    await grace.ok("users.setPresence", presence="auto")
    assert (await grace.ok("users.getPresence"))["manual_away"] is False
    event = [event for event in acme.events if event.channel_id == grace.id][-1]
    assert event.HasField("away_change")
    assert not event.away_change.is_away_by_hand
    assert acme.payloads(grace.id)[-1]["presence"] == "active"
    assert await grace.error("users.setPresence", presence="here") == "invalid_presence"
    assert await grace.error("users.setPresence") == "invalid_presence"
    acme.presence.active.discard(grace.id)


async def test_a_session_never_begins_with_preferences_from_before_its_place(acme: Office) -> None:
    """Also when the cache was not told: what is kept says how far its user's channel had come."""
    ada, lookups = acme["ada"], acme.services.lookups
    await lookups.prefs(ada.id)
    # Behind the cache's back.
    await acme.pools.user.execute(
        "INSERT INTO prefs (user_id, prefs, away, revision) VALUES (%s, '{}', 1, 99)"
        " ON DUPLICATE KEY UPDATE away = 1, revision = 99",
        (ada.id,),
    )
    head = (await acme.services.channels.heads([ada.id]))[ada.id]
    assert not (await lookups.prefs(ada.id, head)).away
    await ada.ok("conversations.mark", channel=acme.general, ts="1.0")
    assert (await lookups.prefs(ada.id, head + 1)).away
    assert (await lookups.prefs(ada.id, head + 99)).away
    await ada.ok("users.setPresence", presence="auto")
