"""Where values may be, how they are carried, where deletions go: what keeps a configuration honest. Pure.

A deletion must reach whatever a get may find. And since some handles carry values from one place to another, it must
reach the place that a value comes from before the place that it is carried to: else somebody could miss there, after
the deletion, and carry over once more what the other still has.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from svc.webapp.cache.routes.spec import (
    AllSyncSpec,
    FailoverSpec,
    MissFailoverSpec,
    NullSpec,
    OperationsSpec,
    PoolSpec,
    PrefixesSpec,
    ShadowSpec,
    Spec,
    WarmUpSpec,
)

__all__ = ["conflicts", "copies", "may_hold", "reaches"]


def children(spec: Spec) -> tuple[Spec, ...]:
    """Return whom a handle asks."""
    match spec:
        case PoolSpec() | NullSpec():
            return ()
        case FailoverSpec(child, gutter):
            return child, gutter
        case WarmUpSpec(cold, warm):
            return cold, warm
        case AllSyncSpec(several) | MissFailoverSpec(several):
            return several
        case ShadowSpec(child, shadow):
            return child, shadow
        case OperationsSpec(getter, deleter):
            return getter, deleter
        case PrefixesSpec(default, by_prefix):
            return default, *by_prefix.values()


def may_hold(spec: Spec) -> frozenset[str]:
    """Return the pools in which gets of a handle may find, or leave, a value."""
    match spec:
        case PoolSpec(pool):
            return frozenset((pool,))
        case AllSyncSpec((first, *_)):
            return may_hold(first)
        case OperationsSpec(getter, _):
            return may_hold(getter)
        case _:
            return frozenset().union(*map(may_hold, children(spec)))


def reaches(spec: Spec) -> frozenset[str]:
    """Return the pools in which a deletion by a handle has surely been tried when it returns, whatever the key."""
    match spec:
        case PoolSpec(pool):
            return frozenset((pool,))
        case ShadowSpec(child):
            # Nobody waits for what a shadow deletes.
            return reaches(child)
        case OperationsSpec(_, deleter):
            return reaches(deleter)
        case PrefixesSpec():
            return reduce(frozenset.intersection, map(reaches, children(spec)))
        case _:
            return frozenset().union(*map(reaches, children(spec)))


def copies(spec: Spec) -> bool:
    """Whether gets of a handle carry values from one pool to another, so that the order of deletions matters."""
    return isinstance(spec, WarmUpSpec | ShadowSpec) or any(map(copies, children(spec)))


def conflicts(spec: Spec) -> Iterator[str]:
    """Yield what is wrong with the ways that values are carried under a handle.

    Handles side by side delete at the same time, each in the order that is right for itself alone; so no place may be
    one that a value is carried to by one of them, and from by another. A shadow deletes when nobody waits any more; so
    its pools may be nobody else's.
    """
    for shadowed in sorted(_shadowed_and_read(spec, frozenset())):
        yield f'pool "{shadowed}" is a shadow, and used otherwise as well'
    ways = list(_warm_ups(spec, ()))
    for into, filled in ways:
        for of, source in ways:
            is_inside_its_warm_side = into[: len(of) + 1] == (*of, _WARM)
            if not is_inside_its_warm_side:
                for pool in sorted(_filled(filled.cold) & may_hold(source.warm)):
                    yield f'pool "{pool}" is warmed up, and something is warmed up from it'


_WARM = 1
"""Place of the warm one among the children of a `warm_up`."""


def _read(spec: Spec) -> tuple[Spec, ...]:
    """Return whom a handle asks when it gets."""
    match spec:
        case AllSyncSpec((first, *_)):
            return (first,)
        case OperationsSpec(getter, _):
            return (getter,)
        case _:
            return children(spec)


def _filled(spec: Spec) -> frozenset[str]:
    """Return the pools whose leases a handle may give."""
    match spec:
        case PoolSpec(pool):
            return frozenset((pool,))
        case WarmUpSpec(cold):
            return _filled(cold)
        case ShadowSpec(child):
            return _filled(child)
        case _:
            return frozenset().union(*map(_filled, _read(spec)))


def _shadowed_and_read(spec: Spec, others: frozenset[str]) -> Iterator[str]:
    """Yield the pools of shadows that are also among `others`, those that are used beside this handle."""
    if isinstance(spec, ShadowSpec):
        yield from may_hold(spec.shadow) & (others | may_hold(spec.child))
    read = _read(spec)
    for number, child in enumerate(read):
        beside = (may_hold(other) for place, other in enumerate(read) if place != number)
        yield from _shadowed_and_read(child, others.union(*beside))


def _warm_ups(spec: Spec, place: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], WarmUpSpec]]:
    """Yield what warms up under a handle, with its place: the way down as numbers of children."""
    if isinstance(spec, WarmUpSpec):
        yield place, spec
    for number, child in enumerate(_read(spec)):
        yield from _warm_ups(child, (*place, number))
