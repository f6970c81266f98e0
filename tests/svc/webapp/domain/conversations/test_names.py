"""Names of conversations, and the ids that direct messages get from their people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.kit.ids import is_id
from svc.webapp.domain.conversations.names import NAME_CHARS_MAX, conversation_name, direct_id, mpim_name
from svc.webapp.domain.refusal import Refused


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("general", "general"),
        ("#random", "random"),
        ("a-b_c9", "a-b_c9"),
        ("größe", "größe"),
        ("日本語", "日本語"),
        (" x ", "x"),
    ],
)
def test_letters_of_any_script_digits_and_two_signs_make_a_name(wanted: str, name: str) -> None:
    """A leading # is how people write names, and no part of one."""
    assert conversation_name(wanted) == name


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("", "invalid_name_required"),
        ("  ", "invalid_name_required"),
        ("#", "invalid_name_required"),
        ("General", "invalid_name_specials"),
        ("two words", "invalid_name_specials"),
        ("v1.2", "invalid_name_specials"),
        ("a/b", "invalid_name_specials"),
        ("😀", "invalid_name_specials"),
        ("a\x00b", "invalid_name_specials"),
        ("---", "invalid_name_punctuation"),
        ("_", "invalid_name_punctuation"),
        ("x" * 81, "invalid_name_maxlength"),
    ],
)
def test_what_is_no_name_says_why(wanted: str, code: str) -> None:
    """Each reason has Slack's own code."""
    with pytest.raises(Refused) as caught:
        conversation_name(wanted)
    assert caught.value.code == code


@given(st.text(max_size=100))
def test_a_name_stays_the_same_name(wanted: str) -> None:
    """What was accepted once is accepted again, unchanged."""
    try:
        name = conversation_name(wanted)
    except Refused:
        return
    assert conversation_name(name) == name
    assert len(name) <= NAME_CHARS_MAX


@given(st.lists(st.from_regex(r"U[0-9A-Z]{10}", fullmatch=True), min_size=1, max_size=9))
def test_the_same_people_get_the_same_conversation(people: list[str]) -> None:
    """In any order, however often each is named; D for two, G for more."""
    found = direct_id("T0000000001", people)
    assert found == direct_id("T0000000001", [*reversed(people), people[0]])
    assert found[0] == ("D" if len(set(people)) <= 2 else "G")
    assert is_id(found)
    assert found != direct_id("T0000000002", people)
    assert found != direct_id("T0000000001", people, attempt=1)


def test_a_group_message_is_named_after_its_people_within_the_limit() -> None:
    """Nine people with long handles would not fit the column."""
    assert mpim_name(["linus", "ada", "grace"]) == "mpdm-ada--grace--linus-1"
    long = mpim_name("x" * 80 for _ in range(9))
    assert len(long) == NAME_CHARS_MAX
    assert long.endswith("-1")
