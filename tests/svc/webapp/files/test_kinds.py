"""What a file is taken for, and how it is served: never as something that a browser runs."""

from __future__ import annotations

import struct

import pytest

from svc.webapp.files import kinds
from svc.webapp.files.kinds import FAMILIES, family_of, is_text, kind_of, kind_of_type, serving
from svc.webapp.files.pictures import dimensions
from svc.webapp.files.ranges import Part, etag_matches, part_of

ALL = [line.split(maxsplit=3) for line in kinds._TABLE.strip().splitlines() if len(line.split()) > 1]


def test_every_kind_is_found_by_its_endings_and_by_its_filetype() -> None:
    """The table has no two kinds of one name."""
    for endings, filetype, mimetype, pretty in ALL:
        for ending in endings.split(","):
            kind = kind_of(f"some.file.{ending.upper()}")
            assert (kind.filetype, kind.mimetype, kind.pretty) == (filetype, mimetype, pretty)
        assert family_of(filetype) in FAMILIES
    assert kind_of("Dockerfile").filetype == "dockerfile"
    assert kind_of("").filetype == kind_of("what.ever").filetype == kind_of_type("no such").filetype == "binary"


RUN_BY_BROWSERS = ("html", "svg", "xml", "css", "javascript", "ecmascript", "pdf+", "swf", "flash", "message")


def test_nothing_is_served_as_what_a_browser_runs() -> None:
    """Whatever its name: pictures, sound, video and plain text may be shown, all else is saved."""
    for filetype in {row[1] for row in ALL} | {"binary", "", "text/html"}:
        for is_download in (False, True):
            how = serving(filetype, is_download=is_download)
            assert not any(word in how.content_type for word in RUN_BY_BROWSERS), filetype
            main = how.content_type.split("/")[0]
            assert not how.is_inline or main in ("image", "audio", "video") or how.content_type.startswith("text/plain")
            assert not (is_download and how.is_inline)


@pytest.mark.parametrize(
    ("filetype", "content_type", "is_inline"),
    [
        ("png", "image/png", True),
        ("mp4", "video/mp4", True),
        ("pdf", "application/pdf", False),
        ("python", "text/plain; charset=utf-8", True),
        ("html", "application/octet-stream", False),
        ("svg", "application/octet-stream", False),
        ("xml", "application/octet-stream", False),
        ("javascript", "application/octet-stream", False),
        ("heic", "application/octet-stream", False),
        ("binary", "application/octet-stream", False),
    ],
)
def test_how_some_are_served(filetype: str, content_type: str, is_inline: bool) -> None:
    """One of each sort."""
    how = serving(filetype, is_download=False)
    assert (how.content_type, how.is_inline) == (content_type, is_inline)


def test_text_is_utf_8_without_zeros() -> None:
    """A character may be cut where the head ends, not in its middle."""
    euro = "€".encode()
    assert is_text(b"", is_whole=True)
    assert is_text(b"abc" + euro[:2], is_whole=False)
    assert not is_text(b"abc" + euro[:2], is_whole=True)
    assert not is_text(b"a\xffbcdefgh", is_whole=False)
    assert not is_text(b"a\0b", is_whole=True)


PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0) + bytes(20)
GIF = b"GIF89a" + struct.pack("<HH", 3, 4) + bytes(10)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\x00\x11\x08"
    + struct.pack(">HH", 100, 200)
    + b"\x03"
    + bytes(20)
)
WEBP = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\x62\0\0\x30\0\0"


def test_a_pictures_size_is_in_its_first_bytes() -> None:
    """Of the four that browsers show; of nothing else, and never an exception."""
    assert [dimensions(head) for head in (PNG, GIF, JPEG, WEBP)] == [(640, 480), (3, 4), (200, 100), (99, 49)]
    for head in (PNG, GIF, JPEG, WEBP):
        for cut in range(len(head)):
            dimensions(head[:cut])
    assert dimensions(b"<svg width='5' height='5'/>") is None
    assert dimensions(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 0, 1 << 31)) is None


@pytest.mark.parametrize(
    ("wanted", "if_range", "part"),
    [
        ("", "", Part(0, 10, 200)),
        ("bytes=0-3", "", Part(0, 4, 206)),
        ("bytes=4-", "", Part(4, 10, 206)),
        ("bytes=-3", "", Part(7, 10, 206)),
        ("bytes=-30", "", Part(0, 10, 206)),
        ("bytes=5-99", "", Part(5, 10, 206)),
        ("bytes=10-", "", Part(0, 0, 416)),
        ("bytes=-0", "", Part(0, 0, 416)),
        ("bytes=5-2", "", Part(0, 10, 200)),
        ("bytes=0-1,4-5", "", Part(0, 10, 200)),
        ("lines=0-1", "", Part(0, 10, 200)),
        ("bytes=-", "", Part(0, 10, 200)),
        ("bytes=0-3", '"e"', Part(0, 4, 206)),
        ("bytes=0-3", '"other"', Part(0, 10, 200)),
    ],
)
def test_which_part_is_wanted(wanted: str, if_range: str, part: Part) -> None:
    """As RFC 9110 says; several ranges are answered with everything."""
    assert part_of(10, wanted, if_range, '"e"') == part


def test_a_version_that_the_client_has() -> None:
    """One of a list, weak or not, or any."""
    assert etag_matches('"a", W/"e"', '"e"')
    assert etag_matches("*", '"e"')
    assert not etag_matches("", '"e"')
    assert not etag_matches('"a"', '"e"')
