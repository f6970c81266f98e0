"""One suite for both indexes: what they find, what they keep, and what they lose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from svc.webapp.search.index import Index, IndexState, IndexTroubleError
from svc.webapp.search.memory_index import MemoryIndex
from svc.webapp.search.questions import Conditions, Question, is_match
from svc.webapp.search.ranking import hash_of
from svc.webapp.search.tantivy_index import TantivyIndex
from tests.svc.webapp.search.samples import ADA, GENERAL, GRACE, SECRET, any_document, any_question, asked, said

FED = IndexState(fed_until_us=5)


@pytest.fixture(params=["memory", "tantivy"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    """An empty index."""
    made: Index = MemoryIndex() if request.param == "memory" else TantivyIndex(tmp_path / "index")
    yield made
    made.close()


def filled(index: Index, *documents: object) -> Index:
    """Return the index with documents committed."""
    index.write(documents, ())  # type: ignore[arg-type]
    index.commit(FED)
    return index


def stamps(index: Index, question: Question, *, is_loose: bool = False) -> list[int]:
    """Return the ts of what is found, the newest first."""
    return [ts_us for _, ts_us in index.newest(question, 100, 0, is_loose=is_loose).keys]


def test_what_is_written_is_found_once_committed(index: Index) -> None:
    """And not before: readers see whole commits."""
    index.write([said("red build", 1)], ())
    assert stamps(index, asked("build")) == []
    index.commit(FED)
    assert stamps(index, asked("build")) == [1]
    assert (index.state, index.documents) == (FED, 1)


def test_a_message_is_there_once_however_often_it_is_told(index: Index) -> None:
    """An edit replaces, a removal removes, both may be repeated, and removing what is not there is nothing."""
    filled(index, said("red build", 1), said("red build", 2))
    index.write([said("blue build", 1), said("blue build", 1)], [(GENERAL, 2), (GENERAL, 77)])
    index.commit(FED)
    assert (stamps(index, asked("red")), stamps(index, asked("blue")), index.documents) == ([], [1], 1)
    filled(index, said("blue build", 1))
    assert (stamps(index, asked("build")), index.documents) == ([1], 1)


def test_pages_of_the_newest_have_no_gap_and_a_total(index: Index) -> None:
    """By ts, whatever the order of writing."""
    filled(index, *(said("build", ts_us) for ts_us in (3, 9, 1, 7, 5)))
    pages = [index.newest(asked("build"), 2, offset, is_loose=False) for offset in (0, 2, 4, 6)]
    assert [[ts for _, ts in page.keys] for page in pages] == [[9, 7], [5, 3], [1], []]
    assert {page.total for page in pages} == {5}
    nothing = index.newest(asked("build"), 0, 0, is_loose=False)
    assert (list(nothing.keys), nothing.total) == ([], 5)
    but = index.newest(asked("build"), 9, 1, is_loose=False, but=[(GENERAL, 9), (GENERAL, 5)])
    assert ([ts for _, ts in but.keys], but.total) == ([3, 1], 3)


@pytest.mark.parametrize(
    ("question", "strict", "loose"),
    [
        (asked("deploy"), [1], [1, 2, 3]),
        (asked("deploy", "red"), [1], [1, 2]),
        (asked("deploy", "red", "lunch"), [], [1, 2]),
        (asked("red deploy"), [1], [1]),
        (asked("deploy red"), [], []),
        (asked("dep*"), [1, 2, 3], [1, 2, 3]),
        (asked("red dep*"), [1, 2], [1, 2]),
        (asked("nothing"), [], []),
        (asked(), [1, 2, 3, 4], [1, 2, 3, 4]),
    ],
)
def test_words_match_as_the_mode_says(index: Index, question: Question, strict: list[int], loose: list[int]) -> None:
    """Strictly all as they are; loosely most of them, in any form, and what was quoted as it is."""
    filled(index, said("red deploy", 1), said("red deployed", 2), said("deploys", 3), said("lunch", 4))
    assert sorted(stamps(index, question)) == strict
    assert sorted(stamps(index, question, is_loose=True)) == loose
    assert sorted(each.ts_us for each in index.candidates(question, 10).each) == loose


def test_what_is_private_is_for_those_in_it(index: Index) -> None:
    """Nobody sees a private conversation that is not among his own, nor another workspace's public one."""
    filled(index, said("build", 1), said("build", 2, channel_id=SECRET, public_in=""), said("build", 3, public_in="T9"))
    assert stamps(index, asked("build")) == [1]
    assert stamps(index, asked("build", member_channel_ids=frozenset({SECRET}))) == [2, 1]
    only = Conditions(channel_ids=frozenset({SECRET}))
    assert stamps(index, asked("build", having=only)) == []


