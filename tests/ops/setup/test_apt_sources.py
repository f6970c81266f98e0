"""Where Debian packages come from, read from both forms of apt's sources."""

from __future__ import annotations

from pathlib import Path

from ops.setup.apt_sources import Source, mirrors, parse_deb822, parse_one_line, read_all

DEB822 = """\
Types: deb
# http://old.example.org/debian
URIs: http://one.example.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://one.example.org/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example.org/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example.org/debian
Suites: bookworm
Components: main
"""

ONE_LINE = """\
# deb http://off.example.org/debian bookworm main
deb [arch=amd64 signed-by=/etc/keys/k.gpg] http://two.example.org/debian bookworm main contrib  # ours
deb-src http://two.example.org/debian bookworm main
deb http://vendor.example.org/apt tool-bookworm main
deb http://flat.example.org/ ./
"""


def test_deb822_stanzas_give_binary_sources_that_are_enabled() -> None:
    """Comments, source packages and disabled stanzas are no places to take a package from."""
    sources = parse_deb822(DEB822)
    assert [source.uri for source in sources] == [
        "http://one.example.org/debian",
        "http://one.example.org/debian-security",
    ]
    assert sources[0].suites == ("bookworm", "bookworm-updates")
    assert sources[0].signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"


def test_one_line_entries_keep_their_key_option() -> None:
    """A mirror's key must check another suite of the same mirror."""
    found = parse_one_line(ONE_LINE)
    assert found[0] == Source("http://two.example.org/debian", ("bookworm",), ("main", "contrib"), "/etc/keys/k.gpg")
    assert [source.uri for source in found[1:]] == ["http://vendor.example.org/apt", "http://flat.example.org/"]


def test_only_whole_releases_count_as_mirrors() -> None:
    """Security, vendors and flat repositories have no older release; the running release's mirror comes first."""
    other = Source("http://three.example.org/debian", ("sid",), ("main",))
    sources = [other, *parse_one_line(ONE_LINE), *parse_deb822(DEB822)]
    assert [source.uri for source in mirrors(sources, "bookworm")][:2] == [
        "http://one.example.org/debian",
        "http://two.example.org/debian",
    ]
    assert mirrors(sources, "bookworm")[-1] == other
    assert len(mirrors(sources, "bookworm")) == 3


def test_a_key_that_is_written_out_in_the_source_survives() -> None:
    """deb822 allows the key itself, over several lines; it is handed on as it stands."""
    text = (
        "Types: deb\nURIs: http://a.example.org/debian\nSuites: bookworm\nComponents: main\n"
        "Signed-By:\n -----BEGIN PGP-----\n .\n abc\n -----END PGP-----\n"
    )
    (source,) = parse_deb822(text)
    (again,) = parse_deb822(source.with_suite("bullseye"))
    assert again.signed_by == source.signed_by
    assert again.suites == ("bullseye",)
    assert "abc" in again.signed_by


def test_all_files_of_a_machine_are_read(tmp_path: Path) -> None:
    """sources.list, *.list and *.sources count; other files do not."""
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://a.example.org/debian bookworm main\n")
    (parts / "b.list").write_text("deb http://b.example.org/debian bookworm main\n")
    (parts / "c.sources").write_text(DEB822)
    (parts / "d.list.disabled").write_text("deb http://d.example.org/debian bookworm main\n")
    assert [source.uri[7:8] for source in read_all(tmp_path)] == ["a", "b", "o", "o"]


def test_a_machine_without_apt_has_no_sources(tmp_path: Path) -> None:
    """Nothing there is not an error: the caller says what to install by hand."""
    assert read_all(tmp_path / "nowhere") == []
