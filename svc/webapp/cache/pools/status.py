"""What people are shown of a pool: how each node is, how far changes are, what became of orders. Pure.

The keeper writes it to `parley/cache/status/<pool>` every two seconds; `parley cache` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from svc.webapp.cache.pools.control import Control
from svc.webapp.cache.pools.steps import Seen
from svc.webapp.cache.pools.table import READ, Mode, Seat, Table

__all__ = ["status", "status_key"]


class Stats(Protocol):
    """What a node says of itself, see `stats.NodeStats`."""

    @property
    def items(self) -> int: ...
    @property
    def used_bytes(self) -> int: ...
    @property
    def limit_bytes(self) -> int: ...


def status_key(pool: str) -> str:
    """Return where a pool's status is in KV."""
    return f"parley/cache/status/{pool}"


def status(seen: Seen, control: Control, stats: Mapping[str, Stats], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the status of a pool as JSON has it; `names` are the ids of nodes in Consul. Rates are of 0 to 1."""
    table = seen.table or Table()

    def node(address: str) -> dict[str, Any]:
        return _node(seen, control, stats, names, address)

    whole = seen.rates.of([seat.node for seat in table.seats.values() if seat.mode in READ], seen.now)
    return {
        "version": table.version,
        "hit_rate": _rounded(whole.hit_rate),
        "gets_s": round(whole.gets_s, 1),
        "goal": table.rate or None,
        "waits": control.waits_for,
        "seats": [_seat(seen, table, name, seat, node) for name, seat in sorted(table.seats.items(), key=_by_number)],
        "spares": [node(address) for address in _free(table, (*table.spares, *seen.spares))],
        "standby": [node(address) for address in _free(table, seen.listed) if address not in table.retired],
        "retired": [node(address) for address in _free(table, table.retired)],
        "orders": [outcome.as_json() for outcome in control.outcomes.values()],
    }


def _seat(seen: Seen, table: Table, name: str, seat: Seat, node: Any) -> dict[str, Any]:
    hit_rate = seen.rates.of([seat.node], seen.now).hit_rate
    is_filling = bool(seat.warm) or seat.mode is Mode.WARMING
    progress = min(1.0, hit_rate / table.rate) if is_filling and hit_rate is not None and table.rate else None
    return {
        "seat": name,
        "mode": seat.mode.value,
        "state": _state(seat, node(seat.node)["state"]),
        "why": seat.why,
        "node": node(seat.node),
        "warm": node(seat.warm) if seat.warm else None,
        "next": node(seat.next) if seat.next else None,
        "old": list(seat.old),
        "warm_progress": _rounded(progress),
    }


def _state(seat: Seat, state: str) -> str:
    """Return in a word or two what a seat is about."""
    if state != "ok":
        return state
    if seat.next:
        return "being replaced"
    if seat.warm:
        return "warming"
    return "ok" if seat.mode in (Mode.SETTLED, Mode.YOUNG, Mode.FILLED) else seat.mode.value


def _node(
    seen: Seen, control: Control, stats: Mapping[str, Stats], names: Mapping[str, str], address: str
) -> dict[str, Any]:
    rate, said = seen.rates.of([address], seen.now), stats.get(address)
    return {
        "address": address,
        "id": names.get(address, ""),
        "state": control.state(seen, address),
        "items": said.items if said else None,
        "used_bytes": said.used_bytes if said else None,
        "limit_bytes": said.limit_bytes if said else None,
        "hit_rate": _rounded(rate.hit_rate),
        "gets_s": round(rate.gets_s, 1),
    }


def _free(table: Table, addresses: Iterable[str]) -> list[str]:
    """Return those that have no part in any seat."""
    return [address for address in sorted(set(addresses)) if address not in table.addresses]


def _by_number(named: tuple[str, Seat]) -> tuple[int, str]:
    """Sort seats as people count them: 2 before 10."""
    return (int(named[0]) if named[0].isdigit() else 1_000_000, named[0])


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
