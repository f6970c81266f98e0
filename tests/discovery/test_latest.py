"""Following the newest value: nothing is queued, nothing that matters is missed."""

import asyncio

from discovery.latest import Latest


async def test_a_slow_reader_skips_to_the_newest() -> None:
    """Changes while nobody looks collapse into one."""
    latest: Latest[int] = Latest()
    latest.set(1)
    changes = latest.changes()
    assert await anext(changes) == 1
    latest.set(2)
    latest.set(3)
    assert await anext(changes) == 3
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    latest.set(4)
    assert await waiting == 4


async def test_callbacks_run_at_once_and_one_that_fails_harms_no_other() -> None:
    """The order is that of subscribing; who unsubscribed hears nothing more."""
    latest: Latest[int] = Latest()
    heard: list[tuple[str, int]] = []

    def broken(value: int) -> None:
        raise RuntimeError(f"no {value}")

    latest.subscribe(broken)
    end = latest.subscribe(lambda value: heard.append(("one", value)))
    latest.set(1)
    latest.subscribe(lambda value: heard.append(("two", value)))
    end()
    end()
    latest.set(2)
    assert heard == [("one", 1), ("two", 1), ("two", 2)]


async def test_the_first_value_is_waited_for() -> None:
    """Also when it comes before anybody waits."""
    latest: Latest[str] = Latest()
    waiting = asyncio.ensure_future(latest.first())
    await asyncio.sleep(0)
    latest.set("a")
    assert await waiting == "a"
    assert await latest.first() == "a"
