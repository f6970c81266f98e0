"""What matters more when not all can be done, and how a request's class reaches the line that it waits in.

The class is decided once, where a request comes in (`Method.priority`, the servicer) or a loop of ours begins (`at`),
and travels in a context variable: all that is awaited, and every task that is started, on its behalf has it too.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Priority(IntEnum):
    """Classes of work, the most important first: the last is shed first."""

    POST = 0
    """Writes, and what finishes them: commits, their effects, publishing from the outbox. A lost one is noticed."""
    READ = 1
    """What people who are here look at, and what fills the holes of those who follow: history, members, logs."""
    BOOT = 2
    """Beginnings: connecting, lists of everything, a session's subscriptions, loading a workspace. They can wait."""
    TRANSIENT = 3
    """What is stale in a minute anyhow: who is active."""
    BACKGROUND = 4
    """Housekeeping of our own, such as retention. Goes on at a trickle whatever happens."""


PATIENCE_S = 0.6
"""How long a patient request waits for others, in all; then a wait of its own kind of read may be under way yet. A
session that opens has five kinds of reads, and a gateway asks again after 1.5 s: were each of them waited for, nobody
of a crowd would ever be answered."""


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)
class Turn:
    """One request, or one loop of our own."""

    priority: Priority
    is_gone: Callable[[], bool] = _never
    """Whether nobody waits for the answer any more; asked when its turn comes in a line."""
    has_begun: bool = False
    """Whether a store has worked for it: then to finish it comes before what is new, or that work was for nothing."""
    has_stored: bool = False
    """Whether it has changed something: then no answer may invite to repeat it."""
    body_bytes: int = 0
    is_patient: bool = False
    """Whether its client comes back, perhaps in a crowd, and can wait a moment to share reads with the others."""
    patience_s: float = PATIENCE_S
    """What is left of that moment, over all that it reads one after the other."""


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


def current() -> Turn:
    """Return the turn of the running task; work that never said what it is counts as a read."""
    return _turn.get() or Turn(Priority.READ)


def note_stored() -> None:
    """Say that the request has changed something for good."""
    turn = _turn.get()
    if turn is not None:
        turn.has_stored = True


def begin(turn: Turn) -> None:
    """Let the rest of this task, and what it starts, be of `turn`. For tasks that end with the request."""
    _turn.set(turn)


@contextmanager
def taking(turn: Turn) -> Iterator[Turn]:
    """Let the block be of `turn`."""
    token = _turn.set(turn)
    try:
        yield turn
    finally:
        _turn.reset(token)


async def at(priority: Priority, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` in a class: `background("retention", at(Priority.BACKGROUND, loop()))`."""
    with taking(Turn(priority)):
        await work
