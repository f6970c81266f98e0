"""When a client tries again: told as tables, without waiting."""

from random import Random
from typing import Any

import pytest

from parley_client.retrying import RETRY_AFTER_MAX_S, Backoff, Verdict, judge, retry_after_s, spread


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"ok": True}, Verdict.DONE),
        (200, {"ok": False, "error": "not_in_channel"}, Verdict.REFUSED),
        (200, {"ok": False, "error": "fatal_error"}, Verdict.UNKNOWN),
        (200, {"ok": False, "error": "internal_error"}, Verdict.UNKNOWN),
        (200, None, Verdict.UNKNOWN),
        (429, {"ok": False, "error": "ratelimited"}, Verdict.LIMITED),
        (503, {"ok": False, "error": "service_unavailable"}, Verdict.UNKNOWN),
        (502, None, Verdict.UNKNOWN),
        (404, {"ok": False, "error": "unknown_method"}, Verdict.REFUSED),
    ],
)
def test_an_answer_is_judged_by_status_and_code(status: int, body: Any, verdict: Verdict) -> None:
    """Whether it was done decides whether it may be repeated."""
    assert judge(status, body, {}).verdict is verdict


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("99999", RETRY_AFTER_MAX_S)]
)
def test_a_retry_after_is_obeyed_within_reason(header: str, seconds: float) -> None:
    """Never sooner, and spread, since all who were refused got the same whole seconds."""
    assert retry_after_s({"Retry-After": header}) == seconds
    waits = {spread(seconds, Random(seed)) for seed in range(50)}
    if seconds:
        assert min(waits) >= seconds
        assert len(waits) == 50
    else:
        assert waits == {0.0}


def test_waits_grow_to_their_cap_with_full_jitter_and_begin_anew_after_success() -> None:
    """Uniform up to the ceiling, never zero."""
    backoff = Backoff(0.1, 5.0, Random(1))
    waits = [backoff.next_s() for _ in range(200)]
    assert all(0.01 <= wait <= min(5.0, 0.1 * 2**number) for number, wait in enumerate(waits))
    assert max(waits) > 4.5
    assert min(waits[10:]) < 1.0
    backoff.reset()
    assert backoff.next_s() <= 0.1
