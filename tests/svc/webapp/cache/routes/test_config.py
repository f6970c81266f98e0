"""Reading configurations: what is right becomes a value, what is wrong is named with its place, all of it at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.cache.routes.config import BYTES_MAX, DEFAULT_FILE, PLAIN_FILE, RoutesError, parse, read_file
from svc.webapp.cache.routes.reach import may_hold, reaches
from svc.webapp.cache.routes.spec import (
    AllSyncSpec,
    FailoverSpec,
    MissFailoverSpec,
    NullSpec,
    OperationsSpec,
    PoolSpec,
    PrefixesSpec,
    RoutesConfig,
    ShadowSpec,
    Spec,
    Switches,
    WarmUpSpec,
)

A, B, C = PoolSpec("a"), PoolSpec("b"), PoolSpec("c")
DEEP = 9


def routes(default: Any, **more: Any) -> bytes:
    """Return a configuration with this default, over pools a, b and c."""
    return json.dumps({"pools": ["a", "b", "c"], "routes": {"default": default}, **more}).encode()


def mistakes(data: bytes) -> list[str]:
    """Return what is wrong with a configuration."""
    with pytest.raises(RoutesError) as caught:
        parse(data)
    return list(caught.value.mistakes)


def handle(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a handle as it is written."""
    return {"type": kind, **fields}


def nested(depth: int) -> Any:
    """Return handles within handles."""
    return "a" if depth == 0 else handle("all_sync", children=[nested(depth - 1)])


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        ("a", A),
        (handle("pool", pool="a"), A),
        (handle("pool", pool="a", warm_up=False), PoolSpec("a", warm_up=False)),
        (handle("failover", child="a", gutter="b"), FailoverSpec(A, B, 10)),
        (handle("failover", child="a", gutter="b", ttl_s=60), FailoverSpec(A, B, 60)),
        (handle("warm_up", cold="a", warm="b"), WarmUpSpec(A, B)),
        (handle("all_sync", children=["a", "b"]), AllSyncSpec((A, B))),
        (handle("miss_failover", children=["a"]), MissFailoverSpec((A,))),
        (handle("shadow", child="a", shadow="b", rate=0.25), ShadowSpec(A, B, 0.25)),
        (handle("shadow", child="a", shadow="b", rate=1), ShadowSpec(A, B, 1.0)),
        (handle("operations", get="a", delete=handle("all_sync", children=["a", "b"])), None),
        (handle("prefixes", default="a"), PrefixesSpec(A)),
        (handle("prefixes", default="a", prefixes={"h1:": "b"}), PrefixesSpec(A, {"h1:": B})),
        (handle("null"), NullSpec()),
    ],
    ids=str,
)
def test_each_type_of_handle_can_be_written(written: Any, spec: Spec | None) -> None:
    """And means what it says."""
    expected = spec or OperationsSpec(A, AllSyncSpec((A, B)))
    assert parse(routes(written)) == RoutesConfig(("a", "b", "c"), PrefixesSpec(expected))


def test_named_handles_stand_for_themselves() -> None:
    """Wherever they are named, within others too."""
    named = {"safe": handle("failover", child="a", gutter="b"), "both": handle("all_sync", children=["safe", "c"])}
    config = parse(
        json.dumps(
            {
                "pools": ["c", "b", "a"],
                "handles": named,
                "routes": {"prefixes": {"h1:": "safe"}, "default": "both"},
                "leases": False,
                "stale": False,
            }
        ).encode()
    )
    safe = FailoverSpec(A, B)
    assert config.routes == PrefixesSpec(AllSyncSpec((safe, C)), {"h1:": safe})
    assert config.switches == Switches(leases=False, early_refresh=True, stale=False)


