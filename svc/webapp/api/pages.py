"""Cursors: where a page of a list ended, told to clients as a word that means nothing to them. Pure.

A cursor holds the last key that was given, not a count, so pages neither repeat nor skip when entries come and go.
"""

from __future__ import annotations

import base64
import binascii

from svc.webapp.domain.refusal import Refused

CURSOR_CHARS_MAX = 256


def cursor_of(kind: str, key: str) -> str:
    """Return the cursor that continues a list of `kind` after `key`; "" when `key` is ""."""
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode() if key else ""


def key_of(kind: str, cursor: str) -> str:
    """Return the key in a cursor of this kind of list, "" for no cursor. Raises Refused `invalid_cursor`."""
    if not cursor:
        return ""
    try:
        if len(cursor) > CURSOR_CHARS_MAX:
            raise ValueError("too long")
        # A query string turns "=" padding into nothing in careless clients; it carries no information.
        padded = cursor.rstrip("=") + "=" * (-len(cursor.rstrip("=")) % 4)
        found_kind, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Refused("invalid_cursor") from None
    if found_kind != kind or not key:
        raise Refused("invalid_cursor")
    return key


def metadata(kind: str, last_key: str) -> dict[str, object]:
    """Return `response_metadata`; `last_key` is that of the page's last entry, or "" when it is the last page."""
    return {"next_cursor": cursor_of(kind, last_key)}


def paging(count: int, total: int, page: int) -> dict[str, int]:
    """Return what lists say that are asked for by numbers: `count` a page, the first is page 1."""
    return {"count": count, "total": total, "page": page, "pages": max(1, -(-total // count))}
