"""Reading where this machine takes its Debian packages from, so that an older suite comes from the same place.

Pure: text in, values out. Both forms are read: deb822 (`*.sources`) and one line an entry (`*.list`).
Source: sources.list(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>.*)$")


@dataclass(frozen=True, slots=True)
class Source:
    """One place to take binary packages from; `signed_by` is the field as it stands, several lines included."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    def with_suite(self, suite: str) -> str:
        """Return a deb822 stanza for another suite of the same place, checked against the same keys."""
        lines = ["Types: deb", f"URIs: {self.uri}", f"Suites: {suite}", "Components: main"]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def parse_deb822(text: str) -> list[Source]:
    """Return the enabled binary sources of a `.sources` file."""
    sources = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        suites, components = fields.get("suites", "").split(), fields.get("components", "").split()
        for uri in fields.get("uris", "").split():
            sources.append(Source(uri, tuple(suites), tuple(components), fields.get("signed-by", "")))
    return sources


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t") and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def parse_one_line(text: str) -> list[Source]:
    """Return the binary sources of a `.list` file; commented ones are switched off and do not count."""
    sources = []
    for line in text.splitlines():
        found = ONE_LINE.match(line.split("#", 1)[0].strip())
        if found is None:
            continue
        options = dict(option.split("=", 1) for option in (found["options"] or "").split() if "=" in option)
        components = tuple(found["components"].split())
        sources.append(Source(found["uri"], (found["suite"],), components, options.get("signed-by", "")))
    return sources


def read_all(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Return every source configured on this machine. Unreadable files are skipped: apt skips them as well."""
    return list(_read(etc))


def _read(etc: Path) -> Iterator[Source]:
    parts = etc / "sources.list.d"
    files = [etc / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield from parse_deb822(text) if file.suffix == ".sources" else parse_one_line(text)


def mirrors(sources: list[Source], codename: str) -> list[Source]:
    """Return the sources that carry whole releases (not security, updates or vendors), the running one's first.

    `codename` is the release of this machine ("bookworm"); a mirror that has it is the likeliest to have older ones.
    """
    whole = [s for s in sources if "main" in s.components and any(re.fullmatch(r"[a-z]+", n) for n in s.suites)]
    unique = {(s.uri, s.signed_by): s for s in reversed(whole)}
    return sorted(unique.values(), key=lambda s: codename not in s.suites)
