"""The twins do the same, whatever is asked of them: random calls to both, in a table of few ids and crowded slots."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from discovery.ring import SLOTS, slot
from svc.channel.rows import plain
from svc.channel.rows.plain import NOT_OWNED
from tests.svc.channel.rows.twins import PLENTY, everywhere, follow, native, standing, unsubscribe_frame

SLOTS_USED = 6
STEPS = 1_500


def crowded(count: int) -> list[str]:
    """Ids of a few slots, so that each has many; some of them in no form that packs."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        for name in (f"C{number}", f"c{number}"):
            if slot(name) < SLOTS_USED:
                found.append(name)
        number += 1
    return found


NAMES = crowded(60)


class Pair:
    """Both twins, and what is known of them."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.since = everywhere()
        self.twins = (plain.Rows[str](self.since, PLENTY), native().Rows(self.since, PLENTY))
        self.numbers: dict[int, int] = {}
        self.leaving: list[tuple[tuple[Any, ...], int, int]] = []
        self.generation = 1
        self.joined = 0

    def step(self) -> None:
        """Do something to both, and compare what they say."""
        actions = (self.follow, self.follow, self.leave, self.let_go, self.rest, self.attach, self.drop, self.move)
        self.rng.choice(actions)()
        name = self.rng.choice(NAMES)
        self.both(lambda rows: rows.followers(name))
        self.both(lambda rows: standing(rows, slot(name)))

    def both(self, ask: Any) -> Any:
        """Ask both; return the answer."""
        expected, actual = map(ask, self.twins)
        assert actual == expected
        return actual

    def attach(self) -> None:
        if len(self.numbers) < 12:
            self.joined += 1
            numbers = [rows.add(f"g{self.joined:06}") for rows in self.twins]
            self.numbers[numbers[0]] = numbers[1]

    def of(self, number: int, rows: Any) -> int:
        return number if isinstance(rows, plain.Rows) else self.numbers[number]

    def drop(self) -> None:
        if len(self.numbers) > 3 and self.rng.random() < 0.3:
            number = self.rng.choice(list(self.numbers))
            for rows in self.twins:
                rows.drop(self.of(number, rows))
            del self.numbers[number]
            self.leaving = [each for each in self.leaving if each[1] != number]
            for rows in self.twins:
                rows.want_sweep()
                while rows.sweep(3_000):
                    pass
            self.both(len)

    def some(self) -> list[str]:
        return self.rng.choices(NAMES, k=self.rng.randrange(1, 40))

    def follow(self) -> None:
        if self.numbers:
            number = self.rng.choice(list(self.numbers))
            positions = [(name, self.rng.randrange(3)) for name in self.some()]
            limit = self.rng.choice((10, PLENTY))
            self.both(lambda rows: follow(rows, self.of(number, rows), *positions, limit=limit))
            self.both(lambda rows: rows.count(self.of(number, rows)))

    def leave(self) -> None:
        if self.numbers:
            number, stamp = self.rng.choice(list(self.numbers)), self.rng.randrange(1, 16)
            frame = unsubscribe_frame(*self.some())
            left = tuple(rows.leave(frame, self.of(number, rows), stamp) for rows in self.twins)
            self.leaving.append((left, number, stamp))

    def let_go(self) -> None:
        if self.leaving:
            left, number, stamp = self.leaving.pop(self.rng.randrange(len(self.leaving)))
            for rows, each in zip(self.twins, left, strict=True):
                rows.let_go(each, self.of(number, rows), stamp)
            self.both(lambda rows: rows.count(self.of(number, rows)))
            self.both(lambda rows: rows.followed)

    def rest(self) -> None:
        name, low, is_vouched = self.rng.choice(NAMES), self.rng.randrange(3), self.rng.random() < 0.5
        what = self.rng.randrange(3)
        if what == 0:
            self.both(lambda rows: (run := rows.activate(name)) and tuple(run))
        elif what == 1:
            self.both(lambda rows: rows.settle(name, low, 2, self.generation, is_vouched))
        else:
            self.both(lambda rows: rows.forget(name))

    def move(self) -> None:
        self.generation += 1
        self.since[self.rng.randrange(SLOTS_USED)] = self.rng.choice((NOT_OWNED, self.generation, self.generation))


@pytest.mark.skipif(native() is None, reason="no compiler was here")
@pytest.mark.parametrize("seed", range(8))
def test_the_twins_do_the_same(seed: int) -> None:
    """After each of many calls."""
    pair = Pair(Random(seed))
    for _ in range(STEPS):
        pair.step()


@pytest.mark.skipif(native() is None, reason="no compiler was here")
def test_many_channels_stay_apart() -> None:
    """Growing, shrinking and deleting in one slot and in all: nobody is lost, nobody is found who is not there."""
    rng = Random(5)
    rows = native().Rows(everywhere(), PLENTY)
    number = rows.add("a")
    names = [f"C{value:010X}" for value in rng.sample(range(1 << 40), 40_000)]
    for start in range(0, len(names), 4_000):
        follow(rows, number, *((name, 0) for name in names[start : start + 4_000]))
    assert len(rows) == rows.count(number) == len(names)
    gone = set(rng.sample(names, 30_000))
    rows.let_go(rows.leave(unsubscribe_frame(*gone), number, 1), number, 1)
    assert [name for name in names if bool(rows.followers(name)) == (name in gone)] == []
    assert sum(len(rows.standing(place)[1]) for place in range(SLOTS)) == len(rows) == 10_000
    rows.want_sweep()
    while rows.sweep(1_000):
        pass
    assert all(rows.followers(name) for name in names if name not in gone)
