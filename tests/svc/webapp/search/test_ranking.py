"""What the second stage prefers, by tables; and how pages of an answer are put together."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace

import pytest

from parley.search.v1 import search_service_pb2 as pb
from svc.kit.clock import ManualClock
from svc.kit.errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError
from svc.webapp.search import wire
from svc.webapp.search.answering import Answering, Asked
from svc.webapp.search.generations import Generations
from svc.webapp.search.index import Candidate, IndexState
from svc.webapp.search.memory_index import MemoryIndex
from svc.webapp.search.questions import Conditions
from svc.webapp.search.ranking import Nearness, Weights, features, hash_of, ranked
from tests.svc.webapp.search.samples import ADA, DAY_US, GENERAL, GRACE, SECRET, TEAM, asked, said

NOW_US = 1_000 * DAY_US
WEIGHTS = Weights()
PLAIN = Candidate(0, NOW_US - 30 * DAY_US, hash_of(GENERAL), hash_of(ADA), 2.0, 0, 8)
NEAR = Nearness({hash_of(SECRET): 1.0}, {hash_of(GRACE): 1.0})


@pytest.mark.parametrize(
    "better",
    [
        replace(PLAIN, engine_score=3.0),
        replace(PLAIN, ts_us=NOW_US),
        replace(PLAIN, user_hash=hash_of(GRACE)),
        replace(PLAIN, channel_hash=hash_of(SECRET)),
        replace(PLAIN, reaction_count=3),
    ],
)
def test_each_feature_lifts_a_message_by_itself(better: Candidate) -> None:
    """All else being equal."""
    rows = ranked([PLAIN, replace(better, place=1)], NEAR, NOW_US, WEIGHTS)
    assert [row[1].place for row in rows] == [1, 0]


def test_without_weights_the_newest_is_first() -> None:
    """Ties are settled by time, so pages do not shuffle."""
    none = Weights(**{name: 0.0 for name in asdict(WEIGHTS) if name != "half_life_days"})
    rows = ranked([replace(PLAIN, place=n, ts_us=n) for n in range(5)], NEAR, NOW_US, none)
    assert [row[1].ts_us for row in rows] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("changes", "name", "wanted"),
    [
        ({"ts_us": NOW_US}, "age", 1.0),
        ({"ts_us": NOW_US + DAY_US}, "age", 1.0),
        ({"ts_us": NOW_US - 30 * DAY_US}, "age", 0.5),
        ({"ts_us": NOW_US - 60 * DAY_US}, "age", 0.25),
        ({"engine_score": 4.0}, "engine", 1.0),
        ({"engine_score": 1.0}, "engine", 0.25),
        ({"reaction_count": 0}, "reactions", 0.0),
        ({"reaction_count": 20}, "reactions", 1.0),
        ({"reaction_count": 500}, "reactions", 1.0),
        ({"word_count": 2}, "length", 0.25),
        ({"word_count": 900}, "length", 1.0),
        ({"user_hash": hash_of(GRACE)}, "author", 1.0),
        ({"channel_hash": 5}, "channel", 0.0),
    ],
)
def test_features_are_shares(changes: dict[str, float], name: str, wanted: float) -> None:
    """From 0 to 1, whatever a message is like."""
    found = features(replace(PLAIN, **changes), 4.0, NEAR, NOW_US, WEIGHTS)  # type: ignore[arg-type]
    assert getattr(found, name) == pytest.approx(wanted)


class _One(Generations):
    """Generations of one index in memory."""

    def __init__(self, index: MemoryIndex) -> None:
        self.current = index
        self.building = None


def answering(count: int, *, is_whole: bool = True, running_max: int = 10) -> Answering:
    """Return what answers from an index of so many messages that are alike, apart from their time."""
    index = MemoryIndex()
    index.write([said("red build", ts_us) for ts_us in range(1, count + 1)], ())
    index.commit(IndexState(1, is_whole=is_whole))
    return Answering(_One(index), WEIGHTS, ManualClock(), running_max=running_max)


async def test_pages_of_the_best_go_on_beyond_what_is_ranked() -> None:
    """Nothing comes twice, nothing is left out, and the total is that of all."""
    there = answering(350)
    seen: list[int] = []
    for offset in range(0, 400, 50):
        page = await there.answer(Asked(asked("build"), is_best=True, offset=offset, limit=50))
        seen += [ts_us for (_, ts_us), _ in page.hits]
        assert page.total == 350
    assert sorted(seen) == list(range(1, 351))


async def test_the_newest_come_in_pages_too() -> None:
    """With a score of nothing; and a question without words has no best."""
    there = answering(5)
    page = await there.answer(Asked(asked("build"), offset=1, limit=2))
    assert [(ts, score) for (_, ts), score in page.hits] == [(4, 0.0), (3, 0.0)]
    page = await there.answer(Asked(asked(having=Conditions(frozenset({ADA}))), is_best=True, limit=2))
    assert [ts for (_, ts), _ in page.hits] == [5, 4]


async def test_an_empty_index_refuses_until_it_is_whole() -> None:
    """Nothing found would be a lie; an installation without messages is whole at once."""
    with pytest.raises(UnavailableError):
        await answering(0, is_whole=False).answer(Asked(asked("build")))
    assert (await answering(0).answer(Asked(asked("build")))).total == 0
    assert not (await answering(1, is_whole=False).answer(Asked(asked("build")))).is_whole


async def test_too_many_questions_are_refused() -> None:
    """Those that wait longest are asked by nobody any more."""
    there = answering(1, running_max=2)
    question = Asked(asked("build"))
    answers = await asyncio.gather(*(there.answer(question) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(each, ResourceExhaustedError) for each in answers) == 3
    assert (await there.answer(question)).total == 1


@pytest.mark.parametrize(
    "change",
    [
        {"team_id": ""},
        {"offset": 10_001},
        {"limit": 101},
        {"phrases": [pb.Phrase(text="x")] * 51},
        {"phrases": [pb.Phrase(text="x" * 501)]},
        {"having": pb.Conditions(marks=[pb.MARK_UNSPECIFIED])},
        {"lacking": pb.Conditions(author_ids=["U"] * 101)},
        {"near_users": {f"U{n}": 1.0 for n in range(1_001)}},
    ],
)
def test_requests_beyond_the_limits_are_refused(change: dict[str, object]) -> None:
    """Each limit of the contract."""
    request = pb.SearchRequest(**{"team_id": TEAM, "user_id": ADA, **change})  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError):
        wire.asked(request)


def test_a_request_is_read_as_it_is_meant() -> None:
    """Text is taken apart, marks and reactions become one, nearness is kept within bounds."""
    request = pb.SearchRequest(team_id=TEAM, user_id=ADA, order=pb.ORDER_BEST, offset=3, limit=4, oldest_us=5)
    request.phrases.add(text="Crème brûlée", is_exact=True)
    request.phrases.add(text="!!!")
    request.having.marks.append(pb.MARK_PIN)
    request.having.reactions.append("tada")
    request.near_users[GRACE] = 7.0
    found = wire.asked(request)
    assert [each.words for each in found.question.phrases] == [("creme", "brulee")]
    assert found.question.having.marks == {"pin", "r:tada"}
    assert (found.is_best, found.offset, found.limit, found.question.oldest_us) == (True, 3, 4, 5)
    assert found.nearness.users == {hash_of(GRACE): 1.0}