def test_candidates_bring_what_the_second_stage_ranks(index: Index) -> None:
    """Numbers beside the engine's score, and the newest among the best even where scores are equal."""
    filled(index, *(said("build", ts_us, reaction_count=ts_us % 3) for ts_us in range(1, 101)))
    found = index.candidates(asked("build"), 9)
    assert found.total == 100
    assert len(found.each) == len(found.keys) <= 9
    assert {98, 99, 100} <= {each.ts_us for each in found.each}
    for each in found.each:
        assert found.keys[each.place] == (GENERAL, each.ts_us)
        assert (each.channel_hash, each.user_hash) == (hash_of(GENERAL), hash_of(ADA))
        assert (each.reaction_count, each.word_count) == (each.ts_us % 3, 1)
        assert each.engine_score > 0


def test_indexes_find_what_the_rules_say(index: Index) -> None:
    """A hundred questions over random messages, in both modes, beside the pure meaning of each."""
    rng = Random(20)
    documents = [any_document(rng, ts_us) for ts_us in range(1, 301)]
    filled(index, *documents)
    for _ in range(200):
        question = any_question(rng)
        for is_loose in (False, True):
            wanted = [each.ts_us for each in reversed(documents) if is_match(each, question, is_loose=is_loose)]
            found = index.newest(question, 300, 0, is_loose=is_loose)
            assert ([ts for _, ts in found.keys], found.total) == (wanted, len(wanted)), (question, is_loose)
        candidates = index.candidates(question, 300)
        assert sorted(each.ts_us for each in candidates.each) == sorted(wanted), question
        assert candidates.total == len(wanted)


def test_what_is_not_committed_can_be_dropped(index: Index) -> None:
    """After trouble one goes back to what is durable."""
    filled(index, said("red", 1))
    index.write([said("blue", 2)], [(GENERAL, 1)])
    index.reset()
    index.commit(FED)
    assert (stamps(index, asked("red")), stamps(index, asked("blue"))) == ([1], [])


def test_an_index_outlives_its_process(tmp_path: Path) -> None:
    """Documents and state come back as of the last commit, and what was not committed does not."""
    first = TantivyIndex(tmp_path)
    filled(first, said("red", 1, user_id=GRACE))
    state = IndexState(7, (GENERAL, 3), 12, True)
    first.commit(state)
    first.write([said("blue", 2)], ())
    first.close()
    second = TantivyIndex(tmp_path)
    assert (second.state, second.documents, stamps(second, asked("red"))) == (state, 1, [1])
    assert stamps(second, asked("blue")) == []
    second.close()


def test_one_folder_has_one_writer(tmp_path: Path) -> None:
    """A second process that was given the same folder does not spoil it."""
    first = TantivyIndex(tmp_path)
    with pytest.raises(IndexTroubleError, match="Lock"):
        TantivyIndex(tmp_path)
    first.close()
    TantivyIndex(tmp_path).close()


def test_a_full_disk_stops_writing_and_nothing_else(tmp_path: Path) -> None:
    """It says so, answers from what it has, and writes again when there is room."""
    free = [1_000]
    index = TantivyIndex(tmp_path, free_bytes_min=500, free=lambda _: free[0])
    filled(index, said("red", 1))
    free[0] = 499
    with pytest.raises(IndexTroubleError, match="is full: 499 bytes are free"):
        index.write([said("red", 2)], ())
    with pytest.raises(IndexTroubleError, match="is full"):
        index.commit(FED)
    assert stamps(index, asked("red")) == [1]
    index.reset()
    free[0] = 500
    filled(index, said("red", 2))
    assert stamps(index, asked("red")) == [2, 1]
    index.close()
