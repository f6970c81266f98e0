"""search.*: messages and files by their words, for people. See docs/search.md for what may be typed."""

from __future__ import annotations

import re
from dataclasses import replace

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CURSOR, Answer, Call, Method, Tier
from svc.webapp.commit.log import Json
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.search.searching import OFFSET_MAX, FoundFiles, FoundMessages, Page
from svc.webapp.store.rows import TokenKind

COUNT_DEFAULT = 20
COUNT_MAX = 100
PAGE_MAX = 100
"""Slack's limits."""
CURSOR_KIND = "search"
FIRST = "*"
"""The cursor of who wants cursors."""
_PLACE = re.compile(r"(\d{1,5})\.(\d{1,17})", re.ASCII)


async def messages(call: Call) -> Answer:
    """Search for messages: the best first, or the newest (`sort=timestamp`); by page number, or by cursor.

    A cursor goes on in the list as it was when it began (`cursor=*`): what is said meanwhile moves nothing.
    """
    args = call.args
    query, cursor = args.text("query"), args.text("cursor")
    if not cursor:
        return {"query": query, "messages": await _messages(call)}
    skipped, until_us = _place(cursor)
    until_us = until_us or call.services.clock.wall_us()
    page = replace(_page(call), number=1, skipped=skipped, until_us=until_us)
    found = await call.services.searching.messages(call.caller, query, page, call.origin.base_url)
    behind = skipped + page.count
    is_last = behind >= min(found.total, OFFSET_MAX)
    metadata = pages.metadata(CURSOR_KIND, "" if is_last else f"{behind}.{until_us}")
    return {"query": query, "messages": _shape(found, page) | metadata, "response_metadata": metadata}


async def files(call: Call) -> Answer:
    """Search for files by name and title."""
    return {"query": call.args.text("query"), "files": await _files(call)}


async def everything(call: Call) -> Answer:
    """Search for messages and files. There are no posts any more, and the answer has them."""
    posts = {"matches": [], "total": 0}
    query = call.args.text("query")
    return {"query": query, "messages": await _messages(call), "files": await _files(call), "posts": posts}


async def _messages(call: Call) -> Json:
    page = _page(call)
    query = call.args.text("query")
    found = await call.services.searching.messages(call.caller, query, page, call.origin.base_url)
    return _shape(found, page)


async def _files(call: Call) -> Json:
    page = _page(call)
    query = call.args.text("query")
    found = await call.services.searching.files(call.caller, query, page, call.origin.base_url)
    return _shape(found, page)


def _place(cursor: str) -> tuple[int, int]:
    """Return how many hits a cursor is behind, and until when they were said (0: now). Refused `invalid_cursor`."""
    if cursor.strip() == FIRST:
        return 0, 0
    found = _PLACE.fullmatch(pages.key_of(CURSOR_KIND, cursor))
    if found is None or int(found[1]) > OFFSET_MAX:
        raise Refused("invalid_cursor")
    return int(found[1]), int(found[2])


def _page(call: Call) -> Page:
    args = call.args
    return Page(
        args.number("count"),
        args.number("page"),
        is_best=args.text("sort") != "timestamp",
        is_ascending=args.text("sort_dir") == "asc",
        is_highlighted=args.flag("highlight"),
    )


def _shape(found: FoundMessages | FoundFiles, page: Page) -> Json:
    """Return a page of hits, with its place told in both of Slack's ways."""
    pages = -(-found.total // page.count)
    first = page.offset + 1 if found.matches else 0
    return {
        "total": found.total,
        "pagination": {
            "total_count": found.total,
            "page": page.number,
            "per_page": page.count,
            "page_count": pages,
            "first": first,
            "last": first + len(found.matches) - 1 if found.matches else 0,
        },
        "paging": {"count": page.count, "total": found.total, "page": page.number, "pages": pages},
        "matches": list(found.matches),
    }


ARGS = (
    Arg("query", required=True, missing="no_query"),
    Arg("sort"),
    Arg("sort_dir"),
    Arg("highlight", Kind.FLAG),
    Arg("count", Kind.NUMBER, default=COUNT_DEFAULT, minimum=1, maximum=COUNT_MAX, clamp=True),
    Arg("page", Kind.NUMBER, default=1, minimum=1, maximum=PAGE_MAX, clamp=True),
)
PEOPLE = frozenset({TokenKind.USER})
SCOPES = ("search:read",)
NEWEST_FILES = "files are looked for among the newest thousand that the caller sees, by name and title"

METHODS = (
    Method(
        "search.messages",
        messages,
        (*ARGS, CURSOR),
        scopes=SCOPES,
        tier=Tier.T2,
        tokens=PEOPLE,
    ),
    Method("search.files", files, ARGS, scopes=SCOPES, tier=Tier.T2, tokens=PEOPLE, partly=NEWEST_FILES),
    Method("search.all", everything, ARGS, scopes=SCOPES, tier=Tier.T2, tokens=PEOPLE, partly=NEWEST_FILES),
)
