"""Which node holds which part of a pool, as every webapp reads it from Consul's KV. Pure.

A pool is a set of seats. Keys are placed over the names of seats (`placement`), so a node that is put into the seat of
another takes over its keys and moves no others. Every change is made in steps that lie `SETTLE_S` apart, longer than a
step takes to reach every webapp: a node gets deletions before anybody reads from it, and for as long as anybody may
still read from it. So webapps that see different steps for a moment never leave a stale value behind.

    replacing the node of a seat       node A -> next B -> node B, warm A -> node B, old A -> node B
    a seat that comes                  JOINING -> WARMING -> FILLED -> YOUNG -> SETTLED
    a seat that goes                   SETTLED -> DRAINING -> COOLING -> LEAVING -> not there
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

__all__ = [
    "KEPT_S",
    "READ",
    "SEATS_MAX",
    "SETTLE_S",
    "Mode",
    "Seat",
    "Table",
    "TableError",
    "is_address",
    "listed_table",
    "order_id",
    "parse_table",
]

SETTLE_S = 2.0
"""Between two steps. A change in KV reaches the webapps in 10 ms; a webapp that lost its line to Consul asks again
every 2 s at the latest, and one that is cut off for longer may read what others deleted, until it expires."""
KEPT_S = 4_000.0
"""No value lives longer: an hour, and a tenth of jitter. So long a new seat's keys are deleted in their former place
as well, where copies from before are still lying about: the seat might go again."""
SEATS_MAX = 64
"""Of one pool. More nodes than that want a proxy in between: each webapp holds connections to all."""
DONE_MAX = 32
"""Orders remembered as carried out, so that a keeper that died before it said so does not do them again."""
_ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")


class TableError(ValueError):
    """A table that nobody may follow; says what is wrong with it."""


class Mode(Enum):
    """What a seat's keys go through when the set of seats changes."""

    SETTLED = "settled"
    JOINING = "joining"
    """Its node gets deletions; reads go where they went before."""
    WARMING = "warming"
    """It is read; what it lacks is fetched from where it was before."""
    FILLED = "filled"
    """It stands on its own; by the table before, it was still warmed up."""
    YOUNG = "young"
    """Its keys are still deleted in their former place too, see KEPT_S."""
    DRAINING = "draining"
    """It is read; its keys' next places get deletions already."""
    COOLING = "cooling"
    """Its keys are read in their next places, which fetch from it what they lack."""
    LEAVING = "leaving"
    """Nobody reads from it, except by an older table; it gets deletions."""


READ = frozenset((Mode.SETTLED, Mode.WARMING, Mode.FILLED, Mode.YOUNG, Mode.DRAINING))
"""Modes of seats that are read by this table."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat. Addresses are host:port; empty ones are nobody."""

    node: str
    """Who is read (where the mode says that anybody is)."""
    warm: str = ""
    """The node before: asked for what `node` lacks, while it warms up."""
    next: str = ""
    """Will be `node`: gets deletions already."""
    old: tuple[str, ...] = ()
    """Were read by the table before, and get deletions until that has settled."""
    mode: Mode = Mode.SETTLED
    why: str = ""
    """What the change under way is for: `order:<id>`, or a word of `control`'s."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Whoever must hear of a deletion of one of its keys."""
        return tuple(dict.fromkeys(filter(None, (*self.old, self.warm, self.node, self.next))))

    @property
    def is_changing(self) -> bool:
        """Whether its keys are on their way: not yet where they will be, or not yet filled there."""
        return bool(self.next or self.warm) or self.mode not in (Mode.SETTLED, Mode.YOUNG)

    @property
    def is_warming(self) -> bool:
        """Whether all that is left of a change is that the node before has something to say."""
        return bool(self.warm) and not self.next and self.mode in (Mode.SETTLED, Mode.YOUNG)


@dataclass(frozen=True, slots=True)
class Table:
    """All seats of a pool. Version 0 is no table from KV, but what Consul's list of nodes says by itself."""

    version: int = 0
    seats: Mapping[str, Seat] = field(default_factory=lambda: MappingProxyType({}))
    spares: tuple[str, ...] = ()
    """Nodes that were ordered to be spare, beside those that Consul lists as such."""
    retired: tuple[str, ...] = ()
    """Nodes that were taken out by an order, and are not taken again without one."""
    rate: float = 0.0
    """The pool's hit rate before the changes under way, 0 to 1; what is waited for. 0 when it was not known."""
    done: tuple[str, ...] = ()
    """Orders carried out, newest last."""

    @property
    def addresses(self) -> frozenset[str]:
        """Every node that gets deletions."""
        return frozenset(address for seat in self.seats.values() for address in seat.nodes)

    @property
    def taken(self) -> frozenset[str]:
        """Every node that has a seat, or is about to."""
        return frozenset(address for seat in self.seats.values() for address in (seat.node, seat.next) if address)

    def with_seat(self, name: str, seat: Seat | None, **changes: Any) -> Table:
        """Return the next version, with one seat changed (None: gone), and `changes` to the other fields."""
        seats = {**self.seats, name: seat} if seat else {each: self.seats[each] for each in self.seats if each != name}
        return replace(self, version=self.version + 1, seats=MappingProxyType(seats), **changes)

    def carried_out(self, why: str) -> tuple[str, ...]:
        """Return `done` with one more, if `why` names an order (`order_id`)."""
        order = order_id(why)
        return (*self.done, order)[-DONE_MAX:] if order else self.done

    def dump(self) -> bytes:
        """Return it as it stands in KV."""
        body: dict[str, Any] = {"version": self.version, "seats": {k: _dump_seat(v) for k, v in self.seats.items()}}
        for name, value in (("spares", self.spares), ("retired", self.retired), ("rate", self.rate)):
            if value:
                body[name] = value
        return json.dumps({**body, "done": self.done}, indent=1).encode()


