"""What those who edit, react and remove believe about a change, whatever they are answered."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, cast

import pytest

from ops.chaos import changing as module
from ops.chaos.changing import Changing
from ops.chaos.record import Change, Outcome
from ops.chaos.stage import Api, Json, Person, Stage
from tests.ops.chaos.runs import post

ADA, BOB = Person("ada", "UADA", "xoxp-ada"), Person("bob", "UBOB", "xoxp-bob")
STAGE = Stage((ADA, BOB), ADA, {"C1": (ADA, BOB)})

OK: Json = {"ok": True}
BUSY: Json = {"ok": False, "error": "service_unavailable"}
THERE: Json = {"ok": False, "error": "already_reacted"}
REFUSED: Json = {"ok": False, "error": "is_archived"}
SILENCE = TimeoutError("no answer")


class Script:
    """A webapp that gives the answers it was told to, in order, the last one for ever."""

    def __init__(self, *answers: Json | Exception) -> None:
        self._answers = list(answers)
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.turns: list[int] = []

    def turn(self) -> int:
        """Begin at the first webapp."""
        return 0

    async def call(self, person: Person, method: str, _timeout_s: float, turn: int, **arguments: Any) -> Json:
        """Answer a call."""
        self.calls.append((person.name, method, arguments))
        self.turns.append(turn)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def changed(script: Script, verb: str, monkeypatch: pytest.MonkeyPatch) -> list[Change]:
    """Return what became of one change of the only message there is."""
    monkeypatch.setattr(module, "VERBS", (verb,))
    changing = Changing(cast("Api", script), STAGE, Random(1))
    changing.acked(ADA, post(1))
    left = iter(range(1))
    async with asyncio.timeout(20):
        await changing.run(1_000.0, lambda: next(left, None) is None)
    return changing.changes


@pytest.mark.parametrize(
    ("verb", "method", "claim"),
    [
        ("edit", "chat.update", "edit 1700000000.000001 chaos k1 edited 1"),
        ("react", "reactions.add", "added 1700000000.000001 "),
        ("unreact", "reactions.remove", "removed 1700000000.000001 "),
        ("remove", "chat.delete", "removed 1700000000.000001"),
    ],
)
async def test_a_change_claims_what_its_event_will_tell(
    verb: str, method: str, claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its author edits and removes; anybody reacts."""
    script = Script(OK)
    [made] = await changed(script, verb, monkeypatch)
    [(name, called, arguments)] = script.calls
    assert (called, arguments["channel"], made.outcome) == (method, "C1", Outcome.ACKED)
    assert made.claim.startswith(claim)
    assert name == "ada" or verb in ("react", "unreact")


@pytest.mark.parametrize(
    ("answers", "outcome", "tries"),
    [
        ((OK,), Outcome.ACKED, 1),
        ((BUSY, SILENCE, OK), Outcome.ACKED, 3),
        ((REFUSED,), Outcome.REFUSED, 1),
        ((THERE,), Outcome.REFUSED, 1),
        ((SILENCE, THERE), Outcome.UNKNOWN, 2),
    ],
    ids=["ok", "busy and silent first", "refused", "there before", "silent, then there"],
)
async def test_a_change_is_tried_until_an_answer_is_final(
    answers: tuple[Json | Exception, ...], outcome: Outcome, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try at the next webapp; one that finds itself done may have done it, or not."""
    script = Script(*answers)
    [made] = await changed(script, "react", monkeypatch)
    assert (made.outcome, script.turns) == (outcome, list(range(tries)))


async def test_nothing_is_changed_before_something_is_said() -> None:
    """And those who wait for it come to an end."""
    script = Script(OK)
    changing = Changing(cast("Api", script), STAGE, Random(1))
    left = iter(range(3))
    async with asyncio.timeout(20):
        await changing.run(1_000.0, lambda: next(left, None) is None)
    assert (changing.changes, script.calls) == ([], [])
