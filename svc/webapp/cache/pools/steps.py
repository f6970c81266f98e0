"""How a change under way goes on: a step once everybody has seen the one before. Pure.

A change is carried by its table alone: whoever is keeper next goes on with it, and counts its waits from the beginning.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from svc.webapp.cache.pools.orders import Order
from svc.webapp.cache.pools.rates import WINDOW_S, HitRates
from svc.webapp.cache.pools.table import KEPT_S, READ, SETTLE_S, Mode, Seat, Table, order_id

__all__ = ["SILENT_S", "WARM_S", "Ages", "Decision", "Seen", "go_on", "is_warm"]

SILENT_S = 3.0
"""A node that answers nothing for so long is not there: three probes in a row."""
EMPTY_S = 30.0
"""A node that cannot be emptied for so long is not taken (one that was started with -F refuses)."""
WARM_S = 600.0
"""Longest that a node is warmed up. What nobody asked for in ten minutes is not what keeps a database busy."""
IDLE_S = 30.0
"""A node that nobody asks for anything (under GETS_MIN in ten seconds) is as warm as it will be after this."""
NEAR = 0.1
"""A seat that comes is warm when it misses a tenth more than the pool did before, or less. And a node before is let go
when what it still answers is at most a tenth of what neither has: that much more the database is asked without it."""
NEAR_BY = 0.005
"""... or half a percent of all gets: where everything was a hit, a tenth more would be nothing at all."""
SPARED_BY = 0.002
"""... the same of a node before, whose answers are counted one by one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a decision is made from."""

    now: float
    """Seconds, monotonic."""
    table: Table | None
    """As it stands in KV; None: there is none."""
    present: AbstractSet[str] | None
    """All nodes that Consul lists, of whatever pool. None: Consul does not answer, and nobody is absent for that."""
    listed: Mapping[str, str]
    """Those that it lists for this pool, each with the seat that it is registered for."""
    spares: Sequence[str]
    """Those that it lists as spare, and that have no seat in another pool."""
    answering: AbstractSet[str]
    """Nodes that answered when they were last asked: those listed, and those of the table."""
    rates: HitRates
    orders: Sequence[Order] = ()
    """Not yet carried out, oldest first."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done; nothing, most of the time."""

    table: Table | None = None
    """To be written, if the one in KV is still the one that was seen."""
    text: str = ""
    """What changes by it."""
    moved_keys: bool = False
    """Whether it moved keys: what comes next waits for the hit rate."""
    empty: tuple[str, ...] = ()
    """Nodes to empty; they are ready for their seats once that is done."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Orders that came to nothing, by id, and why."""


