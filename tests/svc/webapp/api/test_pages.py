"""Cursors say where a page ended, and nothing that they did not say before is believed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.api.pages import cursor_of, key_of, metadata
from svc.webapp.domain.refusal import Refused


@given(st.from_regex(r"[UCDG][0-9A-Z]{10}", fullmatch=True))
def test_a_cursor_gives_its_key_back(key: str) -> None:
    """Also when a careless client lost the padding."""
    cursor = cursor_of("user", key)
    assert key_of("user", cursor) == key_of("user", cursor.rstrip("=")) == key


def test_the_last_page_has_an_empty_cursor() -> None:
    """Clients stop at "", and need the object to be there."""
    assert metadata("user", "") == {"next_cursor": ""}
    assert key_of("user", "") == ""


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!",
        "dXNlcjo=",
        "é",
        "A" * 1000,
        base64.b64encode(b"channel:C1").decode(),
        base64.b64encode(b"\xff:").decode(),
    ],
)
def test_a_cursor_of_another_list_or_of_nothing_is_refused(cursor: str) -> None:
    """The code is Slack's."""
    with pytest.raises(Refused) as caught:
        key_of("user", cursor)
    assert caught.value.code == "invalid_cursor"
