"""Permalinks: the address of a message in a browser, made and read back. Pure.

`https://HOST/archives/C…/p1700000000000100`, and for a reply `?thread_ts=…&cid=C…` behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from svc.kit.ids import is_id, ts_from_us, us_from_ts

__all__ = ["MessageLink", "parse_permalink", "permalink"]

_PATH = re.compile(r"/archives/([CDG][0-9A-Z]{8,10})/p(\d{7,17})/?", re.ASCII)
LINK_CHARS_MAX = 1_000
"""A longer one is not ours."""


@dataclass(frozen=True, slots=True)
class MessageLink:
    """What a permalink leads to."""

    channel_id: str
    ts_us: int
    thread_ts_us: int = 0
    """ts of the thread that the message is a reply in; 0 for one of its own."""


def permalink(base_url: str, link: MessageLink) -> str:
    """Return a message's address; `base_url` is the installation's, with a slash at the end."""
    seconds, micros = divmod(link.ts_us, 1_000_000)
    url = f"{base_url}archives/{link.channel_id}/p{seconds}{micros:06d}"
    if not link.thread_ts_us:
        return url
    return f"{url}?{urlencode({'thread_ts': ts_from_us(link.thread_ts_us), 'cid': link.channel_id})}"


def parse_permalink(url: str) -> MessageLink | None:
    """Return what `url` leads to, whatever its host; None when it is no permalink."""
    if len(url) > LINK_CHARS_MAX:
        return None
    try:
        parts = urlsplit(url.strip())
        found = _PATH.fullmatch(parts.path)
        if found is None or parts.scheme not in ("http", "https") or not is_id(found[1], "CDG"):
            return None
        thread = parse_qs(parts.query).get("thread_ts", [""])[0]
        return MessageLink(found[1], int(found[2]), us_from_ts(thread) if thread else 0)
    except ValueError:
        return None
