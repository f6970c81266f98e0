"""Bodies: the half-right ones are read, the broken ones are named."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.api.arguments import ArgumentError
from svc.webapp.api.bodies import read_body

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=X"
PART = b'--X\r\nContent-Disposition: form-data; name="channel"\r\n\r\nC1\r\n'


@pytest.mark.parametrize("content_type", ["", "application/json", FORM, MULTIPART, "text/plain", "nonsense"])
@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_body_is_never_a_mistake(content_type: str, body: bytes) -> None:
    """slack_sdk sends application/json with nothing, slackclient no type at all."""
    assert read_body(content_type, body) == {}


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b'{"a": NaN}', "invalid_json"),
        ("application/json", b'{"a": "\xff"}', "invalid_json"),
        ("application/json", b"[" * 100_000, "invalid_json"),
        ("application/json", b'["a"]', "json_not_object"),
        ("application/json", b"null", "json_not_object"),
        (FORM, b"a=%ff", "invalid_form_data"),
        (FORM, b"a=\xff", "invalid_form_data"),
        (FORM, b"&".join([b"a=1"] * 2000), "invalid_form_data"),
        (FORM + "; charset=utf-16", b"a=1", "invalid_form_data"),
        ("multipart/form-data", PART + b"--X--", "invalid_form_data"),
        (MULTIPART, PART, "invalid_form_data"),
        (MULTIPART, PART[:30], "invalid_form_data"),
        ("multipart/form-data; boundary=Y", PART + b"--X--", "invalid_form_data"),
        ("text/xml", b"<a/>", "invalid_post_type"),
        ("application/octet-stream", b"\x00\x01", "invalid_post_type"),
        ("", b"hello", "missing_post_type"),
    ],
)
def test_what_cannot_be_read_is_named(content_type: str, body: bytes, code: str) -> None:
    """Each kind of broken body has Slack's code for it, and a message."""
    with pytest.raises(ArgumentError) as caught:
        read_body(content_type, body)
    assert caught.value.code == code
    assert caught.value.messages[0].startswith("[ERROR] ")


@pytest.mark.parametrize(
    ("body", "shape"),
    [(b"[]", "an array"), (b'"x"', "a string"), (b"true", "a boolean"), (b"1", "a number"), (b"1.5", "a number")],
)
def test_what_is_no_object_is_called_what_it_is_in_json(body: bytes, shape: str) -> None:
    """In the words of who sent it, not in ours."""
    with pytest.raises(ArgumentError, match=f"not {shape}"):
        read_body("application/json", body)
    with pytest.raises(ArgumentError, match="not null"):
        read_body("application/json", b"null")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"channel=C1"),
        ("", b'{"channel":"C1"}'),
        ("application/json;charset=utf-8", b'\xef\xbb\xbf{"channel":"C1"}'),
        ("APPLICATION/JSON", b'{"channel":"C1"}'),
        (FORM + "; charset=UTF-8", b"channel=C1&"),
        (FORM, b"channel=&channel=C1"),
        (MULTIPART, PART + b"--X--\r\n"),
        ('multipart/form-data; boundary="X"', PART + b"--X--"),
    ],
)
def test_sloppy_but_clear_bodies_are_read(content_type: str, body: bytes) -> None:
    """Old clients leave out the type, add a BOM, or repeat a field."""
    assert read_body(content_type, body) == {"channel": "C1"}


def test_latin_1_is_read_when_it_is_announced() -> None:
    """The other character set that Slack takes."""
    assert read_body(FORM + "; charset=iso-8859-1", b"text=%e9") == {"text": "é"}


def test_files_in_a_form_are_left_aside() -> None:
    """No method takes one; their neighbours are read."""
    file = b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n'
    assert read_body(MULTIPART, file + PART + b"--X--\r\n") == {"channel": "C1"}


@given(st.sampled_from(["", "application/json", FORM, MULTIPART]), st.binary(max_size=200))
def test_no_bytes_break_the_reader(content_type: str, body: bytes) -> None:
    """Any bytes give arguments, or ArgumentError."""
    with suppress(ArgumentError):
        assert isinstance(read_body(content_type, body), dict)
