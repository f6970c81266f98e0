"""HTTP requests to apps: signed, short, and bounded in everything.

Only URLs that operators gave to their apps are asked. That may be anything that this process can reach, the loopback
included, since bots often run beside the server; whoever may set an app's URL may make webapps send POSTs there. So
redirects are not followed, which would let the endpoint choose another target, and of answers little is read.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import orjson

from svc.kit.clock import Clock
from svc.kit.foreign_json import read_json
from svc.webapp.domain.apps import signing

__all__ = ["ANSWER_S", "Posted", "Poster", "PosterLimits", "run_poster"]

ANSWER_S = 3.0
"""How long an endpoint may take, connecting included; Slack's."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PosterLimits:
    """What requests may cost a process."""

    requests_max: int = 512
    """At a time, to all endpoints together; more wait for their turn. An app that hangs soon has one only."""
    requests_a_host_max: int = 32
    answer_bytes_max: int = 256 * 1024
    """Of an answer's body that is read; a longer one counts as a failure where it matters."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a request."""

    status: int
    """Of the answer; 0 without one."""
    reason: str = ""
    """Slack's word for what failed: http_timeout, connection_failed, ssl_error, http_error…; "" when nothing did."""
    body: bytes = b""
    content_type: str = ""
    wants_no_retry: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether the endpoint has taken it."""
        return not self.reason


class Poster:
    """Sends the requests of one process."""

    def __init__(self, http: aiohttp.ClientSession, clock: Clock, limits: PosterLimits) -> None:
        """`http`: whose connections and cookies are nobody else's."""
        self._http = http
        self._clock = clock
        self._limits = limits

    async def post_json(self, url: str, secret: str, body: bytes, more: Mapping[str, str] | None = None) -> Posted:
        """Post an encoded JSON object, signed with `secret`. Never raises for what the endpoint does."""
        return await self._post(url, secret, body, "application/json", more or {}, ANSWER_S)

    async def post_form(self, url: str, secret: str, fields: Mapping[str, str], timeout_s: float = ANSWER_S) -> Posted:
        """Post form fields, signed with `secret`."""
        body = urlencode(fields).encode()
        return await self._post(url, secret, body, "application/x-www-form-urlencoded", {}, timeout_s)

    async def challenge(self, url: str, secret: str, token: str, challenge: str) -> bool:
        """Ask an endpoint whether it is an app's (url_verification): it says `challenge` back, plain or in JSON."""
        asked = {"token": token, "challenge": challenge, "type": "url_verification"}
        posted = await self.post_json(url, secret, orjson.dumps(asked))
        if not posted.is_ok:
            return False
        return challenge_in(posted.body) == challenge

    async def _post(
        self, url: str, secret: str, body: bytes, content_type: str, more: Mapping[str, str], timeout_s: float
    ) -> Posted:
        headers = {"Content-Type": content_type, "User-Agent": "Parley (+Slackbot 1.0)", "Accept": "*/*", **more}
        try:
            # The signature's time is that of sending, whatever was waited for before.
            headers |= signing.headers(secret, self._clock.wall_us() / 1_000_000, body)
            async with self._http.post(
                url, data=body, headers=headers, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=timeout_s)
            ) as answer:
                return await self._read(answer)
        except TimeoutError:
            return Posted(0, "http_timeout")
        except (aiohttp.ClientSSLError, ssl.SSLError):
            return Posted(0, "ssl_error")
        except (aiohttp.ClientConnectorError, OSError):
            return Posted(0, "connection_failed")
        except (aiohttp.ClientError, ValueError) as error:
            log.info("a request to an app failed: %r", error)
            return Posted(0, "unknown_error")

    async def _read(self, answer: aiohttp.ClientResponse) -> Posted:
        wants_no_retry = answer.headers.get("X-Slack-No-Retry", "") == "1"
        kind = answer.content_type
        if not 200 <= answer.status < 300:
            reason = "too_many_redirects" if 300 <= answer.status < 400 else "http_error"
            return Posted(answer.status, reason, b"", kind, wants_no_retry)
        body = bytearray()
        async for part in answer.content.iter_chunked(16 * 1024):
            body += part
            if len(body) > self._limits.answer_bytes_max:
                # It has taken it: what it says about it at such length is not read on.
                return Posted(answer.status, "", b"", kind, wants_no_retry)
        return Posted(answer.status, "", bytes(body), kind, wants_no_retry)


def challenge_in(body: bytes) -> str:
    """Return the challenge that an endpoint said back: in JSON, as a form, or plain."""
    text = body.decode(errors="replace").strip()
    try:
        found = read_json(body)
    except orjson.JSONDecodeError:
        return text.removeprefix("challenge=")
    return str(found.get("challenge", "")) if isinstance(found, dict) else text.strip('"')


@asynccontextmanager
async def run_poster(clock: Clock, limits: PosterLimits | None = None) -> AsyncIterator[Poster]:
    """Hold connections to apps' endpoints for the length of a block."""
    held = limits or PosterLimits()
    connector = aiohttp.TCPConnector(
        limit=held.requests_max, limit_per_host=held.requests_a_host_max, keepalive_timeout=30.0
    )
    # No cookies, no proxies of the environment, no automatic unpacking of small bodies into large ones.
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
    ) as http:
        yield Poster(http, clock, held)
        # A request under way has its answer or its end within ANSWER_S; the caller has ended its tasks.
        await asyncio.sleep(0)
