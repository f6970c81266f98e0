"""A line breaks for two reasons: the peer, which is usual, and a defect of ours, which must be seen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from random import Random

import grpc
import pytest

from svc.feed.lines import Line
from svc.kit.clock import SystemClock


class Answering:
    """A stream whose peer answers everything with the same word, and ends after a few."""

    def __init__(self, answers: int) -> None:
        self._left = answers

    async def write(self, _: str, /) -> None:
        """Take it."""

    async def read(self) -> object:
        self._left -= 1
        return "word" if self._left >= 0 else grpc.aio.EOF

    def cancel(self) -> bool:
        return True


class End:
    """Our end, which may have a defect."""

    heartbeat_s = None

    def __init__(self, failure: Exception | None = None) -> None:
        self.opens = 0
        self._failure = failure

    def hello(self) -> str:
        return "hello"

    def opened(self, _: str) -> None:
        self.opens += 1

    def received(self, _: str) -> None:
        if self._failure is not None:
            raise self._failure

    def outgoing(self) -> Iterable[str]:
        return ()

    def closed(self) -> None:
        """Nothing is kept."""


async def run_until(line: Line[str, str], done: asyncio.Event) -> None:
    running = asyncio.create_task(line.run())
    async with asyncio.timeout(5):
        await done.wait()
    line.is_wanted = False
    running.cancel()
    await asyncio.wait({running})


async def test_a_defect_of_our_end_is_logged_as_one_and_the_line_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    """A KeyError while an event is handed on is no peer that has left: nobody looks into lines that break."""
    end, twice = End(KeyError("a defect")), asyncio.Event()
    opened = 0

    def connect() -> Answering:
        nonlocal opened
        opened += 1
        if opened == 2:
            twice.set()
        return Answering(2 if opened == 1 else 0)

    await run_until(Line("channel-a", connect, end, SystemClock(), Random(1)), twice)
    assert end.opens == 1
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "line to channel-a failed"
    ]


async def test_a_peer_that_is_not_there_is_noted_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """A ring that moved on is no error, and every try says the same."""
    caplog.set_level(logging.INFO)
    tried, often = 0, asyncio.Event()

    def connect() -> Answering:
        nonlocal tried
        tried += 1
        if tried == 3:
            often.set()
        raise LookupError("channel-a is not on the ring any more")

    await run_until(Line("channel-a", connect, End(), SystemClock(), Random(1)), often)
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.INFO, "line to channel-a: LookupError('channel-a is not on the ring any more')")
    ]


class Listening:
    """A stream whose peer welcomes us and then only listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._is_welcomed = False

    async def write(self, word: str, /) -> None:
        """Note it."""
        self.heard.append(word)

    async def read(self) -> object:
        if self._is_welcomed:
            await asyncio.Event().wait()
        self._is_welcomed = True
        return "word"

    def cancel(self) -> bool:
        return True


class Speaking(End):
    """An end that has something to say whenever it is asked, and says how often that was."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def outgoing(self) -> Iterable[str]:
        self.asked += 1
        return (f"said {self.asked}",)


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not seen():
            await asyncio.sleep(0)


async def test_what_may_rest_is_said_together_and_what_may_not_at_once() -> None:
    """A crowd that comes back is asked for together; an acknowledgement, or a typing event, does not wait for that."""
    stream, end = Listening(), Speaking()
    line = Line("channel-a", lambda: stream, end, SystemClock(), Random(1), rest_s=60.0)
    running = asyncio.create_task(line.run())
    await until(lambda: stream.heard == ["hello", "said 1"])
    for _ in range(100):
        line.wake(may_rest=True)
        await asyncio.sleep(0)
    assert stream.heard == ["hello", "said 1"]
    line.wake()
    await until(lambda: stream.heard == ["hello", "said 1", "said 2"])
    running.cancel()
    await asyncio.wait({running})


async def test_who_has_rested_says_at_once_what_is_new() -> None:
    """Whoever is alone does not wait for others; and a rest ends by itself."""
    stream, end = Listening(), Speaking()
    line = Line("channel-a", lambda: stream, end, SystemClock(), Random(1), rest_s=0.02)
    running = asyncio.create_task(line.run())
    await until(lambda: stream.heard == ["hello", "said 1"])
    for number in range(2, 5):
        line.wake(may_rest=True)
        await until(lambda: stream.heard[-1] == f"said {number}")  # noqa: B023
    running.cancel()
    await asyncio.wait({running})
