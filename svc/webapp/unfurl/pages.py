"""What a page says of itself: Open Graph, Twitter cards, or its title and description. Pure.

Pages are written by anybody, so reading one takes a bounded time whatever is in it. Scripts, styles and comments are
cut out before the parser sees them, and the parser (the standard library's, which goes over what it does not
understand yet again and again) is fed in small parts and stopped when it holds back more than a tag may have, or has
found more tags than a head has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

__all__ = ["Page", "read_page"]

PART_CHARS = 2_048
"""Fed at once: small beside PENDING_CHARS_MAX, so that little is gone over twice."""
PENDING_CHARS_MAX = 8_192
"""Longest tag that is read; beyond it reading ends."""
PIECES_MAX = 4_000
"""Tags and pieces of text that are looked at: the largest heads have some hundred."""
TITLE_CHARS_MAX = 300
TEXT_CHARS_MAX = 700
"""Longer descriptions are cut; Slack cuts about there."""
SITE_CHARS_MAX = 80
_VALUE_CHARS_MAX = 4_000

_CUT = re.compile(r"<(?:!--|(script|style|template|svg|noscript)\b)", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style", "template", "svg", "noscript")}
_BLANKS = re.compile(r"\s+")
_ICONS = ("icon", "shortcut icon", "apple-touch-icon")


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of a page; "" for what it does not say. Addresses are whole; whoever shows them checks them."""

    url: str
    """Where it was in the end, after redirects."""
    title: str = ""
    text: str = ""
    site: str = ""
    image: str = ""
    image_width: int = 0
    image_height: int = 0
    icon: str = ""
    is_large: bool = False
    """Whether it wants its picture shown large."""
    is_media: bool = False
    """Whether it is there for a film or a piece of music rather than for its words."""


def read_page(html: str, url: str) -> Page:
    """Return what a page at `url` says of itself."""
    reader = _Reader()
    for part in _without_code(html):
        for start in range(0, len(part), PART_CHARS):
            try:
                reader.feed(part[start : start + PART_CHARS])
            except AssertionError:
                # The parser's word for a declaration that it knows nothing of.
                return _page(reader, url)
            if reader.is_done or len(reader.rawdata) > PENDING_CHARS_MAX:
                return _page(reader, url)
    # What is unfinished stays so: to close the parser would have it go over the rest once for each tag in it.
    return _page(reader, url)


def _without_code(html: str) -> Iterator[str]:
    """Yield a page without what is run, drawn or remarked. An end that is missing ends the page."""
    at = 0
    while found := _CUT.search(html, at):
        yield html[at : found.start()]
        if found[1]:
            end = _ENDS[found[1].lower()].search(html, found.end())
            at = html.find(">", end.end()) if end else -1
        else:
            at = html.find("-->", found.end())
            at = at + 2 if at >= 0 else -1
        if at < 0:
            return
        at += 1
    yield html[at:]


@dataclass(slots=True)
class _Head:
    """Of what a head says, the first of each kind."""

    metas: dict[str, str] = field(default_factory=dict)
    icon: str = ""
    base: str = ""
    title: str = ""


class _Reader(HTMLParser):
    """Takes in a head."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.head = _Head()
        self.is_done = False
        self._is_in_title = False
        self._pieces = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        self._count()
        given = {name: (value or "").strip()[:_VALUE_CHARS_MAX] for name, value in reversed(attrs)}
        match tag:
            case "meta":
                name = (given.get("property") or given.get("name") or "").lower()
                if name and given.get("content") and len(self.head.metas) < 200:
                    self.head.metas.setdefault(name, given["content"])
            case "link" if not self.head.icon and given.get("rel", "").lower() in _ICONS:
                self.head.icon = given.get("href", "")
            case "base" if not self.head.base:
                self.head.base = given.get("href", "")
            case "title":
                self._is_in_title = not self.head.title
            case "body":
                # Some pages have their metas there, but none of those that mean to be shown.
                self.is_done = bool(self.head.metas or self.head.title)

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        self._count()
        self._is_in_title = self._is_in_title and tag != "title"
        self.is_done = self.is_done or tag == "head"

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        self._count()
        if self._is_in_title and len(self.head.title) < _VALUE_CHARS_MAX:
            self.head.title += data[:_VALUE_CHARS_MAX]

    def handle_decl(self, decl: str) -> None:
        """See HTMLParser."""
        self._count()

    def unknown_decl(self, data: str) -> None:
        """See HTMLParser."""
        self._count()

    def handle_pi(self, data: str) -> None:
        """See HTMLParser."""
        self._count()

    def _count(self) -> None:
        self._pieces += 1
        self.is_done = self.is_done or self._pieces > PIECES_MAX


def _page(reader: _Reader, url: str) -> Page:
    head, metas = reader.head, reader.head.metas
    base = _joined(url, head.base) or url
    card = metas.get("twitter:card", "").lower()
    kind = metas.get("og:type", "").lower()
    return Page(
        url=url,
        title=_said(metas, ("og:title", "twitter:title"), TITLE_CHARS_MAX) or _short(head.title, TITLE_CHARS_MAX),
        text=_said(metas, ("og:description", "twitter:description", "description"), TEXT_CHARS_MAX),
        site=_said(metas, ("og:site_name", "application-name"), SITE_CHARS_MAX),
        image=_joined(base, _first(metas, ("og:image:secure_url", "og:image", "og:image:url", "twitter:image"))),
        image_width=_pixels(metas.get("og:image:width", "")),
        image_height=_pixels(metas.get("og:image:height", "")),
        icon=_joined(base, head.icon),
        is_large=card in ("summary_large_image", "player"),
        is_media=card == "player" or kind.startswith(("video", "music")) or "og:video" in metas,
    )


def _first(metas: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((metas[name] for name in names if metas.get(name)), "")


def _said(metas: Mapping[str, str], names: tuple[str, ...], chars_max: int) -> str:
    return _short(_first(metas, names), chars_max)


def _short(text: str, chars_max: int) -> str:
    text = _BLANKS.sub(" ", "".join(each if each.isprintable() else " " for each in text)).strip()
    return text if len(text) <= chars_max else text[: chars_max - 1].rstrip() + "…"


def _pixels(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0


def _joined(base: str, address: str) -> str:
    if not address:
        return ""
    try:
        return urljoin(base, address)
    except ValueError:
        return ""
