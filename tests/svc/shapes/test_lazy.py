"""Lazy queries mean the same over a socket and over HTTP."""

from __future__ import annotations

import pytest

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as edge
from svc.shapes import lazy

ADA = boot.User(id="U0000000001", team_id="T0000000001", name="ada", version=4)
GENERAL = boot.Channel(
    id="C0000000001", team_id="T0000000001", name="general", kind=boot.CHANNEL_KIND_PUBLIC, version=2
)


def test_a_version_says_what_a_client_has_and_null_that_it_has_nothing() -> None:
    """Version 0 is a version: an object that never changed is not sent again."""
    known = lazy.known_objects({"U1": 12, "C2": None, "U3": 0})
    assert [(each.id, each.version, each.held) for each in known] == [
        ("U1", 12, True),
        ("C2", 0, False),
        ("U3", 0, True),
    ]


@pytest.mark.parametrize("version", ["12", -1, 2**64, True, 1.5, []])
def test_what_is_no_version_is_refused(version: object) -> None:
    """It never reaches the edge, whose contract has numbers of 64 bits."""
    with pytest.raises(ValueError, match="version"):
        lazy.known_objects({"U1": version})


def test_too_many_ids_are_refused() -> None:
    """The edge's limit is said to the client, not found out by a failed call."""
    assert len(lazy.known_objects(dict.fromkeys(map(str, range(lazy.OBJECTS_MAX))))) == lazy.OBJECTS_MAX
    with pytest.raises(ValueError, match="at most"):
        lazy.known_objects(dict.fromkeys(map(str, range(lazy.OBJECTS_MAX + 1))))


def test_an_answer_has_versions_and_membership() -> None:
    """`v` is what the client names the next time."""
    answer = lazy.objects_answer(
        edge.GetObjectsResponse(users=[ADA], channels=[GENERAL], unknown_ids=["U9"]), now_s=1.0, joined={GENERAL.id}
    )
    assert (answer["users"][0]["v"], answer["channels"][0]["v"], answer["unknown"]) == (4, 2, ["U9"])
    assert answer["channels"][0]["is_member"]
    found = lazy.search_answer(edge.SearchResponse(users=[ADA], channels=[GENERAL]), now_s=1.0, joined=())
    assert found["users"] == answer["users"]
    assert not found["channels"][0]["is_member"]


def test_emoji_are_sent_to_who_has_not_got_them() -> None:
    """Who has them is told that and no more."""
    party = boot.Emoji(name="party", value="https://e/p.png")
    new = lazy.emoji_answer(edge.ListEmojiResponse(emoji=[party], version=8))
    assert new == {"emoji": {"party": "https://e/p.png"}, "version": 8}
    assert lazy.emoji_answer(edge.ListEmojiResponse(version=7, is_unchanged=True)) == {"unchanged": True, "version": 7}
    assert lazy.members_answer(["U1"], 7, "") == {"members": ["U1"], "total": 7, "cursor": ""}
