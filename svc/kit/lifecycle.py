"""Visible lifetimes: no task outlives the block that started it, and start-up unwinds into shutdown.

After trio's nurseries: a background task belongs to an `async with` block; its failure is the process's failure,
because a tier without one of its loops only looks alive.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import uvloop

from svc.kit.config import ConfigError, load
from svc.kit.errors import ResourceExhaustedError
from svc.kit.loop import Loop

C = TypeVar("C")
log = logging.getLogger(__name__)

EXIT_CONFIG = 2
"""Exit status for wrong settings: restarting will not help (sysexits' EX_CONFIG is 78; shells use 2 for usage)."""


GC_YOUNG = 20_000
"""Objects made and not freed before a collection looks for cycles; some ten megabytes."""

EXIT_IMPATIENT = 130
"""Exit status after a second signal: 128 + SIGINT, as shells have it."""


class BackgroundFailure(Exception):
    """A background task ended although nobody asked it to; the process must stop."""


@asynccontextmanager
async def background(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` beside the block; cancel it and wait for it on the way out.

    If it fails, or ends, while the block runs, the block is cancelled and BackgroundFailure is raised from it.
    """
    owner = asyncio.current_task()
    assert owner is not None
    task = asyncio.get_running_loop().create_task(work, name=name)
    leaving = False
    interrupted = False

    def ended(done: asyncio.Task[None]) -> None:
        nonlocal interrupted
        if not leaving and not done.cancelled():
            interrupted = True
            owner.cancel()

    task.add_done_callback(ended)
    try:
        yield task
    except asyncio.CancelledError:
        if not interrupted:
            raise
        owner.uncancel()
        raise BackgroundFailure(f"background task {name} ended") from _failure(task)
    finally:
        leaving = True
        await _cancel(task)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    # A task that is being cancelled has its failure logged, not raised: the block's own outcome matters more.
    await asyncio.wait({task})
    failure = _failure(task)
    if failure is not None:
        log.error("task %s failed: %r", task.get_name(), failure, exc_info=failure)


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return None if task.cancelled() or not task.done() else task.exception()


class Tasks:
    """A bounded set of short-lived tasks that end with the block: `async with Tasks("posts", limit=1000) as tasks`.

    A failure of one is logged and touches no other. Use `background` for the loops that must not end.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Start `work`. Raises ResourceExhaustedError (and closes `work`) at the limit."""
        if len(self._tasks) >= self._limit:
            work.close()
            raise ResourceExhaustedError(
                f"{self._name}: {self._limit} tasks are running", subject=self._name, limit=self._limit
            )
        task = asyncio.get_running_loop().create_task(work, name=name or self._name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def __aenter__(self) -> Tasks:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        failure = _failure(task)
        if failure is not None:
            log.error("task %s failed: %r", task.get_name(), failure, exc_info=failure)


class _Termination:
    """SIGTERM and SIGINT from the first moment on: before `terminated` is reached, they cancel the start-up."""

    def __init__(self, serving: asyncio.Task[None]) -> None:
        self._serving = serving
        self._asked = asyncio.Event()
        self._is_awaited = False

    def on_signal(self) -> None:
        """Ask for the end; asked twice, end at once, without unwinding."""
        if self._asked.is_set():
            os._exit(EXIT_IMPATIENT)
        self._asked.set()
        if not self._is_awaited:
            self._serving.cancel()

    async def wait(self) -> None:
        self._is_awaited = True
        await self._asked.wait()


_termination: ContextVar[_Termination] = ContextVar("termination")


async def terminated() -> None:
    """Wait for SIGTERM or SIGINT; inside `run` or `until_signal`. A second signal ends the process at once."""
    await _termination.get().wait()


async def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` with the signals heard from the start; for those who make the loop themselves (see `run`)."""
    serving = asyncio.current_task()
    assert serving is not None
    termination = _Termination(serving)
    _termination.set(termination)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The handlers stay while the stack unwinds, so that the second signal is still heard.
        asyncio.get_running_loop().add_signal_handler(number, termination.on_signal)
    await work


def run(serve: Callable[[C], Coroutine[Any, Any, None]], config_class: type[C]) -> None:
    """Be a process: read the configuration, run `serve(config)` on uvloop, exit 2 on wrong settings, 1 on a failure."""
    try:
        config = load(config_class, os.environ, sys.argv[1:])
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        raise SystemExit(EXIT_CONFIG) from None
    # What start-up imported stays: a collection has no reason to look at it again. And young objects of a busy loop are
    # mostly tasks under way, so looking for cycles after every 700 of them costs a tenth of the time and finds none.
    gc.freeze()
    gc.set_threshold(GC_YOUNG)
    try:
        uvloop.run(until_signal(serve(config)), loop_factory=Loop)
    except asyncio.CancelledError:
        # Asked to end while it was starting: everything that had started has been unwound.
        return
    except Exception as error:
        log.critical("stopped by a failure: %r", error, exc_info=error)
        raise SystemExit(1) from None