def _dump_seat(seat: Seat) -> dict[str, Any]:
    found: dict[str, Any] = {"node": seat.node}
    found |= {key: value for key in ("warm", "next", "old", "why") if (value := getattr(seat, key))}
    return found if seat.mode is Mode.SETTLED else {**found, "mode": seat.mode.value}


def parse_table(data: bytes) -> Table:
    """Return the table that `data` holds. Raises TableError with everything that is wrong. Unknown fields are left out:
    an older webapp may read what a newer keeper wrote.
    """
    try:
        body = json.loads(data)
    except ValueError as error:
        raise TableError(f"no JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("seats"), dict):
        raise TableError("an object with `seats` is wanted")
    wrong: list[str] = []
    seats = {name: seat for name, each in body["seats"].items() if (seat := _parse_seat(name, each, wrong))}
    version, rate = body.get("version"), body.get("rate", 0.0)
    if not isinstance(version, int) or version < 1:
        wrong.append(f"version {version!r} is not a number above 0")
    if not isinstance(rate, int | float) or not 0 <= rate <= 1:
        wrong.append(f"rate {rate!r} is not between 0 and 1")
    lists = {name: _parse_texts(body.get(name, ()), name, wrong) for name in ("spares", "retired", "done")}
    wrong.extend(_conflicts(seats))
    if wrong:
        raise TableError("; ".join(wrong))
    return Table(version or 0, MappingProxyType(seats), rate=float(rate), **lists)


def _parse_seat(name: str, body: Any, wrong: list[str]) -> Seat | None:
    if not isinstance(body, dict):
        wrong.append(f"seat {name}: {body!r} is no object")
        return None
    node, warm, coming = (body.get(key, "") for key in ("node", "warm", "next"))
    old = _parse_texts(body.get("old", ()), f"seat {name}: old", wrong)
    for address in (node, *filter(None, (warm, coming, *old))):
        if not is_address(address):
            wrong.append(f"seat {name}: {address!r} is not host:port")
    try:
        mode = Mode(body.get("mode", Mode.SETTLED.value))
    except ValueError:
        wrong.append(f"seat {name}: no mode {body.get('mode')!r}")
        return None
    return Seat(node, warm, coming, old, mode, str(body.get("why", "")))


def _parse_texts(value: Any, what: str, wrong: list[str]) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    wrong.append(f"{what} is no list of texts")
    return ()


def _conflicts(seats: Mapping[str, Seat]) -> Iterator[str]:
    """Yield what is wrong between seats."""
    if not 0 < len(seats) <= SEATS_MAX:
        yield f"{len(seats)} seats; 1 to {SEATS_MAX} are wanted"
    elif not any(seat.mode in READ for seat in seats.values()):
        yield "no seat is read"
    holders: dict[str, str] = {}
    for name, seat in seats.items():
        if not name or len(name) > 64:
            yield f"seat {name!r}: a name has 1 to 64 characters"
        for address in filter(None, (seat.node, seat.next)):
            if address in holders:
                yield f"{address} is in seat {holders[address]} and in seat {name}"
            holders[address] = name


def order_id(why: str) -> str:
    """Return the id of the order behind a seat's change; empty when there is none."""
    return why.removeprefix("order:") if why.startswith("order:") else ""


def is_address(text: Any) -> bool:
    """Tell whether this is a host:port, IPv6 hosts in brackets."""
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    return found is not None and 0 < int(found[1]) < 65_536


def listed_table(nodes: Iterable[tuple[str, str]]) -> Table:
    """Return the table of nodes given as (seat, address), version 0: of two in one seat the lower address gets it, and
    no more than SEATS_MAX seats are taken.
    """
    first: dict[str, str] = {}
    for seat, address in sorted(nodes, key=lambda each: each[1]):
        if address not in first.values():
            first.setdefault(seat, address)
    return Table(0, MappingProxyType({name: Seat(first[name]) for name in sorted(first)[:SEATS_MAX]}))
