"""What a request may ask of an edge, and how it is told what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from parley.edge.v1 import edge_service_pb2 as pb
from svc.edge import checks
from svc.kit.errors import InvalidArgumentError
from tests.svc.edge.twins import ALICE, GENERAL, TEAM


def booting(**fields: Any) -> Callable[[], None]:
    """Check a boot."""
    return lambda: checks.booting(pb.BootRequest(**{"team_id": TEAM, "user_id": ALICE, **fields}))


def searching(**fields: Any) -> Callable[[], str]:
    """Check a search."""
    return lambda: checks.searching(pb.SearchRequest(**{"team_id": TEAM, "user_id": ALICE, "prefix": "a", **fields}))


def members(**fields: Any) -> Callable[[], int]:
    """Check a page of members."""
    return lambda: checks.members(
        pb.ListMembersRequest(**{"team_id": TEAM, "user_id": ALICE, "channel_id": GENERAL, **fields})
    )


def objects(count: int, identifier: str = ALICE) -> Callable[[], None]:
    """Check a request for objects."""
    return lambda: checks.objects([pb.KnownObject(id=identifier)] * count)


@pytest.mark.parametrize(
    ("check", "subject", "limit", "actual"),
    [
        (booting(channel_ids=[GENERAL] * 100_001), "channel_ids", 100_000, 100_001),
        (booting(user_ids=[ALICE] * 501), "user_ids", 500, 501),
        (booting(near_ids=[ALICE] * 201), "near_ids", 200, 201),
        (booting(recent_max=101), "recent_max", 100, 101),
        (objects(501), "objects", 500, 501),
        (searching(prefix="x" * 65), "prefix", 64, 65),
        (searching(limit=21), "limit", 20, 21),
        (searching(near_ids=[ALICE] * 201), "near_ids", 200, 201),
        (members(limit=1001), "limit", 1000, 1001),
    ],
)
def test_what_is_too_much_is_refused_with_the_numbers(
    check: Callable[[], object], subject: str, limit: int, actual: int
) -> None:
    """The message says which field, what is allowed and what was sent."""
    with pytest.raises(InvalidArgumentError) as refused:
        check()
    assert (refused.value.subject, refused.value.limit, refused.value.actual) == (subject, limit, actual)
    assert refused.value.message == f"{subject}: {actual} is more than {limit}"


@pytest.mark.parametrize(
    ("check", "subject"),
    [
        (lambda: checks.team(ALICE), "team_id"),
        (lambda: checks.team(""), "team_id"),
        (lambda: checks.user(TEAM), "user_id"),
        (booting(user_id="alice"), "user_id"),
        (booting(channel_ids=["general"]), "channel_ids"),
        (booting(user_ids=[GENERAL]), "user_ids"),
        (booting(near_ids=[TEAM]), "near_ids"),
        (objects(1, "D0000000001"), "objects"),
        (searching(kinds=[pb.OBJECT_KIND_UNSPECIFIED]), "kinds"),
        (members(channel_id=ALICE), "channel_id"),
        (members(after_user_id="0"), "after_user_id"),
    ],
)
def test_what_is_something_else_is_refused_by_name(check: Callable[[], object], subject: str) -> None:
    """Ids of other kinds, and kinds that nobody can look for."""
    with pytest.raises(InvalidArgumentError) as refused:
        check()
    assert refused.value.subject == subject


def test_what_is_allowed_passes() -> None:
    """Up to the limits, and with all kinds of ids."""
    near = [ALICE, GENERAL, "D0000000001", "G0000000001"] * 50
    booting(channel_ids=[GENERAL, "D0000000001", "G0000000001", TEAM, ALICE], near_ids=near, user_ids=[ALICE] * 500)()
    objects(500, GENERAL)()
    assert [searching(prefix=prefix)() for prefix in ("@a", "#a", "a@", "@" + "x" * 64)] == ["a", "a", "a@", "x" * 64]
    assert (members()(), members(limit=7, after_user_id=ALICE)()) == (200, 7)


def test_the_people_of_direct_messages_are_named_for_all_channels_or_for_none() -> None:
    """A list that does not match the channels would describe the wrong people; what is no user's id is refused."""
    booting(channel_ids=[GENERAL, "D0000000001"], peer_ids=["", ALICE], recent_max=1)()
    for peers in ([ALICE], ["", "", ALICE], ["", GENERAL]):
        with pytest.raises(InvalidArgumentError) as refused:
            booting(channel_ids=[GENERAL, "D0000000001"], peer_ids=peers)()
        assert refused.value.subject == "peer_ids"
