"""Taking, saving and giving back a place, on a real database: an old owner never moves it back."""

from __future__ import annotations

import itertools

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.apps.place_keeper import PlaceKeeper
from svc.webapp.apps.places import Places
from svc.webapp.apps.tally import Tally
from svc.webapp.domain.apps.model import App
from svc.webapp.store.app_places import AppPlaceStore
from svc.webapp.store.pools import Pools

pytestmark = pytest.mark.mesh

_numbers = itertools.count(1)


@pytest.fixture
def app() -> App:
    """An app that was never served."""
    number = next(_numbers)
    return App(
        "T0000000001", f"A{number:010d}", "talker", f"U{number:010d}", "B0000000001", "", bytes(32), "secret", "vt"
    )


def keeper(app: App, me: str, pools: Pools, *living: str, tally: Tally | None = None) -> PlaceKeeper:
    """Return an owner's keeper, who believes that these live."""
    return PlaceKeeper(app, me, lambda: living, AppPlaceStore(pools.user), SystemClock(), tally or Tally())


def at(**offsets: int) -> Places:
    """Return places that stand at these offsets."""
    places = Places()
    for channel_id, offset in offsets.items():
        places.start(channel_id, offset)
    return places


async def test_a_place_is_saved_and_found_by_the_next_owner(app: App, pools: Pools) -> None:
    """Nobody has it at first; what was saved last is what the next one begins with."""
    first = keeper(app, "w1", pools)
    await first.take()
    assert first.positions() is None
    assert await first.save(at(C1=5, C2=7))
    assert await first.save(at(C1=5, C2=7)), "saving the same again is no loss"
    second = keeper(app, "w2", pools)
    await second.take()
    assert second.positions() == {"C1": 5, "C2": 7}


async def test_an_old_owner_cannot_move_the_place_back(app: App, pools: Pools) -> None:
    """It learns so when it saves, and releases, and verifies; the new owner notices nothing."""
    tally = Tally()
    old, new = keeper(app, "w1", pools, tally=tally), keeper(app, "w2", pools)
    await old.take()
    await old.save(at(C1=5, C2=1))
    await new.take()
    assert await new.save(at(C1=9, C2=1))
    assert not await old.save(at(C1=6, C2=1))
    assert not await old.save(at(C1=6, C2=1), is_released=True)
    await old.verify("https://old.example.org/")
    assert tally.unsaved == 2
    third = keeper(app, "w3", pools)
    await third.take()
    assert third.positions() == {"C1": 9, "C2": 1}
    assert third.verified_url == ""


async def test_a_living_owner_is_waited_for_until_it_has_given_the_place_back(app: App, pools: Pools) -> None:
    """One that is on the ring no more is not."""
    clock = SystemClock()
    old, new = keeper(app, "w1", pools), keeper(app, "w2", pools, "w1", "w2")
    await old.take()
    began = clock.now()
    await new.take()
    assert clock.now() - began >= 2.9, "it lives, and did not give it back"
    heir = keeper(app, "w3", pools, "w3")
    assert await new.save(at(C1=5, C2=1), is_released=True)
    await heir.take()
    assert heir.positions() == {"C1": 5, "C2": 1}


async def test_what_is_forgotten_is_forgotten_for_the_next_owner_too(app: App, pools: Pools) -> None:
    """An app that hears nothing begins anew when it hears again; its verified URL stays."""
    first, second = keeper(app, "w1", pools), keeper(app, "w2", pools)
    await first.take()
    await first.save(at(C1=5, C2=1))
    await first.verify("https://bot.example.org/")
    assert first.verified_url == "https://bot.example.org/"
    await first.forget()
    await second.take()
    assert (second.positions(), second.verified_url) == (None, "https://bot.example.org/")
