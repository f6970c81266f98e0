"""Forms in pieces."""

from __future__ import annotations

import pytest

from svc.webapp.files.multipart import FormBroken, FormReader, boundary_of

B = b"xyz"


def part(headers: str, data: bytes) -> bytes:
    """Return a part of a form."""
    return b"--xyz\r\n" + headers.encode() + b"\r\n\r\n" + data + b"\r\n"


DATA = b"bytes \r\n--xy not the end \0\xff" * 50
FIELD = part('Content-Disposition: form-data; name="title"', b"a \xe2\x82\xac")
FILE = part('Content-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: x/y', DATA)
BARE = part('Content-Disposition: form-data; name="body"', DATA)
END = b"--xyz--\r\n"


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
def test_the_file_comes_out_as_it_went_in_whatever_the_pieces(size: int) -> None:
    """Fields before and after it are kept; a second file is none."""
    body = FIELD + FILE + part('Content-Disposition: form-data; name="after"', b"b") + END
    reader = FormReader(B, 1_000)
    out = b"".join(piece for start in range(0, len(body), size) for piece in reader.feed(body[start : start + size]))
    reader.finish()
    assert out == DATA
    assert reader.fields == {"title": "a €", "after": "b"}
    assert (reader.has_file, reader.filename) == (True, "a.bin")


def test_a_part_without_a_files_name_is_the_file_where_nothing_else_is_expected() -> None:
    """As Node's uploads have it; in the form of a call, `filename` is a field."""
    bare = FormReader(B, 1_000, is_bare=True)
    assert b"".join(bare.feed(BARE + END)) == DATA
    field = FormReader(B, 5_000)
    assert field.feed(part('Content-Disposition: form-data; name="filename"', b"a.txt") + END) == []
    assert field.fields == {"filename": "a.txt"}


@pytest.mark.parametrize(
    "body",
    [
        FILE,
        b"no form at all",
        b"--xyz\r\nbroken",
        FIELD * 101 + END,
        part('Content-Disposition: form-data; name="a"', b"x" * 2_000),
    ],
)
def test_a_broken_form_is_said_so(body: bytes) -> None:
    """Cut short, none, too many fields, too long ones."""
    with pytest.raises(FormBroken):  # noqa: PT012 - some are broken from the beginning, some at the end
        reader = FormReader(B, 1_000)
        reader.feed(body)
        reader.finish()


def test_only_multipart_has_a_boundary() -> None:
    """Everything else is bytes."""
    assert boundary_of('multipart/form-data; boundary="xyz"') == b"xyz"
    assert boundary_of("application/x-www-form-urlencoded") == b""
    assert boundary_of("") == b""
    with pytest.raises(FormBroken):
        FormReader(b"x" * 10_000, 5)
