"""A browser as far as the server sees it: it keeps cookies, and says which page asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import Morsel
from typing import Any

import aiohttp
from yarl import URL

from tests.svc.webapp.api.office import Json, Office

COOKIE = "parley"


@dataclass(frozen=True, slots=True)
class Browser:
    """One person's."""

    base: URL
    http: aiohttp.ClientSession

    @property
    def own(self) -> dict[str, str]:
        """What it adds to a request of our own page."""
        return {"Origin": str(self.base.origin())}

    @property
    def cookie(self) -> Morsel[str] | None:
        """The cookie that it keeps."""
        found = [each for each in self.http.cookie_jar if each.key == COOKIE and each.value]
        return found[0] if found else None

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Json]:
        """Ask for JSON."""
        async with self.http.get(self.base.join(URL(path)), headers=headers) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> tuple[int, Json]:
        """Send JSON as our page does, or, with `headers`, as another."""
        told = self.own if headers is None else headers
        async with self.http.post(self.base.join(URL(path)), json=body, headers=told) as answer:
            return answer.status, await answer.json()

    async def ok(self, path: str, **body: Any) -> Json:
        """Send what must succeed."""
        status, answer = await self.post(path, **body)
        assert (status, answer["ok"]) == (200, True), (path, status, answer)
        return answer

    async def error(self, path: str, **body: Any) -> str:
        """Send what must fail by the rules; return the code."""
        status, answer = await self.post(path, **body)
        assert (status, answer["ok"]) == (200, False), (path, status, answer)
        return str(answer["error"])

    async def call(self, method: str, headers: Mapping[str, str] | None = None, **form: str) -> Json:
        """Call a method of the Web API with nothing but the cookie."""
        told = self.own if headers is None else headers
        async with self.http.post(self.base.join(URL(f"/api/{method}")), data=form, headers=told) as answer:
            body: Json = await answer.json()
            return body


@asynccontextmanager
async def opened(base: str) -> AsyncIterator[Browser]:
    """Open a browser at an address."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Browser(URL(base).origin(), http)


@asynccontextmanager
async def browser(acme: Office, name: str = "") -> AsyncIterator[Browser]:
    """Open a browser; with `name`, signed in by way of the demo."""
    async with opened(acme.base) as here:
        if name:
            await here.ok("/web/signin/demo", user=acme[name].id)
        yield here
