"""What is to be done with a pool now: the judgement that a careful operator would use, once a second. Pure.

A node that Consul no longer lists is restarting as long as it answers, and is given GRACE_S to come back. One that
neither is listed nor answers is dead, and a spare takes its seat at once: there is nothing to lose. Everything else is
planned, and waits until the pool is calm: no change under way but the warming up of a few nodes, and the hit rate back
where it was before the last.
A seat is never given up but by an order: a pool shrinks by nobody's silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from svc.webapp.cache.pools.orders import Op, Order, OrderError, Outcome
from svc.webapp.cache.pools.rates import WINDOW_S
from svc.webapp.cache.pools.steps import SILENT_S, WARM_S, Ages, Decision, Seen, facts, go_on
from svc.webapp.cache.pools.table import READ, SEATS_MAX, Mode, Seat, Table, listed_table

__all__ = ["CALM", "FOUND_S", "GRACE_S", "Control"]

GRACE_S = 30.0
"""How long a node that left Consul and answers may take to come back: an agent's upgrade is over in ten seconds."""
CALM = 0.95
"""The next planned change waits until the pool's hit rate is this share of what it was before the last."""
WARMING_MAX = 0.25
"""Share of the seats whose nodes may be warming up when another change begins: so much is left to chance if the nodes
before die together."""
FOUND_S = 3.0
"""The first table is made from a list that has not changed for this long: a fleet that starts registers in turn."""
LISTED_S = 5.0
"""A node is listed for this long before a seat is added for it."""
OUTCOMES_MAX = 32
DEAD, LEFT, LISTED = "dead", "left Consul", "listed"
"""Reasons for a change that nobody ordered."""


