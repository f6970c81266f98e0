"""Lifelines to real sockets: who ends its connection is avoided at once, and taken again when it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from discovery.latest import Latest
from discovery.lifelines import Lifelines
from discovery.view import Instance, Snapshot
from svc.kit.clock import SystemClock
from tests.discovery.agents import until


class Views:
    """A view that a test sets."""

    def __init__(self, *instances: Instance) -> None:
        self._latest: Latest[Snapshot] = Latest()
        self.show(*instances)

    def show(self, *instances: Instance) -> None:
        """Have exactly these in view."""
        self.snapshot = Snapshot("parley-gateway", 1, instances)
        self._latest.set(self.snapshot)

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """As a watcher does."""
        return self._latest.subscribe(callback)


class Process:
    """Something that listens, greets, and ends all its connections when it dies."""

    def __init__(self, name: str) -> None:
        self.instance = Instance(name, "gateway", "")
        self.writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> Process:
        """Listen, where it listened before."""
        port = int(self.instance.address.rpartition(":")[2] or 0)
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", port)
        port = self._server.sockets[0].getsockname()[1]
        self.instance = replace(self.instance, address=f"127.0.0.1:{port}")
        return self

    async def _greet(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"hello")

    def end_lines(self) -> None:
        """End what is connected, and go on listening."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    def die(self) -> None:
        """End everything."""
        assert self._server is not None
        self._server.close()
        self.end_lines()


async def held(*processes: Process) -> None:
    """Wait until there is a line to each."""
    await until(lambda: all(process.writers for process in processes))


def ids(lifelines: Lifelines) -> set[str]:
    """Return who stands."""
    return {instance.id for instance in lifelines.standing()}


async def run(test: Callable[[Views, Process, Process, Lifelines], Awaitable[None]]) -> None:
    """Run a test with lines to two processes."""
    one, two = await Process("one").start(), await Process("two").start()
    views = Views(one.instance, two.instance)
    try:
        async with Lifelines(views, SystemClock()) as lifelines:
            assert ids(lifelines) == {"one", "two"}  # who was not asked yet is not gone
            await held(one, two)
            await test(views, one, two, lifelines)
    finally:
        one.die()
        two.die()


async def test_who_dies_is_avoided_until_it_answers_again() -> None:
    """Though Consul's view has it all the while."""

    async def dying(views: Views, one: Process, two: Process, lifelines: Lifelines) -> None:
        one.die()
        await until(lambda: ids(lifelines) == {"two"})
        await one.start()
        await until(lambda: ids(lifelines) == {"one", "two"})
        await held(one)

    await run(dying)


async def test_who_only_ends_a_connection_is_asked_again() -> None:
    """Servers do that to those who say nothing for long."""

    async def ending(views: Views, one: Process, two: Process, lifelines: Lifelines) -> None:
        one.end_lines()
        await held(one)
        await until(lambda: ids(lifelines) == {"one", "two"})

    await run(ending)


async def test_when_no_line_stands_all_are_given() -> None:
    """One of them may be there after all: an address that is refused is no worse than none."""

    async def ending(views: Views, one: Process, two: Process, lifelines: Lifelines) -> None:
        one.die()
        await until(lambda: ids(lifelines) == {"two"})
        two.die()
        await until(lambda: ids(lifelines) == {"one", "two"})

    await run(ending)


async def test_who_leaves_the_view_is_let_go() -> None:
    """And who comes into it is held; an address that is none hurts nobody."""

    async def leaving(views: Views, one: Process, two: Process, lifelines: Lifelines) -> None:
        three = await Process("three").start()
        views.show(two.instance, three.instance, Instance("odd", "gateway", "nowhere"))
        await held(three)
        await until(lambda: ids(lifelines) == {"two", "three"})
        views.show(three.instance)
        assert ids(lifelines) == {"three"}
        three.die()

    await run(leaving)
