"""Requests to apps' endpoints, against real ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from svc.kit.clock import SystemClock
from svc.webapp.apps.poster import PosterLimits, challenge_in, run_poster
from svc.webapp.domain.apps import signing
from tests.svc.webapp.websites import Handler, site

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve every path of a free port with `handler`; yields the address."""
    async with site(handler) as port:
        yield f"http://127.0.0.1:{port}"


async def test_a_request_is_signed_over_what_is_sent() -> None:
    """JSON and forms alike, with the time of sending."""
    seen: list[bool] = []

    async def take(request: web.Request) -> web.Response:
        sent = {name: request.headers[name] for name in (signing.TIMESTAMP, signing.SIGNATURE)}
        seen.append(signing.is_signed(SECRET, sent, await request.read(), SystemClock().wall_us() / 1_000_000))
        return web.json_response({"text": request.headers.get("X-More", "")})

    async with serving(take) as url, run_poster(SystemClock()) as poster:
        posted = await poster.post_json(url, SECRET, b'{"a":1}', {"X-More": "yes"})
        assert (posted.is_ok, posted.status, json.loads(posted.body)) == (True, 200, {"text": "yes"})
        assert (await poster.post_form(url, SECRET, {"text": "\u00fc &=", "command": "/x"})).is_ok
    assert seen == [True, True]


@pytest.mark.parametrize(
    ("status", "headers", "reason", "wants_no_retry"),
    [
        (204, {}, "", False),
        (301, {"Location": "/elsewhere"}, "too_many_redirects", False),
        (404, {}, "http_error", False),
        (500, {"X-Slack-No-Retry": "1"}, "http_error", True),
    ],
)
async def test_only_a_success_is_one(status: int, headers: dict[str, str], reason: str, wants_no_retry: bool) -> None:
    """Redirects are not followed: nobody but the operator chooses what is asked."""
    paths: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers=headers)

    async with serving(answer) as url, run_poster(SystemClock()) as poster:
        posted = await poster.post_json(f"{url}/events", SECRET, b"{}")
    assert (posted.status, posted.reason, posted.wants_no_retry) == (status, reason, wants_no_retry)
    assert paths == ["/events"]


async def test_what_cannot_be_reached_or_hangs_or_talks_nonsense_is_a_failure_with_a_word() -> None:
    """None of it raises."""

    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"this is no HTTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with serving(hang) as url, run_poster(SystemClock()) as poster:
        slow = await poster.post_form(url, SECRET, {}, timeout_s=0.2)
        assert slow.reason == "http_timeout"
        odd = await poster.post_json(f"http://127.0.0.1:{port}", SECRET, b"{}")
        assert odd.reason in ("unknown_error", "connection_failed")
        server.close()
        await server.wait_closed()
        assert (await poster.post_json(f"http://127.0.0.1:{port}", SECRET, b"{}")).reason == "connection_failed"
        assert (await poster.post_json("http://[broken", SECRET, b"{}")).reason == "unknown_error"
        tls = await poster.post_json(url.replace("http:", "https:"), SECRET, b"{}")
        assert tls.reason in ("ssl_error", "connection_failed")


async def test_little_of_an_endless_answer_is_read() -> None:
    """It has taken the event; what it says at such length is nobody's."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        except ConnectionError:
            return response

    limits = PosterLimits(answer_bytes_max=200_000)
    async with serving(endless) as url, run_poster(SystemClock(), limits) as poster:
        posted = await poster.post_json(url, SECRET, b"{}")
    assert (posted.is_ok, posted.body) == (True, b"")


async def test_a_url_is_an_apps_when_it_says_the_challenge_back() -> None:
    """In any of the forms that Slack takes."""

    async def echo(request: web.Request) -> web.Response:
        told = await request.json()
        assert told["type"] == "url_verification"
        return web.json_response({"challenge": told["challenge"] if request.path == "/right" else "other"})

    async with serving(echo) as url, run_poster(SystemClock()) as poster:
        assert await poster.challenge(f"{url}/right", SECRET, "vt", "abc")
        assert not await poster.challenge(f"{url}/wrong", SECRET, "vt", "abc")


@pytest.mark.parametrize("body", [b"abc", b"abc\n", b'{"challenge":"abc"}', b"challenge=abc", b'"abc"'])
def test_the_forms_of_an_answer_to_a_challenge(body: bytes) -> None:
    """Plain, JSON, form."""
    assert challenge_in(body) == "abc"