class Control:
    """Decides for one pool. Forgets everything but what it must see again: ages, and what it emptied."""

    def __init__(self) -> None:
        """Start without having seen anything."""
        self.outcomes: dict[str, Outcome] = {}
        """How orders stand, by id; the newest OUTCOMES_MAX."""
        self.waits_for = ""
        """Why no planned change may begin now; empty when one may."""
        self._ages = Ages()
        self._emptied: set[str] = set()
        self._moved_at = -math.inf
        self._last: Table | None = None

    def remember(self, table: Table) -> None:
        """Note a table that was seen in KV: when Consul loses it, it can be put back."""
        if table.version > (self._last.version if self._last else 0):
            self._last = table

    def emptied(self, address: str) -> None:
        """Take in that a node was emptied, after it was asked for."""
        self._emptied.add(address)

    def refuse(self, order: str, text: str) -> None:
        """Take in that an order came to nothing before it could be looked at."""
        self._judge(Outcome(order, "refused", text))

    def step(self, seen: Seen) -> Decision:
        """Return what is to be done. Of a table's seats at most one changes, by one step."""
        table = seen.table
        self._ages.see(seen.now, facts(seen))
        if self._last is not None and (table is None or table.version < self._last.version):
            # Consul lost its data, or came back with older ones; the webapps still follow what was.
            version = max(self._last.version, table.version if table else 0) + 1
            return Decision(replace(self._last, version=version), "the table is put back")
        if table is None:
            return self._found(seen)
        self.remember(table)
        self._emptied &= {each for seat in table.seats.values() for each in (seat.next, _joining(seat)) if each}
        self.waits_for = self._unrest(seen, table)
        self._settle_orders(seen, table)
        decision = go_on(seen, table, self._ages, self._emptied) or self._begin(seen, table)
        if decision.moved_keys:
            self._moved_at = seen.now
        for order, text in decision.refused.items():
            self.refuse(order, text)
        return decision

    def state(self, seen: Seen, address: str) -> str:
        """Return in a word how a node is: ok, restarting (answers, but left Consul), silent, or dead."""
        is_absent = seen.present is not None and address not in seen.present
        if address in seen.answering:
            return "restarting" if is_absent else "ok"
        return "dead" if is_absent and self._is_silent(address, seen.now) else "silent"

    def _found(self, seen: Seen) -> Decision:
        """Make the first table, of what Consul lists: what the webapps go by already."""
        if not seen.listed or self._ages.of(("list", frozenset(seen.listed.items())), seen.now) < FOUND_S:
            return Decision()
        first = listed_table((seat, address) for address, seat in seen.listed.items())
        # Young: while there was no table, keys may have been elsewhere.
        seats = {name: replace(seat, mode=Mode.YOUNG) for name, seat in first.seats.items()}
        return Decision(replace(first, version=1, seats=seats), f"the first table: {len(seats)} seats")

    def _begin(self, seen: Seen, table: Table) -> Decision:
        """Return the first step of a new change; an empty decision when none is due."""
        for name in self._dead(seen, table):
            spare = next(self._candidates(seen, table, name), None)
            if spare is not None:
                return self._announce(seen, table, name, spare, DEAD)
        for order in seen.orders:
            if self.outcomes[order.id].state == "waiting":
                decision = self._obey(seen, table, order)
                if decision is not None:
                    return decision
                break  # one after the other
        if self.waits_for:
            return Decision()
        return self._replace_absent(seen, table) or self._add_listed(seen, table) or Decision()

    def _unrest(self, seen: Seen, table: Table) -> str:
        """Return why a planned change must wait; empty when it need not."""
        warming = [name for name, seat in table.seats.items() if seat.is_warming]
        changing = [name for name, seat in table.seats.items() if seat.is_changing and not seat.is_warming]
        if changing or len(warming) > WARMING_MAX * len(table.seats):
            return f"waits for seat {(*changing, *warming)[0]}"
        since_s = seen.now - self._moved_at
        if since_s < WINDOW_S:
            return f"waits {WINDOW_S - since_s:.0f} s to see the hit rate"
        hit_rate = self._hit_rate(seen, table)
        if hit_rate is not None and hit_rate < CALM * table.rate and since_s < WARM_S:
            return f"waits for the hit rate: {hit_rate:.1%} of {table.rate:.1%} before"
        return ""

    def _hit_rate(self, seen: Seen, table: Table) -> float | None:
        nodes = [seat.node for seat in table.seats.values() if seat.mode in READ]
        return seen.rates.of(nodes, seen.now).hit_rate

    def _goal(self, seen: Seen, table: Table) -> float:
        """Return the hit rate to wait for after a change that begins now."""
        if any(seat.is_changing for seat in table.seats.values()):
            return table.rate
        hit_rate = round(self._hit_rate(seen, table) or 0.0, 4)
        # Soon after another change it may still be a little low: the goal must not sink with each of many.
        return hit_rate if seen.now - self._moved_at > WARM_S else max(hit_rate, table.rate)

    def _is_silent(self, address: str, now: float) -> bool:
        return self._ages.of(("silent", address), now) >= SILENT_S

    def _dead(self, seen: Seen, table: Table) -> Iterator[str]:
        """Yield the seats whose node is gone: silent and absent from Consul, or silent for long, whoever lists it."""
        standing = (Mode.SETTLED, Mode.YOUNG)
        nodes = {name: seat.node for name, seat in table.seats.items() if seat.mode in standing and not seat.next}
        silent = [name for name, node in nodes.items() if self._is_silent(node, seen.now)]
        absent = {name for name in silent if self._ages.of(("absent", nodes[name]), seen.now) >= SILENT_S}
        # Most are silent that Consul finds healthy: it is our own line that is cut.
        is_ours = 2 * (len(silent) - len(absent)) > len(nodes)
        for name in silent:
            age_s = self._ages.of(("silent", nodes[name]), seen.now)
            if name in absent or (age_s >= GRACE_S and not is_ours):
                yield name

    def _candidates(self, seen: Seen, table: Table, name: str) -> Iterator[str]:
        """Yield the nodes that could take a seat: registered for it, then without a seat, then spares."""
        own = [address for address, seat in sorted(seen.listed.items()) if seat == name]
        for address in dict.fromkeys((*own, *sorted(seen.listed), *table.spares, *sorted(seen.spares))):
            if address not in table.addresses and address not in table.retired and address in seen.answering:
                yield address

    def _announce(self, seen: Seen, table: Table, name: str, node: str, why: str) -> Decision:
        """Tell the webapps who will take a seat."""
        seat = replace(table.seats[name], next=node, why=why)
        text = f"seat {name}: {node} will take it from {seat.node} ({why})"
        return Decision(table.with_seat(name, seat, **self._enlisted(seen, table, node)), text)

    def _enlisted(self, seen: Seen, table: Table, node: str) -> dict[str, object]:
        """Return the fields of a table that change when a node is taken."""
        return {
            "rate": self._goal(seen, table),
            "spares": _without(table.spares, node),
            "retired": _without(table.retired, node),
        }

    def _join(self, seen: Seen, table: Table, name: str, node: str, why: str) -> Decision:
        """Tell the webapps of a seat that comes."""
        after = table.with_seat(name, Seat(node, mode=Mode.JOINING, why=why), **self._enlisted(seen, table, node))
        return Decision(after, f"seat {name}: {node} joins ({why})")

    def _replace_absent(self, seen: Seen, table: Table) -> Decision | None:
        """Replace a node that answers, but that Consul gave up: at once by who is registered for its seat, else after
        GRACE_S by a spare. When most are absent, it is Consul that is not well.
        """
        nodes = {name: seat.node for name, seat in table.seats.items() if seat.mode in READ}
        ages = {name: self._ages.of(("absent", node), seen.now) for name, node in nodes.items()}
        absent = [name for name in nodes if ages[name] >= 0]
        if 2 * len(absent) > len(nodes) > 1:
            return None
        for name in absent:
            for node in self._candidates(seen, table, name):
                if ages[name] >= GRACE_S or seen.listed.get(node) == name:
                    return self._announce(seen, table, name, node, LEFT)
        return None

    def _add_listed(self, seen: Seen, table: Table) -> Decision | None:
        """Add a seat that a listed node is registered for, and that nobody has."""
        for node, name in sorted(seen.listed.items()):
            is_known = name in table.seats or node in (*table.addresses, *table.retired, *table.spares)
            is_there = node in seen.answering and self._ages.of(("present", node), seen.now) >= LISTED_S
            if is_there and not is_known and len(table.seats) < SEATS_MAX:
                return self._join(seen, table, name, node, LISTED)
        return None

    def _settle_orders(self, seen: Seen, table: Table) -> None:
        """Judge every order anew: those that the table has done, those that run, those that wait."""
        under_way = {seat.why: name for name, seat in table.seats.items() if seat.why}
        for order in seen.orders:
            known = self.outcomes.get(order.id)
            if order.id in table.done:
                self._judge(Outcome(order.id, "done", known.text if known and known.state == "running" else ""))
            elif order.why in under_way:
                self._judge(Outcome(order.id, "running", f"seat {under_way[order.why]}"))
            elif known is None or not known.is_final:
                self._judge(Outcome(order.id, "waiting", self.waits_for))

    def _judge(self, outcome: Outcome) -> None:
        self.outcomes.pop(outcome.id, None)
        self.outcomes[outcome.id] = outcome
        while len(self.outcomes) > OUTCOMES_MAX:
            del self.outcomes[next(iter(self.outcomes))]

    def _obey(self, seen: Seen, table: Table, order: Order) -> Decision | None:
        """Return the first step of an order; None when it must wait, or is refused."""
        try:
            decision = self._ordered(seen, table, order)
        except OrderError as error:
            self.refuse(order.id, str(error))
            return None
        is_urgent = order.op is Op.SPARE or (order.op is Op.REPLACE and order.seat in self._dead(seen, table))
        return decision if is_urgent or not self.waits_for else None

    def _ordered(self, seen: Seen, table: Table, order: Order) -> Decision:
        """Return the first step of an order, as if it were time for it. Raises OrderError."""
        if order.op in (Op.REPLACE, Op.DRAIN) and order.seat not in table.seats:
            raise OrderError(f"there is no seat {order.seat}; there are {', '.join(sorted(table.seats))}")
        if order.op is Op.DRAIN:
            return self._drain(seen, table, order)
        node = order.node or next(self._candidates(seen, table, order.seat), "")
        _check_free(table, node)
        if node not in seen.answering:
            raise OrderError(f"{node} does not answer")
        if order.op is Op.SPARE:
            spares = tuple(dict.fromkeys((*table.spares, node)))
            done = table.carried_out(order.why)
            after = replace(
                table, version=table.version + 1, spares=spares, retired=_without(table.retired, node), done=done
            )
            return Decision(after, f"{node} is a spare")
        if order.op is Op.REPLACE:
            return self._announce(seen, table, order.seat, node, order.why)
        name = order.seat or _free_seat(table, seen.listed.get(node, ""))
        if name in table.seats or len(table.seats) >= SEATS_MAX:
            raise OrderError(f"seat {name} is there; a pool has {SEATS_MAX} seats at most")
        return self._join(seen, table, name, node, order.why)

    def _drain(self, seen: Seen, table: Table, order: Order) -> Decision:
        seat = table.seats[order.seat]
        if sum(each.mode in READ for each in table.seats.values()) == 1:
            raise OrderError(f"seat {order.seat} is the last one; add another first")
        after = table.with_seat(
            order.seat, replace(seat, mode=Mode.DRAINING, why=order.why), rate=self._goal(seen, table)
        )
        return Decision(after, f"seat {order.seat}: will be drained")


def _check_free(table: Table, node: str) -> None:
    """Raise OrderError unless a node can take a seat."""
    if not node:
        raise OrderError("no spare answers: name a node, or register one with the tag pool:spare")
    for name, seat in table.seats.items():
        if node in seat.nodes:
            raise OrderError(f"{node} is in use in seat {name}")


def _free_seat(table: Table, wanted: str) -> str:
    """Return the name for a new seat: the wanted one, or the first free number."""
    if wanted and wanted not in table.seats:
        return wanted
    return next(str(number) for number in range(1, SEATS_MAX + 2) if str(number) not in table.seats)


def _joining(seat: Seat) -> str:
    return seat.node if seat.mode is Mode.JOINING else ""


def _without(addresses: Iterable[str], address: str) -> tuple[str, ...]:
    return tuple(each for each in addresses if each != address)
