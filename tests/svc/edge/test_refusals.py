"""Workspaces that cannot be loaded: remembered, tried again later and later, and forgotten when they can be."""

from __future__ import annotations

import pytest

from svc.edge.refusals import HELD_MAX, RETRY_MAX_S, RETRY_MIN_S, Refusals
from svc.kit.errors import FailedPreconditionError, InternalError, ParleyError, UnavailableError
from tests.svc.edge.edges import acme, edge_of, eventually
from tests.svc.edge.twins import ALICE, TEAM

LARGE = FailedPreconditionError("too large")


def refuses(refusals: Refusals, now: float) -> bool:
    """Tell whether a load has to wait."""
    try:
        refusals.check(TEAM, now)
    except FailedPreconditionError:
        return True
    return False


def test_the_pauses_between_loads_in_vain_double_up_to_a_minute() -> None:
    """And the error is said to be new once, until there is another."""
    refusals, now, pauses = Refusals(), 100.0, []
    assert refusals.failed(TEAM, LARGE, now)
    for _ in range(8):
        until = now
        while refuses(refusals, until):
            until += 0.5
        pauses.append(until - now)
        now = until
        assert not refusals.failed(TEAM, LARGE, now)
    assert (pauses[:3], pauses[-1]) == ([RETRY_MIN_S, 2.0, 4.0], RETRY_MAX_S)
    assert refusals.failed(TEAM, InternalError("a defect"), now)
    refusals.loaded(TEAM)
    refusals.check(TEAM, now)
    assert refusals.failed(TEAM, LARGE, now)


def test_an_error_that_is_raised_again_and_again_does_not_grow() -> None:
    """An exception keeps the traceback of each time that it was raised, unless that is taken off."""
    refusals = Refusals()
    error = FailedPreconditionError("too large")
    refusals.failed(TEAM, error, 0.0)
    for _ in range(100):
        with pytest.raises(FailedPreconditionError):
            refusals.check(TEAM, 0.5)
    depth, trace = 0, error.__traceback__
    while trace is not None:
        depth, trace = depth + 1, trace.tb_next
    assert depth < 5


def test_what_is_remembered_is_bounded() -> None:
    """The one that failed longest ago goes first."""
    refusals = Refusals()
    for number in range(HELD_MAX + 5):
        refusals.failed(f"T{number}", LARGE, 0.0)
    assert len(refusals) == HELD_MAX
    refusals.check("T4", 0.0)
    with pytest.raises(FailedPreconditionError):
        refusals.check("T5", 0.0)


@pytest.mark.parametrize("error", [LARGE, InternalError("a defect")])
async def test_a_workspace_that_cannot_be_loaded_is_not_tried_by_everybody(
    error: ParleyError, caplog: pytest.LogCaptureFixture
) -> None:
    """One load and one line in the log for any number of callers."""
    async with edge_of(acme()) as edge:
        edge.source.failures = [error] * 10
        for _ in range(50):
            with pytest.raises(type(error)):
                await edge.workspaces.model(TEAM)
        assert (edge.source.loads, edge.workspaces.refused_count) == ([TEAM], 1)
    assert caplog.text.count("could not be loaded") == 1


async def test_what_may_work_at_the_next_try_is_tried_at_once() -> None:
    """A webapp that was away is no reason to refuse anything."""
    async with edge_of(acme()) as edge:
        edge.source.failures = [UnavailableError("down")]
        assert await edge.titles() == {ALICE: "first"}
        assert edge.workspaces.refused_count == 0


async def test_a_workspace_that_has_grown_too_large_is_let_go_at_once() -> None:
    """A repair that cannot succeed is not tried for a minute."""
    async with edge_of(acme()) as edge:
        await edge.workspaces.model(TEAM)
        edge.source.failures = [LARGE] * 100
        edge.workspaces.lost(TEAM, 3)
        await eventually(lambda: edge.workspaces.peek(TEAM) is None)
        with pytest.raises(FailedPreconditionError):
            await edge.workspaces.model(TEAM)
        assert edge.source.loads == [TEAM, TEAM]
