"""gzip for those who say that they take it."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from svc.webapp.api.asgi import write
from svc.webapp.api.dispatch import Reply
from svc.webapp.api.encoding import GZIP_BYTES_MIN, THREAD_BYTES_MIN, accepts_gzip, gzipped

SMALL: dict[str, Any] = {"ok": True}
LARGE: dict[str, Any] = {"ok": True, "words": ["payload"] * GZIP_BYTES_MIN}


@pytest.mark.parametrize(
    "header",
    ["gzip", "gzip, deflate", "gzip, compress, deflate, br", "deflate;q=0.5, GZIP;q=0.1", "x-gzip", "*", "br, *;q=0.1"],
)
def test_clients_that_take_gzip_are_understood(header: str) -> None:
    """As aiohttp, requests, axios, fetch and Go say it."""
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", ["", "identity", "deflate, br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *"])
def test_clients_that_do_not_are_left_alone(header: str) -> None:
    """urllib says identity, and many bots say nothing."""
    assert not accepts_gzip(header)


async def _written(reply: Reply, may_gzip: bool) -> tuple[dict[str, str], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await write(send, reply, may_gzip)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return headers, sent[1]["body"]


async def test_an_answer_says_how_it_is_written_and_how_long_it_is() -> None:
    """The length is that of what is sent."""
    headers, body = await _written(Reply(LARGE), True)
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "accept-encoding")
    assert headers["content-type"].startswith("application/json")
    assert int(headers["content-length"]) == len(body) < GZIP_BYTES_MIN
    assert json.loads(gzip.decompress(body)) == LARGE


@pytest.mark.parametrize(("answer", "may_gzip"), [(LARGE, False), (SMALL, True), (SMALL, False)])
async def test_small_answers_and_those_to_others_are_plain(answer: dict[str, Any], may_gzip: bool) -> None:
    """They say that it would depend, for proxies."""
    headers, body = await _written(Reply(answer), may_gzip)
    assert "content-encoding" not in headers
    assert headers["vary"] == "accept-encoding"
    assert int(headers["content-length"]) == len(body)
    assert json.loads(body) == answer


async def test_a_large_answer_does_not_hold_the_loop() -> None:
    """Others go on while it is made."""
    body = json.dumps([f"{number:x}" for number in range(400_000)]).encode()
    assert len(body) > 20 * THREAD_BYTES_MIN
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as group:
        task = group.create_task(others())
        packed = await gzipped(body)
        task.cancel()
    assert gzip.decompress(packed) == body
    assert turns > 10
