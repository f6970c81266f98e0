"""What an answer must be, whatever was asked."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from yarl import URL

from tests.surface.guesses import Request

__all__ = ["INNER", "asked", "listening", "patiently", "seen"]

TRIES = 4
"""What is always answered with a 503 is a fault; what is once is a busy database."""

INNER = re.compile(
    r"Traceback|File \\?\"|\bsvc\.|\.py\b|site-packages|NoneType|<class|object at 0x|\w+(?:Error|Exception)\b"
    r"|asyncio|pymysql|SELECT |INSERT "
)
"""What only those need to know who wrote it."""


@contextmanager
def listening() -> Iterator[list[logging.LogRecord]]:
    """Gather what is logged as an error."""
    heard: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    ear = Ear(logging.ERROR)
    logging.getLogger().addHandler(ear)
    try:
        yield heard
    finally:
        logging.getLogger().removeHandler(ear)


async def asked(
    http: aiohttp.ClientSession, url: str, request: Request, token: str = ""
) -> tuple[int, bytes, aiohttp.typedefs.LooseHeaders]:
    """Send a request as it is; return status, body and headers."""
    headers = {"Content-Type": request.content_type} if request.content_type else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    where = URL(f"{url}?{request.query}" if request.query else url, encoded=True)
    skipped = () if request.content_type else ("Content-Type",)
    async with http.request(
        request.verb,
        where,
        data=request.body or None,
        headers=headers,
        skip_auto_headers=skipped,
        allow_redirects=False,
    ) as answer:
        return answer.status, await answer.read(), answer.headers


async def patiently(http: aiohttp.ClientSession, url: str, request: Request, token: str = "") -> tuple[int, bytes]:
    """Ask, and ask again while the answer is that nothing was done because the machine is busy."""
    for _ in range(TRIES):
        status, body, _ = await asked(http, url, request, token)
        if status != 503:
            break
        await asyncio.sleep(0.5)
    return status, body


def seen(status: int, body: bytes, request: Request) -> dict[str, Any]:
    """Return a method's answer, once it is one that clients may be given."""
    assert status in (200, 429), (status, body[:500], request)
    answer: dict[str, Any] = json.loads(body)
    assert isinstance(answer["ok"], bool), (answer, request)
    if not answer["ok"]:
        assert isinstance(answer["error"], str), (answer, request)
        assert answer["error"], (answer, request)
        assert not INNER.search(body.decode()), (body[:2_000], request)
    return answer
