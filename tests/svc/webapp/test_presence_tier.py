"""Who of many is active, asked of each owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parley.presence.v1 import presence_service_pb2 as pb
from svc.kit.errors import UnavailableError
from svc.webapp.presence_tier import USERS_MAX, PresenceTier


@dataclass(frozen=True)
class Owner:
    """A presence server."""

    id: str


@dataclass
class Pools:
    """Two presence servers: users with an even number belong to one, the others to the other."""

    active: set[str]
    broken: set[str] = field(default_factory=set)
    has_ring: bool = True
    asked: list[tuple[str, int]] = field(default_factory=list)

    def pick_owner(self, tier: str, key: str) -> Owner:
        if not self.has_ring:
            raise UnavailableError("nobody")
        return Owner("even" if int(key[1:]) % 2 == 0 else "odd")

    async def call_owner(
        self, tier: str, key: str, stub_class: Callable[..., Any], method: Any, request: Any, **_: Any
    ) -> pb.GetPresenceResponse:
        owner = self.pick_owner(tier, key).id
        assert {self.pick_owner(tier, each).id for each in request.user_ids} == {owner}
        self.asked.append((owner, len(request.user_ids)))
        if owner in self.broken:
            raise UnavailableError(owner)
        return pb.GetPresenceResponse(
            users=[
                pb.UserPresence(user_id=each, presence=pb.PRESENCE_ACTIVE if each in self.active else pb.PRESENCE_AWAY)
                for each in request.user_ids
            ]
        )


PEOPLE = [f"U{n:010d}" for n in range(2 * USERS_MAX + 2)]


async def among(pools: Pools, people: list[str]) -> set[str]:
    """Return who is active."""
    return set(await PresenceTier(pools).active_among(people))  # type: ignore[arg-type]


async def test_each_owner_is_asked_for_its_own_and_for_no_more_than_it_takes() -> None:
    """Active ones of all of them come back."""
    pools = Pools({PEOPLE[0], PEOPLE[1], PEOPLE[-1], "U9999999999"})
    assert await among(pools, PEOPLE) == {PEOPLE[0], PEOPLE[1], PEOPLE[-1]}
    assert sorted(pools.asked) == [("even", 1), ("even", USERS_MAX), ("odd", 1), ("odd", USERS_MAX)]


async def test_whose_owner_cannot_be_asked_is_away() -> None:
    """Nothing fails for it; nor without any owner at all."""
    assert await among(Pools(set(PEOPLE), broken={"odd"}), PEOPLE[:4]) == {PEOPLE[0], PEOPLE[2]}
    assert await among(Pools(set(PEOPLE), has_ring=False), PEOPLE[:4]) == set()
    assert await among(Pools(set(PEOPLE)), []) == set()