class Ages:
    """How long things have been as they are. Holds what is true now and nothing else."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._since: dict[Hashable, float] = {}

    def see(self, now: float, facts: Iterable[Hashable]) -> None:
        """Take in all that is true at `now`; what is not among it has ended."""
        self._since = {fact: self._since.get(fact, now) for fact in facts}

    def of(self, fact: Hashable, now: float) -> float:
        """Return for how many seconds a fact has been seen; -1 when it is not true."""
        since = self._since.get(fact)
        return -1.0 if since is None else now - since


def facts(seen: Seen) -> Iterable[Hashable]:
    """Yield everything whose age matters."""
    table = seen.table or Table()
    for name, seat in table.seats.items():
        yield "mode", name, seat.node, seat.mode
        yield from (("next", name, seat.next), ("warm", name, seat.node, seat.warm), ("old", name, seat.old))
    for address in {*table.addresses, *seen.listed}:
        if address not in seen.answering:
            yield "silent", address
        if seen.present is not None:
            yield ("present" if address in seen.present else "absent"), address
    if seen.present is not None:
        yield "list", frozenset(seen.listed.items())


def go_on(seen: Seen, table: Table, ages: Ages, emptied: AbstractSet[str]) -> Decision | None:
    """Return the next step of the changes under way; None while all of them must wait."""
    for name, seat in table.seats.items():
        decision = (
            _take_over(seen, table, ages, emptied, name, seat)
            or _end_warming(seen, table, ages, name, seat)
            or _change_mode(seen, table, ages, emptied, name, seat)
        )
        if decision is not None:
            return decision
    for name, seat in table.seats.items():
        if seat.old and ages.of(("old", name, seat.old), seen.now) >= SETTLE_S:
            return Decision(table.with_seat(name, replace(seat, old=())), f"seat {name}: {', '.join(seat.old)} let go")
    return None


def is_warm(seen: Seen, table: Table, nodes: Iterable[str], age_s: float) -> bool:
    """Whether nodes that began to fill `age_s` ago miss hardly more than the pool did before, or have had their time.

    In a pool that hardly anybody asks, time is all there is to go by.
    """
    if age_s < WINDOW_S:
        return False
    hit_rate = seen.rates.of(nodes, seen.now).hit_rate
    if hit_rate is None or not table.rate:
        return age_s >= IDLE_S or age_s >= WARM_S
    return 1 - hit_rate <= (1 - table.rate) * (1 + NEAR) + NEAR_BY or age_s >= WARM_S


def is_spent(seen: Seen, seat: Seat, age_s: float) -> bool:
    """Whether the node before has hardly anything to say that its successor does not know, or has had its time.

    A hit rate that is nearly back is not enough: what is asked for once in a minute still lies there alone.
    """
    if age_s < WINDOW_S:
        return False
    now, before = seen.rates.of((seat.node,), seen.now), seen.rates.of((seat.warm,), seen.now)
    if now.hit_rate is None:
        return age_s >= IDLE_S
    lost = max(0, now.gets - now.hits - before.hits)
    return before.hits <= max(NEAR * lost, SPARED_BY * now.gets) or age_s >= WARM_S


def _take_over(
    seen: Seen, table: Table, ages: Ages, emptied: AbstractSet[str], name: str, seat: Seat
) -> Decision | None:
    """A node that was announced for a seat takes it, once it is empty, or is given up."""
    if not seat.next:
        return None
    age_s = ages.of(("next", name, seat.next), seen.now)
    if ages.of(("silent", seat.next), seen.now) >= SILENT_S or age_s >= SETTLE_S + EMPTY_S:
        text = f"seat {name}: {seat.next} does not answer, or cannot be emptied; {seat.node} stays"
        return Decision(table.with_seat(name, replace(seat, next="", why="")), text, True, refused=_refusal(seat, text))
    if age_s < SETTLE_S:
        return None
    if seat.next not in emptied:
        return Decision(empty=(seat.next,))
    source = next((each for each in (seat.node, seat.warm) if each in seen.answering), "")
    old = tuple(dict.fromkeys(each for each in (*seat.old, seat.warm, seat.node) if each and each != source))
    after = Seat(seat.next, warm=source, old=old, mode=seat.mode, why=seat.why if source else "")
    changes: dict[str, tuple[str, ...]] = {}
    if order_id(seat.why):
        changes["retired"] = _with(table.retired, seat.node)
    if not source:
        changes["done"] = table.carried_out(seat.why)
    text = f"seat {name}: {seat.next} instead of {seat.node}" + (f", which warms it up ({source})" if source else "")
    return Decision(table.with_seat(name, after, **changes), text, moved_keys=True)


def _end_warming(seen: Seen, table: Table, ages: Ages, name: str, seat: Seat) -> Decision | None:
    """The node before is let go once the new one is warm, or when it has nothing more to say."""
    if not seat.warm or seat.next:
        return None
    age_s = ages.of(("warm", name, seat.node, seat.warm), seen.now)
    if ages.of(("silent", seat.warm), seen.now) < SILENT_S and not is_spent(seen, seat, age_s):
        return None
    after = replace(seat, warm="", old=(*seat.old, seat.warm), why="")
    text = f"seat {name}: {seat.node} is warm after {age_s:.0f} s"
    return Decision(table.with_seat(name, after, done=table.carried_out(seat.why)), text, moved_keys=True)


def _change_mode(
    seen: Seen, table: Table, ages: Ages, emptied: AbstractSet[str], name: str, seat: Seat
) -> Decision | None:
    """A seat comes or goes, a step further."""
    age_s = ages.of(("mode", name, seat.node, seat.mode), seen.now)
    is_silent = ages.of(("silent", seat.node), seen.now) >= SILENT_S
    if seat.mode is Mode.JOINING and (is_silent or age_s >= SETTLE_S + EMPTY_S):
        text = f"seat {name}: {seat.node} does not answer, or cannot be emptied; it does not join"
        return Decision(table.with_seat(name, None), text, True, refused=_refusal(seat, text))
    if seat.mode is Mode.JOINING and age_s >= SETTLE_S and seat.node not in emptied:
        return Decision(empty=(seat.node,))
    after = _next_mode(seen, table, seat, age_s, is_silent)
    if after is None:
        return None
    if seat.mode is Mode.LEAVING:
        done, retired = table.carried_out(seat.why), _with(table.retired, seat.node)
        return Decision(
            table.with_seat(name, None, done=done, retired=retired), f"seat {name} is gone", moved_keys=True
        )
    is_over = after in (Mode.YOUNG, Mode.SETTLED)
    changes = {"done": table.carried_out(seat.why)} if is_over else {}
    changed = replace(seat, mode=after, why="" if is_over else seat.why)
    return Decision(
        table.with_seat(name, changed, **changes), f"seat {name}: {after.value}", moved_keys=after is Mode.YOUNG
    )


def _next_mode(seen: Seen, table: Table, seat: Seat, age_s: float, is_silent: bool) -> Mode | None:
    """Return what follows a seat's mode now; None: it stays. LEAVING is followed by nothing, said as SETTLED."""
    is_settled = age_s >= SETTLE_S
    others = [each.node for each in table.seats.values() if each.mode in READ]
    is_over = {
        Mode.SETTLED: False,
        Mode.JOINING: is_settled,
        Mode.WARMING: is_silent or is_warm(seen, table, (seat.node,), age_s),
        Mode.FILLED: is_settled,
        Mode.YOUNG: age_s >= KEPT_S,
        Mode.DRAINING: is_settled,
        Mode.COOLING: is_silent or is_warm(seen, table, others, age_s),
        Mode.LEAVING: is_settled,
    }
    follows = {
        Mode.JOINING: Mode.WARMING,
        Mode.WARMING: Mode.FILLED,
        Mode.FILLED: Mode.YOUNG,
        Mode.YOUNG: Mode.SETTLED,
        Mode.DRAINING: Mode.LEAVING if is_silent else Mode.COOLING,
        Mode.COOLING: Mode.LEAVING,
        Mode.LEAVING: Mode.SETTLED,
    }
    return follows[seat.mode] if is_over[seat.mode] else None


def _refusal(seat: Seat, text: str) -> Mapping[str, str]:
    order = order_id(seat.why)
    return {order: text} if order else {}


def _with(addresses: tuple[str, ...], address: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*addresses, address)))
