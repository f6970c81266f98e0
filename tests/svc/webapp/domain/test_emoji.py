"""What may be an emoji's name, and what its picture."""

from __future__ import annotations

import pytest

from svc.webapp.domain.emoji import emoji_name, picture
from svc.webapp.domain.refusal import Refused


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("party", "party"), (" :party_2: ", "party_2"), ("+1-o'clock", "+1-o'clock"), ("größe", "größe"), ("犬", "犬")],
)
def test_names_are_of_lower_case_letters_of_any_script(wanted: str, name: str) -> None:
    """Colons and blanks around one are no part of it."""
    assert emoji_name(wanted) == name


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("", "error_missing_name"),
        (" :: ", "error_missing_name"),
        ("Party", "error_lower_case_names_only"),
        ("GRÖSSE", "error_lower_case_names_only"),
        ("a b", "error_bad_name_i18n"),
        ("a:b", "error_bad_name_i18n"),
        ("🎉", "error_bad_name_i18n"),
        ("a\u200bb", "error_bad_name_i18n"),
        ("x" * 101, "error_bad_name_i18n"),
    ],
)
def test_other_names_are_refused(wanted: str, code: str) -> None:
    """With the code that says why."""
    with pytest.raises(Refused) as refused:
        emoji_name(wanted)
    assert refused.value.code == code


def test_a_picture_is_an_address_on_the_web() -> None:
    """Of at most 1,000 characters, and nothing that could end an attribute of a page."""
    assert picture(" https://example.org/a.png?x=1 ") == "https://example.org/a.png?x=1"
    longest = "http://example.org/" + "a" * 981
    assert picture(longest) == longest
    for url in (longest + "a", "javascript:alert(1)", "data:image/png;base64,AA==", "https:///a.png", "a.png"):
        with pytest.raises(Refused, match="error_bad_format"):
            picture(url)
    for url in ("https://example.org/a b", 'https://example.org/"', "https://example.org/\x00", "http://[::1/a"):
        with pytest.raises(Refused, match="error_bad_format"):
            picture(url)
    with pytest.raises(Refused, match="error_no_image"):
        picture(" ")
