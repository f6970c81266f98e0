"""Boots of a crowd go to the edge together; nobody waits for nobody, and nobody goes unanswered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from parley.edge.v1 import edge_service_pb2 as pb
from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.webapp.edge_crowd import BOOTS_MAX, CHANNELS_MAX, EdgeCrowd
from svc.webapp.gathering.crowd import CrowdRules

TEAM, OTHER = "T0000000001", "T0000000002"
PATIENT = CrowdRules(asks=3.0, gap_s=30.0, glance_s=30.0)
"""Whoever is not sent off by something else would hang."""
QUICK = CrowdRules(asks=3.0, gap_s=0.05, glance_s=0.05)


@dataclass
class Edge:
    """Answers with who asked; notes how many were asked for together."""

    calls: list[int] = field(default_factory=list)
    refused: frozenset[str] = frozenset()
    failure: Exception | None = None
    hangs: asyncio.Event | None = None

    async def __call__(self, request: pb.BootManyRequest) -> pb.BootManyResponse:
        self.calls.append(len(request.boots))
        if self.hangs is not None:
            self.hangs.set()
            await asyncio.sleep(60)
        if self.failure is not None:
            raise self.failure
        boots = [pb.BootResponse(changed_ids=[each.user_id]) for each in request.boots]
        refused = [place for place, each in enumerate(request.boots) if each.user_id in self.refused]
        return pb.BootManyResponse(boots=boots, refused=refused)


def ask(crowd: EdgeCrowd, number: int, team_id: str = TEAM, channels: int = 1) -> Any:
    return crowd.boot(pb.BootRequest(team_id=team_id, user_id=f"U{number}", channel_ids=["C0000000001"] * channels))


def crowded(edge: Edge, rules: CrowdRules) -> EdgeCrowd:
    """Return one whose crowd has come: the next who comes waits for company."""
    clock = SystemClock()
    crowd = EdgeCrowd(edge, clock, rules)
    crowd._crowd.began(1_000, clock.now())
    return crowd


async def test_who_comes_alone_waits_for_nobody_and_asks_alone() -> None:
    """The usual boot."""
    edge = Edge()
    crowd = EdgeCrowd(edge, SystemClock(), CrowdRules(asks=1_000.0, gap_s=30.0))
    for number in range(20):
        assert await asyncio.wait_for(ask(crowd, number), 10) is None
    assert not edge.calls


async def test_a_crowd_is_asked_for_together_and_each_gets_its_own_answer() -> None:
    """By workspace; who is refused asks alone for the reason."""
    edge = Edge(refused=frozenset({"U3"}))
    crowd = crowded(edge, QUICK)
    asked = [ask(crowd, number, TEAM if number < 10 else OTHER) for number in range(20)]
    answers = await asyncio.wait_for(asyncio.gather(*asked), 10)
    assert [answer and list(answer.changed_ids) for answer in answers] == [
        None if number == 3 else [f"U{number}"] for number in range(20)
    ]
    assert sorted(edge.calls) == [10, 10]


async def test_a_full_company_goes_at_once() -> None:
    """At the contract's limits: of boots, and of what they ask about."""
    edge = Edge()
    crowd = crowded(edge, PATIENT)
    await asyncio.wait_for(asyncio.gather(*(ask(crowd, number) for number in range(BOOTS_MAX))), 10)
    assert edge.calls == [BOOTS_MAX]
    waiting = [asyncio.ensure_future(ask(crowd, number, channels=CHANNELS_MAX // 2)) for number in range(3)]
    await asyncio.sleep(0)
    assert [len(company.requests) for company in crowd._waiting.values()] == [1]
    for each in waiting:
        each.cancel()


async def test_what_the_call_fails_with_is_everybodys() -> None:
    """Each raises its own."""
    edge = Edge(failure=UnavailableError("gone"))
    crowd = crowded(edge, QUICK)
    failures = await asyncio.gather(*(ask(crowd, number) for number in range(5)), return_exceptions=True)
    assert all(isinstance(each, UnavailableError) for each in failures)
    assert len(set(map(id, failures))) == 5


@pytest.mark.parametrize("is_asking", [False, True])
async def test_when_whoever_leads_goes_away_the_others_ask_for_themselves(is_asking: bool) -> None:
    """While it waits for company, or for the answer; one who only follows changes nothing by going."""
    hanging = asyncio.Event()
    edge = Edge(hangs=hanging)
    crowd = crowded(edge, QUICK if is_asking else PATIENT)
    leader, follower, *others = [asyncio.ensure_future(ask(crowd, number)) for number in range(5)]
    await asyncio.sleep(0)
    if is_asking:
        await asyncio.wait_for(hanging.wait(), 10)
    follower.cancel()
    await asyncio.sleep(0)
    assert not any(each.done() for each in others)
    leader.cancel()
    assert await asyncio.wait_for(asyncio.gather(*others), 10) == [None] * 3
    assert not crowd._waiting
