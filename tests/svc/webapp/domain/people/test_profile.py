"""What a profile may say, and how it changes."""

from __future__ import annotations

import json

import pytest

from svc.webapp.domain.people import profile
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import User

ADA = User("U0000000001", "T0000000001", "ada", real_name="Ada King Lovelace")


def test_either_form_of_a_name_sets_the_other() -> None:
    """The whole name is cut at its first word; given and family name are joined."""
    whole = profile.changed(ADA, {"real_name": " Augusta Ada "})
    assert (whole.real_name, whole.first_name, whole.last_name) == ("Augusta Ada", "", "")
    parts = profile.changed(ADA, {"first_name": "Ada King"})
    assert (parts.first_name, parts.last_name, parts.real_name) == (
        "Ada King",
        "King Lovelace",
        "Ada King King Lovelace",
    )
    parts = profile.changed(parts, {"last_name": "Lovelace"})
    assert (parts.first_name, parts.last_name, parts.real_name) == ("Ada King", "Lovelace", "Ada King Lovelace")
    both = profile.changed(ADA, {"real_name": "A B C", "first_name": "A B", "last_name": "C"})
    assert (both.real_name, both.first_name, both.last_name) == ("A B C", "A B", "C")


def test_a_status_has_an_emoji_and_ends_with_its_text() -> None:
    """As Slack does; one that is empty has no end."""
    out = profile.changed(ADA, {"status_text": "out", "status_expiration": "1700000000"})
    assert (out.status_emoji, out.status_expiration_s) == (":speech_balloon:", 1_700_000_000)
    gone = profile.changed(out, {"status_text": "", "status_emoji": ""})
    assert (gone.status_text, gone.status_emoji, gone.status_expiration_s) == ("", "", 0)
    assert profile.status_over(out) == ADA


def test_fields_are_set_one_by_one_and_go_when_they_are_empty() -> None:
    """By id; a plain text is a field's value."""
    user = profile.changed(ADA, {"fields": {"Xf1": {"value": "a", "alt": "b"}, "Xf2": "c"}})
    assert json.loads(user.fields) == {"Xf1": {"value": "a", "alt": "b"}, "Xf2": {"value": "c", "alt": ""}}
    user = profile.changed(user, {"fields": {"Xf1": {"value": ""}}})
    assert json.loads(user.fields) == {"Xf2": {"value": "c", "alt": ""}}
    assert profile.changed(user, {"fields": {"Xf2": None}}).fields == ""


def test_what_a_client_sends_back_as_it_got_it_is_passed_over() -> None:
    """Whole profiles come back with what nobody sets."""
    change = {"title": "Analyst", "image_24": "x", "avatar_hash": "y", "real_name_normalized": "z", "what": "ever"}
    assert profile.changed(ADA, change).title == "Analyst"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "invalid_profile"),
        ({"shoe_size": "44"}, "invalid_profile"),
        ({"title": 7}, "invalid_profile"),
        ({"title": "a\nb"}, "invalid_profile"),
        ({"real_name": " "}, "invalid_profile"),
        ({"first_name": "", "last_name": ""}, "invalid_profile"),
        ({"display_name": "x" * 81}, "too_long"),
        ({"status_text": "x" * 101}, "too_long"),
        ({"phone": "1" * 65}, "too_long"),
        ({"status_emoji": "smile"}, "profile_status_set_failed_not_emoji_syntax"),
        ({"status_emoji": ":a b:"}, "profile_status_set_failed_not_emoji_syntax"),
        ({"status_text": "x", "status_expiration": "soon"}, "invalid_profile"),
        ({"status_text": "x", "status_expiration": -1}, "invalid_profile"),
        ({"status_text": "x", "status_expiration": 1_700_000_000_000}, "invalid_profile"),
        ({"email": "nobody"}, "invalid_email"),
        ({"fields": [1]}, "invalid_profile"),
        ({"fields": {"a b": "x"}}, "invalid_profile"),
        ({"fields": {"Xf1": {"value": 7}}}, "invalid_profile"),
        ({"fields": {"Xf1": "x" * 501}}, "too_long"),
        ({"fields": {f"Xf{number}": "x" for number in range(51)}}, "too_many_fields"),
    ],
)
def test_what_a_profile_may_not_say(change: dict[str, object], code: str) -> None:
    """Each mistake has its code."""
    with pytest.raises(Refused) as refused:
        profile.changed(ADA, change)
    assert refused.value.code == code