def test_the_files_are_good_and_say_what_they_are_for() -> None:
    """One has all that helps, the other hashing alone."""
    full, plain = read_file(DEFAULT_FILE), read_file(PLAIN_FILE)
    assert full == RoutesConfig(("gutter", "main"), PrefixesSpec(FailoverSpec(PoolSpec("main"), PoolSpec("gutter"))))
    assert plain.routes == PrefixesSpec(PoolSpec("main", warm_up=False))
    assert plain.switches == Switches(leases=False, early_refresh=False, stale=False)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (7, "routes.default: a handle is needed: an object with a type, or a name"),
        ("d", 'routes.default: no pool is named "d", and no handle; there are a, b, c'),
        ({"pool": "a"}, "routes.default: no type None; there are all_sync, failover, miss_failover, null, operations"),
        (handle("ring"), "routes.default: no type 'ring'; there are"),
        (handle("pool", pool="d"), "routes.default.pool: no pool is named 'd'; there are a, b, c"),
        (handle("pool", pool=["a"]), "routes.default.pool: no pool is named ['a']"),
        (handle("pool"), 'routes.default: "pool" is missing in pool'),
        (handle("pool", pool="a", warmup=True), '"warmup" is not a field of pool; allowed: pool, type, warm_up'),
        (handle("pool", pool="a", warm_up=1), "routes.default.warm_up: 1 is neither true nor false"),
        (handle("failover", child="a", gutter="g"), 'routes.default.gutter: no pool is named "g"'),
        (handle("failover", child="a", gutter="b", ttl_s=0), "ttl_s: 0 is not a whole number of seconds from 1 to 60"),
        (handle("failover", child="a", gutter="b", ttl_s=61), "ttl_s: 61 is not"),
        (handle("failover", child="a", gutter="b", ttl_s=1.5), "ttl_s: 1.5 is not"),
        (handle("failover", child="a", gutter="b", ttl_s=True), "ttl_s: True is not"),
        (handle("all_sync", children=[]), "routes.default.children: a list of 1 to 8 handles is needed"),
        (handle("all_sync", children=["a"] * 9), "routes.default.children: a list of 1 to 8 handles is needed"),
        (handle("all_sync", children=["a", "d"]), 'routes.default.children[1]: no pool is named "d"'),
        (handle("shadow", child="a", shadow="b", rate=1.01), "routes.default.rate: 1.01 is not a share from 0 to 1"),
        (handle("shadow", child="a", shadow="b", rate=-0.1), "rate: -0.1 is not"),
        (handle("shadow", child="a", shadow="b", rate="all"), "rate: 'all' is not"),
        (handle("prefixes", default="a", prefixes=[]), "prefixes: an object of at most 100 handles by prefix"),
        (handle("prefixes", default="a", prefixes={"": "a"}), 'prefixes[""]: a prefix has 1 to 64 printable'),
        (handle("prefixes", default="a", prefixes={"ä": "a"}), 'prefixes["ä"]: a prefix has 1 to 64 printable'),
        (handle("prefixes", default="a", prefixes={"h1:": "d"}), 'routes.default.prefixes["h1:"]: no pool is named'),
        (handle("prefixes", default="a", prefixes={str(n): "a" for n in range(101)}), "prefixes: an object of at most"),
        (nested(DEEP), "handles are nested deeper than 8"),
        (handle("prefixes", default="a", prefixes={f"{n:03}": nested(2) for n in range(90)}), "more than 200 handles"),
        (handle("operations", get="a", delete="b"), "gets may find what deletions do not surely reach: pool a"),
        (
            handle("operations", get="a", delete=handle("shadow", child="b", shadow="a", rate=1)),
            "do not surely reach: pool a",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_its_place(written: Any, expected: str) -> None:
    """One sentence for one mistake."""
    (mistake,) = mistakes(routes(written))
    assert expected in mistake


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b" " * (BYTES_MAX + 1), "bytes are too many"),
        (b"[]", "the whole is not an object"),
        (b"{}", "pools: a list of the names of pools is needed"),
        (b"{}", "routes: an object with `default` is needed"),
        (b'{"pools": [""], "routes": {"default": {"type": "null"}}}', "pools: a list of the names"),
        (b'{"pools": ["a"], "routes": {}}', 'routes: "default" is missing in prefixes'),
        (b'{"pools": ["a"], "routes": {"default": "a", "default": "a"}}', '"default" is given twice in one object'),
        (b'{"pools": ["a"], "routes": {"type": "null"}}', "routes: the outermost handle is of type prefixes"),
        (routes("a", leases="yes"), "leases: 'yes' is neither true nor false"),
        (routes("a", lease=True), '"lease" is not a field of a configuration; allowed: early_refresh, handles, leases'),
        (routes("a", pools=[str(n) for n in range(17)] + ["a"]), "pools: 18 are too many; 16 are allowed"),
        (routes("a", handles=[]), "handles: an object of handles by name is needed"),
        (routes("a", handles={"a": handle("null")}), "handles.a: a pool has that name already"),
        (routes("a", handles={"x": "y"}), 'handles.x: no pool is named "y", and no handle; there are a, b, c, x'),
        (routes("x", handles={"x": "x"}), "handles.x: x -> x goes round in a circle"),
        (
            routes("x", handles={"x": "y", "y": handle("all_sync", children=["x"])}),
            "x -> y -> x goes round in a circle",
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_wrong_with_the_whole_is_said_too(data: bytes, expected: str) -> None:
    """Somewhere among the mistakes."""
    assert any(expected in mistake for mistake in mistakes(data))


def test_all_mistakes_are_reported_together() -> None:
    """Those of named handles once, however often they are used."""
    written = {
        "pools": ["a"],
        "routs": {},
        "handles": {"bad": handle("pool", pool="nowhere")},
        "routes": {
            "prefixes": {"h1:": handle("failover", child="bad", gutter="gut", ttl=3), "m1:": "bad"},
            "default": handle("shadow", child="a", shadow="bad", rate=2),
        },
        "stale": 1,
    }
    assert mistakes(json.dumps(written).encode()) == [
        '"routs" is not a field of a configuration; allowed: early_refresh, handles, leases, pools, routes, stale',
        "handles.bad.pool: no pool is named 'nowhere'; there are a",
        "stale: 1 is neither true nor false",
        "routes.default.rate: 2 is not a share from 0 to 1",
        'routes.prefixes["h1:"]: "ttl" is not a field of failover; allowed: child, gutter, ttl_s, type',
        'routes.prefixes["h1:"].gutter: no pool is named "gut", and no handle; there are a, bad',
    ]


def test_names_cannot_multiply_without_end() -> None:
    """Seven handles that each name the next eight times would be two million."""
    names = {f"n{level}": handle("all_sync", children=[f"n{level + 1}"] * 8) for level in range(6)}
    assert "more than 200 handles" in mistakes(routes("n0", handles={**names, "n6": "a"}))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "b"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "pool", "pools", "routes", "default", "children", "child", "gutter"])
                | st.text(),
                inner | st.sampled_from(["pool", "failover", "all_sync", "prefixes"]),
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_nothing_that_is_written_breaks_the_reader(written: Any) -> None:
    """It is a configuration, or there are mistakes in it."""
    for body in (written, {"pools": ["a", "b"], "routes": {"default": written}}):
        try:
            config = parse(json.dumps(body).encode())
        except RoutesError as error:
            said = error.mistakes
        else:
            said = ("none",) if isinstance(config, RoutesConfig) else ()
        assert said


