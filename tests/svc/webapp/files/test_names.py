"""Names that are safe wherever they come."""

from __future__ import annotations

import unicodedata

import pytest

from svc.webapp.files.names import clean_name, clean_title, content_disposition, url_name

CLEANED = [
    ("report.pdf", "report.pdf"),
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("/", "untitled"),
    ("", "untitled"),
    ("..", "untitled"),
    (".bashrc", "bashrc"),
    ("a/b/", "b"),
    ("nul\0byte\n.txt", "nulbyte.txt"),
    ("photo\u202egnp.exe", "photognp.exe"),
    ('a<b>:"c"|d?*.txt', "a_b___c__d__.txt"),
    ("e\u0301t\u00e9.txt", "\u00e9t\u00e9.txt"),
    ("  spaced  .txt. ", "spaced  .txt"),
    ("日本語.txt", "日本語.txt"),
]


@pytest.mark.parametrize(("wanted", "name"), CLEANED)
def test_a_name_is_cleaned(wanted: str, name: str) -> None:
    """Of paths, of what is invisible, of what means something to some file system."""
    assert clean_name(wanted) == name


def test_a_long_name_keeps_its_ending() -> None:
    """It says what the file is."""
    assert clean_name("x" * 400 + ".tar.gz") == "x" * 252 + ".gz"
    assert len(clean_name("y" * 400)) == 255
    assert len(clean_name("z." + "e" * 400)) == 255


def test_any_character_is_safe_in_all_places() -> None:
    """Headers are ASCII, without line breaks; a URL's last part has no separator."""
    for code in [*range(0x3000), 0xFE0F, 0xFFFE, 0x1F600, 0xE0001]:
        name = clean_name(f"a{chr(code)}b.txt")
        assert name
        assert not any(unicodedata.category(letter)[0] == "C" for letter in name)
        header = content_disposition(name, is_inline=False)
        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2
        assert not set(url_name(name)) & set("/\\?#% ")


def test_a_header_names_the_file_in_both_ways() -> None:
    """RFC 6266: a fallback in ASCII, and the name itself."""
    assert (
        content_disposition('na"ïve €.txt', is_inline=True)
        == "inline; filename=\"na__ve _.txt\"; filename*=UTF-8''na%22%C3%AFve%20%E2%82%AC.txt"
    )
    assert content_disposition("a.txt", is_inline=False).startswith("attachment; ")


def test_a_title_is_the_name_where_there_is_none() -> None:
    """It is only shown, so it may have any visible character."""
    assert clean_title(" \n", "a.txt") == "a.txt"
    assert clean_title("Q3: a/b <c>", "a.txt") == "Q3: a/b <c>"
