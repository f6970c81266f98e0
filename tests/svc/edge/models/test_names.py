"""Search by prefix: who comes first, and that no history of changes makes it find anything else than a full scan."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svc.edge.models import names as rules
from svc.edge.models.names import Names, Query, search
from svc.edge.models.numbers import id_of, number_of
from svc.edge.models.shelf import WORD
from svc.kit.errors import InvalidArgumentError


@dataclass(frozen=True, slots=True)
class Named:
    """What one id is called."""

    handle: str
    names: tuple[str, ...] = ()
    active: bool = True


def user_id(number: int) -> str:
    """Return an id."""
    return f"U00000000{number:02}"


def put(index: Names, identifier: str, named: Named) -> None:
    """Give an id its names."""
    number = number_of(identifier)
    assert number is not None
    index.put(number, named.handle, named.names, named.active)


def index_of(*people: Named) -> Names:
    """Return an index of people who have the ids of their places."""
    index = Names()
    for number, named in enumerate(people):
        put(index, user_id(number), named)
    return index


def found(index: Names, query: Query) -> list[int]:
    """Return the places of those found."""
    return [int(identifier[1:]) for identifier in search(query, index)]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("anna", [3, 1, 0, 2]),
        ("ANNA ", [3, 1, 0, 2]),
        ("kar", [0]),
        ("anna kar", [0]),
        ("karenina", [0]),
        ("big", [4]),
        ("launch", [5, 4]),
        ("mull", [6]),
        ("strasse", [6]),
        ("annabel", [2]),
        ("nobody", []),
    ],
)
def test_the_best_match_comes_first(prefix: str, expected: list[int]) -> None:
    """What is exact, then handles, then beginnings of names, then words; the shorter first."""
    index = index_of(
        Named("akarenina", ("Anna Karenina",)),
        Named("annab"),
        Named("x", ("Lee Annabel",)),
        Named("lee", ("Anna",)),
        Named("proj-big_launch"),
        Named("launches"),
        Named("straße", ("Zoë Müller",)),
    )
    assert found(index, Query(prefix=prefix)) == expected


def test_whom_one_talks_to_comes_first_and_the_deactivated_last() -> None:
    """Weight goes before every rank; being gone goes before weight."""
    index = index_of(Named("ann"), Named("annabel"), Named("anne"), Named("anna", active=False), Named("bob"))
    dear = {user_id(1): 1.0, user_id(3): 9.0, user_id(2): 2.0, user_id(4): 5.0, user_id(0): 0.0, "nonsense": 3.0}
    assert found(index, Query(prefix="ann")) == [0, 2, 1]
    assert found(index, Query(prefix="ann", affinity=dear)) == [2, 1, 0]
    assert found(index, Query(prefix="ann", affinity=dear, inactive=True)) == [2, 1, 0, 3]
    assert found(index, Query(prefix="ann", affinity=dear, limit=1)) == [2]
    gone_first = {user_id(3): 9.0, user_id(1): 1.0}
    assert found(index, Query(prefix="ann", affinity=gone_first, limit=1, inactive=True)) == [1]


def test_those_of_equal_weight_are_ranked_as_if_alone() -> None:
    """However the caller happens to name them, and though there are more of them than asked for."""
    index = index_of(Named("ann"), Named("annabel"), Named("anne"))
    equal = {user_id(1): 1.0, user_id(2): 1.0, user_id(0): 1.0}
    assert found(index, Query(prefix="ann", affinity=equal, limit=1)) == [0]
    assert found(index, Query(prefix="ann", affinity=equal, limit=2)) == [0, 2]


def test_several_indexes_are_ranked_together() -> None:
    """A switcher shows people and channels in one list."""
    people, channels = index_of(Named("anna")), Names()
    put(channels, "C0000000001", Named("ann"))
    put(channels, "C0000000002", Named("annals"))
    assert search(Query(prefix="ann"), people, channels) == ["C0000000001", user_id(0), "C0000000002"]


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        (Query(prefix=""), "prefix"),
        (Query(prefix=" \u0301\x00"), "prefix"),
        (Query(prefix="a" * (rules.PREFIX_CHARS_MAX + 1)), "prefix"),
        (Query(prefix="a", limit=0), "limit"),
        (Query(prefix="a", limit=rules.HITS_MAX + 1), "limit"),
        (Query(prefix="a", affinity={str(n): 1.0 for n in range(rules.AFFINITY_MAX + 1)}), "affinity"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(query: Query, subject: str) -> None:
    """The error says which part of the query it is."""
    with pytest.raises(InvalidArgumentError) as refused:
        search(query, Names())
    assert refused.value.subject == subject


def test_a_prefix_that_is_no_unicode_finds_nothing() -> None:
    """Half a surrogate pair comes out of careless JSON."""
    assert search(Query(prefix="\ud800"), index_of(Named("anna"))) == []


def test_long_names_are_compared_as_far_as_keys_go() -> None:
    """Beyond the longest key, all that agree so far are found."""
    index = index_of(Named("é" * 60), Named("界" * 30 + "a"), Named("界" * 30 + "b"))
    assert found(index, Query(prefix="界" * 31)) == [1, 2]
    assert found(index, Query(prefix="e" * 60)) == [0]


def naive(people: dict[str, Named], query: Query) -> list[str]:
    """Rank every one by the rules, as slowly as it goes."""
    prefix = query.check()
    ranks = []
    for identifier, named in people.items():
        keys = rules.keys_of(named.handle, named.names)
        hits = [
            (kind == WORD or key != prefix, kind, len(key), key) for key, kind in keys.items() if key.startswith(prefix)
        ]
        if hits and (named.active or query.inactive):
            weight = max(query.affinity.get(identifier, 0.0), 0.0)
            ranks.append((not named.active, -weight, *min(hits), number_of(identifier)))
    return [id_of(rank[-1]) for rank in sorted(ranks)[: query.limit] if rank[-1] is not None]


TEXTS = st.text(alphabet="aabkéß -_ガ김", max_size=8)
PEOPLE = st.builds(Named, TEXTS, st.tuples(TEXTS, TEXTS), st.booleans())
IDS = st.integers(0, 12).map(user_id)
QUERIES = st.builds(
    Query,
    prefix=st.text(alphabet="abkéß -か", min_size=1, max_size=3).filter(lambda text: text.strip() != ""),
    limit=st.integers(1, 5),
    affinity=st.dictionaries(IDS, st.sampled_from([-1.0, 0.0, 1.0, 1.0, 2.0]), max_size=8),
    inactive=st.booleans(),
)


@settings(deadline=None)
@given(
    loaded=st.dictionaries(IDS, PEOPLE),
    is_settled=st.booleans(),
    changes=st.lists(st.tuples(IDS, st.none() | PEOPLE), max_size=25),
    queries=st.lists(QUERIES, min_size=1, max_size=4),
)
def test_search_finds_what_a_scan_finds(
    loaded: dict[str, Named], is_settled: bool, changes: list[tuple[str, Named | None]], queries: list[Query]
) -> None:
    """After joining, renaming, deactivating and leaving in any order; and memory is counted back to where it began."""
    index, truth = Names(), dict(loaded)
    for identifier, named in loaded.items():
        put(index, identifier, named)
    while is_settled and index.settle():
        pass
    for identifier, change in changes:
        if change is None:
            truth.pop(identifier, None)
            index.remove(number_of(identifier) or 0)
        else:
            truth[identifier] = change
            put(index, identifier, change)
    assert len(index) == len(truth)
    for query in queries:
        assert search(query, index) == naive(truth, query)
    for identifier in truth:
        index.remove(number_of(identifier) or 0)
    assert index.memory_bytes < 1500