@pytest.mark.parametrize(
    ("spec", "held", "reached"),
    [
        (NullSpec(), "", ""),
        (FailoverSpec(A, B), "ab", "ab"),
        (WarmUpSpec(A, B), "ab", "ab"),
        (AllSyncSpec((A, B)), "a", "ab"),
        (MissFailoverSpec((A, B)), "ab", "ab"),
        (ShadowSpec(A, B, 0.5), "ab", "a"),
        (ShadowSpec(A, B, 1), "ab", "a"),
        (OperationsSpec(A, AllSyncSpec((A, B))), "a", "ab"),
        (PrefixesSpec(A, {"x": B}), "ab", ""),
        (PrefixesSpec(AllSyncSpec((A, C)), {"x": AllSyncSpec((B, A))}), "ab", "a"),
    ],
    ids=str,
)
def test_it_is_known_where_values_may_be_and_where_deletions_surely_go(spec: Spec, held: str, reached: str) -> None:
    """Pools by their letters."""
    assert (may_hold(spec), reaches(spec)) == (frozenset(held), frozenset(reached))


def warm_up(cold: Any, warm: Any) -> dict[str, Any]:
    """Return a `warm_up` as it is written."""
    return handle("warm_up", cold=cold, warm=warm)


def shadow(child: Any, other: Any) -> dict[str, Any]:
    """Return a `shadow` as it is written."""
    return handle("shadow", child=child, shadow=other, rate=0.5)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (warm_up("a", warm_up("b", "c")), None),
        (warm_up(warm_up("a", "c"), "b"), None),
        (handle("failover", child=warm_up("a", "b"), gutter="c"), None),
        (handle("miss_failover", children=[warm_up("a", "b"), warm_up("a", "c")]), None),
        (shadow(shadow("a", "b"), "c"), None),
        (handle("all_sync", children=["a", shadow("b", "a")]), None),
        (handle("operations", get="a", delete=handle("all_sync", children=["a", shadow("b", "a")])), None),
        (warm_up("a", "a"), 'routes.default: pool "a" is warmed up, and something is warmed up from it'),
        (
            warm_up(handle("failover", child="a", gutter="c"), handle("failover", child="b", gutter="c")),
            'routes.default: pool "c" is warmed up',
        ),
        (handle("miss_failover", children=[warm_up("a", "b"), warm_up("b", "c")]), 'pool "b" is warmed up'),
        (warm_up(warm_up("a", "b"), "a"), 'pool "a" is warmed up'),
        (shadow("a", "a"), 'routes.default: pool "a" is a shadow, and used otherwise as well'),
        (shadow(warm_up("a", "b"), handle("all_sync", children=[warm_up("a", "c")])), 'pool "a" is a shadow'),
        (handle("failover", child="b", gutter=shadow("a", "b")), 'pool "b" is a shadow'),
        (handle("miss_failover", children=[shadow("a", "b"), shadow("a", "b")]), 'pool "b" is a shadow'),
    ],
    ids=str,
)
def test_values_are_carried_one_way_only(written: Any, expected: str | None) -> None:
    """Else no order of deletions would be right."""
    data = routes(written)
    if expected is None:
        parse(data)
    else:
        assert any(expected in mistake for mistake in mistakes(data))


def test_different_keys_may_be_carried_different_ways() -> None:
    """Each prefix has a tree of its own."""
    parse(routes(warm_up("a", "b"), routes={"default": warm_up("a", "b"), "prefixes": {"h1:": warm_up("b", "a")}}))
