"""The signature of what apps are sent."""

from __future__ import annotations

import pytest
from slack_sdk.signature import Clock, SignatureVerifier

from svc.webapp.domain.apps.signing import AGE_MAX_S, SIGNATURE, TIMESTAMP, headers, is_signed, signature

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BODY = b"token=x&text=caf\xc3\xa9"
NOW = 1_700_000_000.9


class Then(Clock):
    """A clock that stands."""

    def now(self) -> float:
        return NOW


def test_slack_sdk_takes_it() -> None:
    """Unmodified: what bots verify with."""
    verifier = SignatureVerifier(SECRET, clock=Then())
    assert verifier.is_valid_request(BODY, headers(SECRET, NOW, BODY))
    assert not verifier.is_valid_request(BODY + b"x", headers(SECRET, NOW, BODY))
    assert not verifier.is_valid_request(BODY, headers("another", NOW, BODY))


def test_it_is_over_version_time_and_body() -> None:
    """In this order, with colons between them."""
    # Also by `printf v0:1:b | openssl dgst -sha256 -hmac s`.
    assert signature("s", "1", b"b") == "v0=57caa92ef37d5d6d44378c8b59d3cc76313419086d6cd0ff7ce2d60986c18b4b"
    assert len({signature("s", "1", b"b"), signature("s", "2", b"b"), signature("s", "1", b"c")}) == 3


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({SIGNATURE: "v0=00"}, False),
        ({SIGNATURE: ""}, False),
        ({TIMESTAMP: str(int(NOW) - 1)}, False),
        ({TIMESTAMP: "now"}, False),
        ({TIMESTAMP: ""}, False),
        ({TIMESTAMP: "9" * 40}, False),
    ],
)
def test_whoever_receives_one_checks_it(change: dict[str, str], is_good: bool) -> None:
    """By the raw body; a changed header is as bad as a changed body."""
    sent = headers(SECRET, NOW, BODY) | change
    assert is_signed(SECRET, sent, BODY, NOW) is is_good
    assert not is_signed(SECRET, sent, BODY + b" ", NOW)


def test_what_is_old_is_refused() -> None:
    """Who has overheard a request cannot send it again later."""
    sent = headers(SECRET, NOW, BODY)
    assert is_signed(SECRET, sent, BODY, int(NOW) + AGE_MAX_S)
    assert not is_signed(SECRET, sent, BODY, NOW + AGE_MAX_S + 1)
    assert not is_signed(SECRET, sent, BODY, NOW - AGE_MAX_S - 1)
