"""Two thousand seeded disasters in virtual time: every promise holds in each, and what is worth breaking was broken."""

from __future__ import annotations

import pytest

from ops.sim.many import Order, Report, play

pytestmark = pytest.mark.timeout(1_200)  # 90 s on two free cores; a busy machine may take its time

SEEDS = 2_000
JOBS = 2

MUST_HAPPEN = (
    "admin: rerouted",
    "apps: heard again",
    "apps: lost with the log",
    "apps: saves refused",
    "apps: taken over",
    "changes acked",
    "changes: edit",
    "changes: react",
    "changes: refused by annotation",
    "changes: refused by item",
    "changes: refused by message",
    "changes: remove",
    "changes: repeated",
    "changes: reply",
    "channel: duplicates",
    "channel: holes given up",
    "channel: subscribers cut off",
    "client: duplicates",
    "client: resume_failed",
    "client: resumed",
    "commit: outcome unknown",
    "consul: an answer was doubted",
    "errands: begun again after a death",
    "errands: done by two at once",
    "errands: promised",
    "errands: taken back",
    "fault: avalanche",
    "fault: kill_after_commit",
    "fault: leave_behind",
    "fault: kill_at_errand",
    "fault: kill_owner",
    "fault: pause",
    "fault: trim",
    "feed: asked, moved",
    "feed: asked, refused",
    "feed: duplicates",
    "feed: events filled",
    "feed: holes",
    "feed: losses",
    "files: deleted",
    "files: promised",
    "gateway: returned",
    "gateway: slow consumers",
    "killed: admin",
    "killed: channel",
    "killed: gateway",
    "killed: webapp",
    "posts acked",
    "refused: ack_timeout",
    "refused: draining",
    "refused: fenced",
    "refused: not_owner",
    "refused: overloaded",
)


@pytest.fixture(scope="module")
def report() -> Report:
    """Play all seeds once."""
    return play(Order(1, SEEDS, jobs=JOBS))


def test_every_promise_holds_in_every_run(report: Report) -> None:
    """A failure names its seed: `parley sim --seed S --trace` plays it again."""
    assert not report.errors, report.errors[0]
    shown = [f"seed {each['seed']}: {each['invariant']}: {each['detail']}" for each in report.failures]
    assert not shown, "\n".join(shown)
    assert report.played == SEEDS


@pytest.mark.parametrize("what", MUST_HAPPEN)
def test_what_is_worth_testing_happened(report: Report, what: str) -> None:
    """A simulation in which it never does would prove nothing about it."""
    assert report.counts[what] > 0
