"""Which addresses a message points to, and which of them are shown a preview of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from urllib.parse import urlsplit

from svc.webapp.unfurl.addresses import URL_CHARS_MAX

__all__ = ["LINKS_MAX", "Link", "links_in", "may_link", "previewed_links"]

LINKS_MAX = 5
"""Links of one message that get a preview: beyond it a preview takes more room than what was said."""
NODES_MAX = 5_000
"""Of a message's blocks: fifty blocks have a few hundred."""

_LINK = re.compile(
    r"(?s:```.*?```)|`[^`\n]*`"
    r"|<(?P<url>https?://[^|<>\s]+)(?:\|(?P<label>[^<>]*))?>|<[^<>]*>"
    r"|(?<![^\W_])(?P<bare>https?://[^\s<>|]*[^\s<>|.,;:!?)\]}'\"*_~])",
    re.IGNORECASE,
)
"""Code, where nothing is a link, and what is marked as something else; links as clients write them, and bare ones."""


@dataclass(frozen=True, slots=True)
class Link:
    """An address in a message."""

    url: str
    """As one would open it: without entities."""
    label: str = ""
    """What is shown instead; "": the address itself."""

    @property
    def domain(self) -> str:
        """Its host in lower case; "" when it has none."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""  # <http://[> is text, not an address

    @property
    def is_mere_mention(self) -> bool:
        """Whether the label is a part of the address without its scheme, as in `<https://example.com|example.com>`.

        Slack shows no preview of such: somebody names a site.
        """
        return bool(self.label) and self.label in self.url.partition("://")[2]


def may_link(text: str) -> bool:
    """Tell cheaply whether there may be a link in a text, or in what is encoded as one."""
    return "://" in text


def links_in(text: str) -> Iterator[Link]:
    """Yield the links of a text in order, in code none."""
    for found in _LINK.finditer(text):
        url = found["url"] or found["bare"]
        if url:
            link = Link(url.replace("&amp;", "&"), (found["label"] or "").replace("&amp;", "&"))
            if link.domain:
                yield link


def previewed_links(text: str, blocks: object = ()) -> tuple[str, ...]:
    """Return the addresses of a message that get a preview: the first LINKS_MAX, each once."""
    found = chain(links_in(text) if may_link(text) else (), _in_blocks(blocks))
    wanted = (link.url for link in found if not link.is_mere_mention and len(link.url) <= URL_CHARS_MAX)
    return tuple(islice(dict.fromkeys(islice(wanted, 20 * LINKS_MAX)), LINKS_MAX))


def _in_blocks(blocks: object) -> Iterator[Link]:
    """Yield from blocks and all that is in them, in order. Without recursion: they may be nested deeply."""
    waiting = [blocks]
    for _ in range(NODES_MAX):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            yield from _of(node)
            waiting.extend(reversed(list(node.values())))
        elif isinstance(node, list | tuple):
            waiting.extend(reversed(node))


def _of(node: dict[str, object]) -> Iterator[Link]:
    url, text = node.get("url"), node.get("text")
    shown = text if isinstance(text, str) else ""
    match node.get("type"):
        case "link" if isinstance(url, str):
            link = Link(url, shown)
            if _is_web(link):
                yield link
        case "mrkdwn" | "markdown":
            yield from links_in(shown)


def _is_web(link: Link) -> bool:
    """Tell whether a link is one of http or https, with a host."""
    return link.url.lower().startswith(("http://", "https://")) and bool(link.domain)
