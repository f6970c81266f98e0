"""A delta, applied to what a client had, is what a fresh boot says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from svc.shapes.positions import decode
from svc.webapp.domain.boot.answers import IMS_MAX, MPIMS_MAX, near_ids
from svc.webapp.store.rows import ConversationKind, Membership
from tests.svc.webapp.domain.boot.world import ME, NOW_S, TEAM, Kept, World

Json = dict[str, Any]


def _shown(channels: Mapping[str, Json]) -> dict[str, Json]:
    return {each: {k: v for k, v in entry.items() if k != "members"} for each, entry in channels.items()}


@pytest.mark.parametrize("seed", range(60))
def test_a_delta_applied_is_a_fresh_boot(seed: int) -> None:
    """For random states and whatever happened since; the same client goes through several deltas."""
    world = World(Random(seed)).fill()
    client = Kept().take(world.boot({}))
    for _ in range(8):
        for _ in range(world.rng.choice([0, 1, 2, 5, 60])):
            world.step()
        answer = world.boot(client.positions)
        assert answer["is_delta"]
        client.take(answer)
        fresh = Kept().take(world.boot({}))
        assert _shown(client.channels) == _shown(fresh.channels)
        assert client.positions == fresh.positions
        assert client.rest == fresh.rest
        for channel_id, entry in fresh.channels.items():
            assert client.channels[channel_id].get("members", entry.get("members")) == entry.get(
                "members", client.channels[channel_id].get("members")
            )
        for user_id, user in fresh.users.items():
            # Whom the client was told to have changed and is not on its screen anew, it asks for by id.
            assert client.users.get(user_id, user if user_id in client.old else None) == user


def test_who_missed_nothing_is_told_nothing() -> None:
    """A hundred conversations, and an answer of a line."""
    world = World(Random(1)).fill()
    whole = world.boot({})
    nothing = world.boot(decode(whole["token"]))
    assert nothing == {"is_delta": True, "complete": False, "channels": [], "token": nothing["token"]}
    assert len(json.dumps(nothing)) < 100
    assert decode(nothing["token"]) == {}


def test_one_message_is_one_entry() -> None:
    """And its conversation's new position; nothing else is said again."""
    world = World(Random(2)).fill()
    before = decode(world.boot({})["token"])
    world.post()
    answer = world.boot(before)
    assert [entry["id"] for entry in answer["channels"]] == list(decode(answer["token"]))
    assert len(answer["channels"]) == 1
    assert "prefs" not in answer
    assert "model" not in answer


def test_a_read_mark_tells_all_entries_and_what_the_user_chose() -> None:
    """The user's own channel moved: what of it is not told apart."""
    world = World(Random(3)).fill()
    before = decode(world.boot({})["token"])
    world.mark()
    answer = world.boot(before)
    assert answer["complete"]
    assert {entry["id"] for entry in answer["channels"]} == set(world.places)
    assert "prefs" in answer


def test_fresh_mentions_are_told_though_nothing_moved() -> None:
    """They are counted a moment after the message is told: the boot in between had one too few."""
    world = World(Random(4)).fill()
    before = decode(world.boot({})["token"])
    place = next(place for place in world.places.values() if place.latest_us > place.last_read_us)
    place.mentions += 1
    just_after_s = place.latest_us / 1_000_000 + 1
    told = {entry["id"]: entry for entry in world.boot(before, just_after_s)["channels"]}
    assert told[place.channel.id]["mentions"] == place.mentions
    assert world.boot(before, NOW_S + 7 * 86_400)["channels"] == []


def test_a_token_of_somebody_else_or_of_another_time_is_a_whole_boot() -> None:
    """Without positions of this user and this workspace nothing can be left out."""
    world = World(Random(5)).fill()
    whole = world.boot({})
    positions = decode(whole["token"])
    for missing in (TEAM, ME):
        answer = world.boot({each: offset for each, offset in positions.items() if each != missing})
        assert not answer["is_delta"]
        assert answer == whole


def test_a_first_boot_describes_the_people_of_recent_direct_messages() -> None:
    """The most recent so many, and oneself only as oneself."""
    world = World(Random(6)).fill()
    answer = world.boot({})
    recent = sorted(
        (place for place in world.places.values() if place.row.kind is ConversationKind.IM and place.latest_us),
        key=lambda place: -place.latest_us,
    )[:IMS_MAX]
    groups = [entry for entry in answer["channels"] if "members" in entry]
    assert len(groups) <= MPIMS_MAX
    people = {place.row.peer_user_id for place in recent} | {user for entry in groups for user in entry["members"]}
    assert {user["id"] for user in answer["users"]} == people - {ME}
    assert all("v" in user for user in (*answer["users"], answer["self"]))


def test_what_is_zero_or_false_is_left_out() -> None:
    """Of hundreds of entries most are read and not archived."""
    world = World(Random(7)).fill()
    for entry in world.boot({})["channels"]:
        assert all(value not in (0, False, "", None, []) for value in entry.values())
        assert entry.get("unread", False) == (entry.get("latest", "") > entry.get("last_read", ""))


def test_whom_one_reads_is_near() -> None:
    """The people of direct messages and conversations, what was read last first; what was never read is not."""
    rows = [
        Membership(ME, "C0000000001", TEAM, ConversationKind.PUBLIC, last_read_us=5),
        Membership(ME, "D0000000001", TEAM, ConversationKind.IM, peer_user_id="U0000000009", last_read_us=9),
        Membership(ME, "C0000000002", TEAM, ConversationKind.PUBLIC),
    ]
    assert near_ids(rows) == ["U0000000009", "C0000000001"]
