"""Resume tokens: compact, the same on both sides, and harmless whatever is in them."""

import base64
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_client import tokens
from svc.gateway import resume
from svc.kit.ids import id_from_number

POSITIONS = st.dictionaries(
    st.builds(id_from_number, st.sampled_from("CDGTU"), st.integers(0, 36**10 - 1)), st.integers(0, 2**62), max_size=50
)


@given(POSITIONS)
def test_client_and_gateway_read_what_either_writes(positions: dict[str, int]) -> None:
    """One contract, two readers."""
    assert resume.decode(tokens.encode(positions)) == positions
    assert tokens.decode(resume.encode(positions.items())) == positions


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(zlib.compress(raw)).decode())))
def test_whatever_else_is_malformed_and_never_worse(token: str) -> None:
    """Tokens come from outside."""
    for decode, malformed in ((resume.decode, resume.TokenMalformed), (tokens.decode, tokens.TokenMalformed)):
        with suppress(malformed):
            read = decode(token)
            assert decode(tokens.encode(read)) == read


@pytest.mark.parametrize(
    "token",
    [
        base64.urlsafe_b64encode(zlib.compress(bytes(64 * 1024 * 1024))).decode(),
        "A" * (resume.TOKEN_CHARS_MAX + 1),
        tokens.encode({"C0000000001": 1})[:-4],
        resume.encode([("C0000000001", 1), ("C0000000001", 2)]),
        resume.encode([("<script>", 1)]),
        resume.encode([("C0000000001", 2**63)]),
    ],
    ids=["a bomb", "a giant", "half of one", "a repeated channel", "no channel", "no offset"],
)
def test_the_gateway_bounds_what_it_unpacks(token: str) -> None:
    """A megabyte at the most, well formed."""
    with pytest.raises(resume.TokenMalformed):
        resume.decode(token)


def test_a_token_costs_a_few_bytes_a_channel() -> None:
    """A user of two hundred channels has one of a few kilobytes; one of too many keeps what is needed most."""
    channels = {id_from_number("C", 10**14 + number * 7919 * 1024): number for number in range(200)}
    assert len(tokens.encode(channels)) < 200 * 12
    many = {id_from_number("C", number): 1 for number in range(tokens.CHANNELS_MAX)} | {"U0000000001": 5}
    kept = resume.decode(tokens.encode(many))
    assert len(kept) == tokens.CHANNELS_MAX
    assert kept["U0000000001"] == 5
