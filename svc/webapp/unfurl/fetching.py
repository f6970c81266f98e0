"""Fetching what a link leads to, from where the rules allow it, and no more of it than they do."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from svc.webapp.files.pictures import HEAD_BYTES, dimensions
from svc.webapp.unfurl.addresses import ForbiddenError, Reach
from svc.webapp.unfurl.bodies import CODINGS, Body, BodyError
from svc.webapp.unfurl.charsets import decoded
from svc.webapp.unfurl.lookups import Lookup, Lookups
from svc.webapp.unfurl.pages import Page, read_page
from svc.webapp.unfurl.previews import Picture

__all__ = ["BODY_BYTES_MAX", "FETCH_S", "REDIRECTS_MAX", "FetchError", "Fetcher", "run_fetcher"]

FETCH_S = 5.0
"""For everything: names, connections, redirects, the body. Whoever posted looks at the message for about as long."""
REDIRECTS_MAX = 3
"""Shorteners take one or two, and a site one from http to https."""
BODY_BYTES_MAX = 512 * 1024
"""Of a page, as it comes and as it is unpacked; large sites have some 300 KiB before what is looked for."""

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; Parley/1.0; link preview)",
    "Accept": "text/html,application/xhtml+xml,image/*;q=0.8",
    "Accept-Encoding": CODINGS,
    "Accept-Language": "en,*;q=0.5",
}


class FetchError(Exception):
    """Nothing was fetched. `is_forbidden`: by our own rules."""

    def __init__(self, reason: str, *, is_forbidden: bool = False) -> None:
        super().__init__(reason)
        self.is_forbidden = is_forbidden


class _ForbiddenAddressError(OSError):
    """A name that leads nowhere that may be connected to."""


class _Checked(AbstractResolver):
    """Resolves names to such of their addresses as may be connected to."""

    def __init__(self, reach: Reach, lookup: Lookup) -> None:
        self._reach = reach
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See AbstractResolver. Raises OSError."""
        found = self._reach.allowed(await self._lookup(host, port))
        if not found:
            raise _ForbiddenAddressError(f"{host} has no address that may be connected to")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """See AbstractResolver."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches one address at a time; its caller bounds how many."""

    http: aiohttp.ClientSession
    reach: Reach
    fetch_s: float = FETCH_S
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Pages are read one after the other, beside the loop: one that is made to take long takes 0.2 s of a processor."""

    async def fetch(self, url: str) -> Page | Picture:
        """Return what is there. Raises FetchError for anything that goes wrong, within `fetch_s`."""
        try:
            async with asyncio.timeout(self.fetch_s):
                return await self._follow(url)
        except TimeoutError:
            raise FetchError("takes too long") from None
        except ForbiddenError as error:
            raise FetchError(str(error), is_forbidden=True) from None
        except aiohttp.ClientConnectorError as error:
            is_forbidden = isinstance(error.os_error, _ForbiddenAddressError)
            raise FetchError(f"{type(error).__name__}: {error}", is_forbidden=is_forbidden) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, BodyError, ValueError) as error:
            raise FetchError(f"{type(error).__name__}: {error}") from None

    async def _follow(self, url: str) -> Page | Picture:
        for _ in range(1 + REDIRECTS_MAX):
            self.reach.check(url)
            async with self.http.get(URL(url), allow_redirects=False, headers=_HEADERS) as answer:
                if answer.status not in _REDIRECTS:
                    return await self._read(url, answer)
                url = urljoin(url, answer.headers.get("Location", ""))
        raise FetchError(f"more than {REDIRECTS_MAX} redirects")

    async def _read(self, url: str, answer: aiohttp.ClientResponse) -> Page | Picture:
        if answer.status != 200:
            raise FetchError(f"status {answer.status}")
        kind = answer.content_type.lower()
        if kind in _HTML:
            body = await _taken(answer, BODY_BYTES_MAX)
            async with self._reading:
                return await asyncio.to_thread(_page, body, answer.charset or "", url)
        # SVG is a page in disguise: nobody is to be shown one of a stranger's.
        if kind.startswith("image/") and kind != "image/svg+xml":
            size = dimensions(await _taken(answer, HEAD_BYTES)) or (0, 0)
            return Picture(answer.content_length or 0, *size)
        raise FetchError(f"neither a page nor a picture: {kind[:60]}")


def _page(body: bytes, charset: str, url: str) -> Page:
    return read_page(decoded(body, charset), url)


async def _taken(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    body = Body(answer.headers.get("Content-Encoding", ""), bytes_max)
    async for part in answer.content.iter_any():
        body.take(part)
        if body.is_full:
            break
    return bytes(body.content)


@asynccontextmanager
async def run_fetcher(reach: Reach, lookup: Lookup | None = None, fetch_s: float = FETCH_S) -> AsyncIterator[Fetcher]:
    """Have what fetches need for the length of a block: nothing is kept from one to the next."""

    def checked_socket(info: tuple[Any, ...]) -> socket.socket:
        # The last place before a connection: an address that came here by whatever way is checked once more.
        family, kind, proto, _, address = info
        if not reach.allows(str(address[0])):
            raise _ForbiddenAddressError("an address that may not be connected to")
        return socket.socket(family, kind, proto)

    connector = aiohttp.TCPConnector(
        resolver=_Checked(reach, lookup or Lookups().addresses),
        use_dns_cache=False,
        force_close=True,
        socket_factory=checked_socket,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
        requote_redirect_url=False,
    ) as http:
        yield Fetcher(http, reach, fetch_s)
