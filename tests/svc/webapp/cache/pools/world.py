"""A pool in a world without sockets: nodes that live, die and warm up, Consul's list, and a keeper that looks each
second."""

from __future__ import annotations

from collections.abc import Iterable

from svc.webapp.cache.pools.control import Control
from svc.webapp.cache.pools.orders import Op, Order
from svc.webapp.cache.pools.placement import Placement
from svc.webapp.cache.pools.rates import HitRates
from svc.webapp.cache.pools.steps import Seen
from svc.webapp.cache.pools.table import READ, SETTLE_S, Table, parse_table

BEST = 0.95
GETS_S = 1000


def at(number: int | str) -> str:
    """Return the address of a node by a short name."""
    return f"n{number}:11211"


class World:
    """Everything that a keeper sees, and all that it did."""

    def __init__(self, seats: int, spares: Iterable[int] = ()) -> None:
        """Start with nodes 1..seats listed, each for the seat of its number, and with listed spares."""
        self.now = 1000.0
        self.table: Table | None = None
        self.listed = {at(number): str(number) for number in range(1, seats + 1)}
        self.spares = {at(number) for number in spares}
        self.answering = {*self.listed, *self.spares}
        self.consul_answers = True
        self.orders: list[Order] = []
        self.control = Control()
        self.history: list[tuple[float, Table]] = []
        self.said: list[str] = []
        self.lost: list[float] = []
        self.held: dict[str, dict[str, tuple[int, float]]] = {}
        """What nodes hold: by key, the version of the value and when it expires (see `webapps`)."""
        self.is_asked = True
        self.filling = 0.2
        """Share of what a new node lacks that it learns in a second."""
        self._warmth = dict.fromkeys(self.listed, 1.0)
        self._counts: dict[str, tuple[int, int]] = {}
        self._rates = HitRates()
        self._writes = 0

    def order(self, op: str, seat: str = "", node: str = "") -> str:
        """Give an order; return its id."""
        self._writes += 1
        self.orders.append(Order(str(self._writes), Op(op), seat, node))
        return str(self._writes)

    def start(self, node: str, seat: str | None = None) -> None:
        """Start a node, empty; with a `seat` it is listed for it."""
        self.answering.add(node)
        self._warmth[node] = 0.0
        self._counts[node] = (0, 0)
        if seat is not None:
            self.listed[node] = seat

    def kill(self, *nodes: str) -> None:
        """Let nodes die: Consul drops them."""
        for node in nodes:
            self.answering.discard(node)
            self.held.pop(node, None)
            self.leave(node)
            self._warmth[node] = 0.0

    def come_back(self, node: str, seat: str) -> None:
        """List a node again, started anew if it had died."""
        if node not in self.answering:
            self.start(node)
        self.listed[node] = seat

    def leave(self, node: str) -> None:
        """Take a node out of Consul; it goes on answering."""
        self.listed.pop(node, None)
        self.spares.discard(node)

    def run(self, seconds: float, tick_s: float = 1.0) -> None:
        """Let time pass; the keeper looks once each tick."""
        until = self.now + seconds
        while self.now < until:
            self.now += tick_s
            self._traffic()
            self._keep()

    def until_idle(self, seconds: int = 900) -> None:
        """Let time pass until no change is under way and every order is judged."""
        for _ in range(seconds):
            self.run(1)
            changing = self.table is None or any(seat.is_changing or seat.old for seat in self.table.seats.values())
            if not changing and not self.orders:
                return
        raise AssertionError(self.said)

    def seen(self) -> Seen:
        """Return what the keeper sees."""
        present = {*self.listed, *self.spares} if self.consul_answers else None
        listed = dict(self.listed) if self.consul_answers else {}
        spares = sorted(self.spares) if self.consul_answers else []
        return Seen(self.now, self.table, present, listed, spares, self.answering, self._rates, list(self.orders))

    def _keep(self) -> None:
        for _ in range(20):
            decision = self.control.step(self.seen())
            emptied = [address for address in decision.empty if address in self.answering]
            for address in emptied:
                self._warmth[address] = 0.0
                self.held.pop(address, None)
                self.control.emptied(address)
            if decision.table is not None:
                self._write(decision.table)
                self.said.append(decision.text)
            outcomes = self.control.outcomes
            self.orders = [each for each in self.orders if not outcomes[each.id].is_final]
            if decision.table is None and not emptied:
                return
        raise AssertionError(f"the keeper does not come to rest: {self.said[-20:]}")

    def _write(self, table: Table) -> None:
        before = self.table
        assert parse_table(table.dump()) == table
        if before is not None:
            assert table.version == before.version + 1
            self._note_losses(before, table)
        self.table = table
        self.history.append((self.now, table))

    def _note_losses(self, before: Table, after: Table) -> None:
        """Note when what a living node held is thrown away."""
        for name, seat in after.seats.items():
            former = before.seats.get(name)
            if former is not None and former.node != seat.node and former.node in self.answering and not seat.warm:
                self.lost.append(self.now)

    def _traffic(self) -> None:
        for seat in self.table.seats.values() if self.table and self.is_asked else ():
            node = seat.node
            if seat.mode in READ and node in self.answering:
                warmth = self._warmth.get(node, 0.0)
                hits, misses = self._counts.get(node, (0, 0))
                hit_rate = BEST * warmth
                self._counts[node] = (hits + int(GETS_S * hit_rate), misses + int(GETS_S * (1 - hit_rate)))
                self._warmth[node] = warmth + (1 - warmth) * self.filling
                if seat.warm in self.answering:
                    hits, misses = self._counts.get(seat.warm, (0, 0))
                    spared, lost = int(GETS_S * (BEST - hit_rate)), int(GETS_S * (1 - BEST))
                    self._counts[seat.warm] = (hits + spared, misses + lost)
        for node, (hits, misses) in self._counts.items():
            if node in self.answering:
                self._rates.note(node, self.now, hits, misses)

    def check_deletions(self, slots: Iterable[int]) -> None:
        """Whoever reads by one table is reached by the deletions of whoever goes by another, if both may be in use at
        once: a webapp may be SETTLE_S behind."""
        placements = [Placement(table) for _, table in self.history]
        ends = [when for when, _ in self.history[1:]] + [self.now]
        for one, (began, _) in enumerate(self.history):
            for other, _ in enumerate(self.history):
                # `one` may still be read until SETTLE_S after it was followed; `other` was written by then.
                if self.history[other][0] < ends[one] + SETTLE_S and began < ends[other] + SETTLE_S:
                    for slot in slots:
                        self._check_pair(placements[one], placements[other], slot)

    def _check_pair(self, reading: Placement, deleting: Placement, slot: int) -> None:
        read, told = reading.place(slot), deleting.place(slot)
        assert read is not None
        assert told is not None
        assert {read.node, read.warm} - {""} <= set(told.holders), (reading.table, deleting.table)


def running(seats: int = 4, spares: tuple[int, ...] = ()) -> World:
    """Return a world whose first table was made, with a steady hit rate."""
    world = World(seats, spares)
    world.run(20)
    assert world.table is not None
    world.said.clear()
    return world


def nodes(world: World) -> dict[str, str]:
    """Return who is in which seat."""
    assert world.table is not None
    return {name: seat.node for name, seat in world.table.seats.items()}
