"""The figures of a run: for programs as JSON, for the documentation as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.chaos.faults import Action, Struck
from ops.chaos.index import Index
from ops.chaos.judge import Verdict, Wrong, judge
from ops.chaos.record import Kind, Outcome, Record
from ops.chaos.recovery import Timings, percentile

DETAILS_MAX = 50
"""Violations that are told one by one: the first few say what went wrong, the count says how badly."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one run showed."""

    scenario: str
    seed: int
    record: Record
    struck: tuple[Struck, ...]
    verdict: Verdict
    figures: Mapping[str, Any]

    @property
    def is_clean(self) -> bool:
        """Whether the promise was kept; around failovers that includes no error outside of them, and their length."""
        has_failovers = any(each.fault.action in (Action.FAIL_OVER, Action.SWITCH) for each in self.struck)
        if has_failovers and self.figures["tries_failed_outside"]:
            return False
        return self.verdict.is_clean and self.figures["failover_ms_max"] <= FAILOVER_S_MAX * 1000

    def as_json(self) -> dict[str, Any]:
        """Return the figures, with the first violations."""
        details = [
            {"wrong": v.wrong.value, "where": v.where, "channel": v.channel_id, "offset": v.offset, "detail": v.detail}
            for v in self.verdict.violations[:DETAILS_MAX]
        ]
        return {"scenario": self.scenario, "seed": self.seed, **self.figures, "violations": details}


def report(
    scenario: str,
    seed: int,
    record: Record,
    struck: Sequence[Struck],
    holes_healed: int = 0,
    failures: Sequence[tuple[float, float]] = (),
) -> Report:
    """Judge a run and work out its figures.

    `holes_healed` counts what our library saw missing, and fetched; `failures` are tries that were not acknowledged.
    """
    verdict = judge(record)
    figures = {**_figures(record, struck, verdict), "holes_healed": holes_healed, **_outages(struck, failures)}
    return Report(scenario, seed, record, tuple(struck), verdict, figures)


def _figures(record: Record, struck: Sequence[Struck], verdict: Verdict) -> dict[str, Any]:
    timings = Timings(Index(record))
    told = [(each.fault, timings.recovery_s(each.since)) for each in struck]
    recoveries = sorted(seconds for _, seconds in told)
    acked = sum(post.outcome is Outcome.ACKED for post in record.posts)
    return {
        "posts_acked": acked,
        "posts_failed": len(record.posts) - acked,
        "changes_acked": sum(change.outcome is Outcome.ACKED for change in record.changes),
        "scheduled_acked": sum(each.outcome is Outcome.ACKED for each in record.scheduled),
        "app_heard": sum(len({(h.channel_id, h.subject) for h in app.heard}) for app in record.apps),
        "app_repeated": sum(len(app.heard) - len({h.event_id for h in app.heard}) for app in record.apps),
        "expected": verdict.expected,
        "delivered": verdict.delivered,
        **{wrong.value: verdict.count(wrong) for wrong in Wrong},
        "recovery_ms_p50": _ms(percentile(recoveries, 0.5)),
        "recovery_ms_max": _ms(percentile(recoveries, 1.0)),
        "delivery_ms_p50": _ms(percentile(timings.delays_s, 0.5)),
        "delivery_ms_p99": _ms(percentile(timings.delays_s, 0.99)),
        "delivery_ms_max": _ms(percentile(timings.delays_s, 1.0)),
        "faults": len(struck),
        "streams": {kind.value: sum(stream.kind is kind for stream in record.streams) for kind in Kind},
        "connections": sum(len(stream.sessions) for stream in record.streams),
        "resume_failed": sum(len(stream.resets) for stream in record.streams),
        "recoveries": [{"fault": fault.describe(), "recovery_ms": _ms(seconds)} for fault, seconds in told],
    }


def _outages(struck: Sequence[Struck], failures: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Count failed tries, those that no fault explains, and how long each failover took: from the kill on."""

    def is_explained(began: float, ended: float) -> bool:
        return any(began <= each.back + FOLLOW_S and ended >= each.began for each in struck)

    failovers = [each for each in struck if each.fault.action in (Action.FAIL_OVER, Action.SWITCH)]
    return {
        "tries_failed": len(failures),
        "tries_failed_outside": sum(not is_explained(*failure) for failure in failures),
        "failover_ms_max": _ms(max((each.back - each.began for each in failovers), default=0.0)),
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


FOLLOW_S = 1.0
"""How long after a fault tries may still fail: until everybody has heard of the new primary, or has connected again."""

FAILOVER_S_MAX = 10.0
"""The design's promise for a failover."""

COLUMNS = (
    ("scenario", "scenario"),
    ("faults", "faults"),
    ("posts_acked", "posts acked"),
    ("posts_failed", "failed"),
    ("expected", "deliveries owed"),
    ("lost", "lost"),
    ("duplicated", "duplicated"),
    ("reordered", "reordered"),
    ("unexplained_gaps", "unexplained gaps"),
    ("recovery_ms_p50", "recovery p50, ms"),
    ("recovery_ms_max", "max"),
    ("delivery_ms_p50", "delivery p50, ms"),
    ("delivery_ms_max", "max"),
)


def markdown(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return runs (as `as_json` gives them) as the documentation's table."""
    head = "| " + " | ".join(title for _, title in COLUMNS) + " |"
    rule = "| " + " | ".join("---" if key == "scenario" else "--:" for key, _ in COLUMNS) + " |"
    rows = ["| " + " | ".join(_cell(run[key]) for key, _ in COLUMNS) + " |" for run in runs]
    return "\n".join((head, rule, *rows))


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"`{value}`"
