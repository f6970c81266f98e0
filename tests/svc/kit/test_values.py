"""Ids, timestamps, tokens, backoff and budgets: small values with firm rules."""

import base64
import re
from random import Random, SystemRandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.kit.backoff import Backoff, RetryBudget
from svc.kit.clock import ManualClock
from svc.kit.ids import IdMint, id_from_number, id_number, is_id, ts_from_us, us_from_ts
from svc.kit.tokens import Signer, TokenExpired, TokenInvalid, new_token, token_hash, token_ids

SECRET = "0123456789abcdef"


@given(st.integers(min_value=0, max_value=36**10 - 1))
def test_an_id_and_its_number_are_the_same_thing(number: int) -> None:
    """Tokens carry ids as digits; both directions agree."""
    identifier = id_from_number("U", number)
    assert re.fullmatch(r"U[0-9A-Z]{10}", identifier)
    assert id_number(identifier) == number
    assert is_id(identifier, "UW")
    assert not is_id(identifier, "C")


async def test_minted_ids_grow_and_never_repeat_even_when_the_clock_stands_or_goes_back() -> None:
    """Order of ids is order of making, within one mint."""
    clock = ManualClock()
    mint = IdMint(clock, Random(1))
    ids = [mint.mint("C") for _ in range(5000)]
    clock._wall_us -= 10_000_000
    ids += [mint.mint("C") for _ in range(10)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@given(st.integers(min_value=0, max_value=10**16))
def test_a_ts_keeps_every_microsecond(unix_us: int) -> None:
    """A ts is a message's id: nothing may be rounded."""
    assert us_from_ts(ts_from_us(unix_us)) == unix_us


@pytest.mark.parametrize("text", ["", "1", "1.1", "1.0000001", "-1.000000", "1e3.000000", "1.00000a", "٣.000000"])
def test_what_is_not_a_ts_is_refused(text: str) -> None:
    """Only the exact form counts, and only ASCII digits."""
    with pytest.raises(ValueError, match="timestamp"):
        us_from_ts(text)


def test_a_ticket_is_good_for_its_purpose_its_time_and_its_secret_only() -> None:
    """Everything else is refused."""
    signer = Signer(SECRET)
    ticket = signer.sign("ticket", {"user": "U1"}, ttl_s=30, now_unix_s=100)
    assert signer.verify("ticket", ticket, 129)["user"] == "U1"
    with pytest.raises(TokenExpired):
        signer.verify("ticket", ticket, 130)
    for kind, other, text in (("upload", signer, ticket), ("ticket", Signer(SECRET + "x"), ticket)):
        with pytest.raises(TokenInvalid):
            other.verify(kind, text, 100)
    payload, _, signature = ticket.partition(".")
    forged = base64.urlsafe_b64encode(b'{"user":"U2","exp":130}').decode()
    for text in (
        "",
        "x",
        ".",
        ticket[:-1],
        "A" + ticket[1:],
        f"{forged}.{signature}",
        f"{payload}.é\udc80",
        f"{ticket}=",
    ):
        with pytest.raises(TokenInvalid):
            signer.verify("ticket", text, 100)


def test_a_token_names_its_user_and_is_stored_as_a_hash() -> None:
    """The ids lead to the shard; the hash proves the token."""
    team, user = id_from_number("T", 12345), id_from_number("U", 67890)
    token = new_token("xoxb", team, user, SystemRandom())
    assert re.fullmatch(r"xoxb-\d+-\d+-[0-9a-f]{32}", token)
    assert token_ids(token) == (team, user)
    assert len(token_hash(token)) == 32
    for text in ("", "xoxb-1-2", "xoxz" + token[4:], token + "0", "xoxb-" + "9" * 17 + "-1-" + "0" * 32):
        assert token_ids(text) is None


def test_backoff_grows_to_its_cap_never_waits_zero_and_starts_again_after_a_success() -> None:
    """A loop that fails at once must not spin."""
    backoff = Backoff(base_s=0.1, cap_s=1.0, rng=Random(3))
    waits = [backoff.next_s() for _ in range(200)]
    assert max(waits) <= 1.0
    assert min(waits) >= 0.01
    assert sum(waits[100:]) / 100 > 0.4
    backoff.reset()
    assert backoff.next_s() <= 0.1


def test_a_retry_budget_gives_a_tenth_of_the_calls() -> None:
    """In an outage, load grows by the ratio and no more."""
    budget = RetryBudget(ratio=0.1, floor_per_s=0.0)
    while budget.may_retry(0.0):
        pass
    for _ in range(1000):
        budget.record_call(0.0)
    retries = 0
    while budget.may_retry(0.0):
        retries += 1
    assert 99 <= retries <= 100
