"""The Web API over HTTP: one call, tried again for as long as that is safe and its deadline allows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from time import monotonic
from typing import Any

import aiohttp

from parley_client.errors import Refused, Unreachable
from parley_client.retrying import Backoff, Judged, Verdict, judge, spread

ATTEMPT_S = 5.0
"""Longest that one try may take: a server that hangs leaves time for another."""

BASE_S, CAP_S = 0.1, 3.0
"""Waits between tries."""


class WebApi:
    """The methods of one server, called with one token."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, token: str, rng: Random) -> None:
        """`base_url` ends with `/api/`."""
        self._http = http
        self._base_url = base_url if base_url.endswith("/") else f"{base_url}/"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._rng = rng

    async def once(self, method: str, arguments: Mapping[str, Any], timeout_s: float = ATTEMPT_S) -> dict[str, Any]:
        """Call a method once. Raises Refused, or Unreachable for every other failure."""
        try:
            judged, body = await self._try(method, arguments, timeout_s)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unreachable(f"{method}: {error or 'no answer in time'}") from error
        if judged.verdict is Verdict.DONE:
            return body
        if judged.verdict is Verdict.REFUSED:
            raise Refused(method, judged.code, body)
        raise Unreachable(f"{method}: {judged.code}", spread(judged.retry_after_s, self._rng))

    async def call(
        self, method: str, arguments: Mapping[str, Any], *, deadline_s: float, is_repeatable: bool
    ) -> dict[str, Any]:
        """Call a method until it is done or refused.

        What was certainly not done is tried again; what perhaps was, only if `is_repeatable`. Raises Refused, or
        Unreachable when `deadline_s` seconds are over or a try failed that may not be repeated.
        """
        deadline = monotonic() + deadline_s
        backoff = Backoff(BASE_S, CAP_S, self._rng)
        while True:
            left = deadline - monotonic()
            wait_s = backoff.next_s()
            try:
                judged, body = await self._try(method, arguments, min(ATTEMPT_S, left))
            except aiohttp.ClientConnectorError as error:
                cause: str = str(error)  # nothing was sent
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                cause = str(error) or "no answer in time"
                if not is_repeatable:
                    raise Unreachable(f"{method}: {cause}") from error
            else:
                if judged.verdict is Verdict.DONE:
                    return body
                if judged.verdict is Verdict.REFUSED or (judged.verdict is Verdict.UNKNOWN and not is_repeatable):
                    raise Refused(method, judged.code, body)
                cause = judged.code
                wait_s = max(wait_s, spread(judged.retry_after_s, self._rng))
            if monotonic() + wait_s >= deadline:
                raise Unreachable(f"{method}: {cause}, for {deadline_s:g} s")
            await asyncio.sleep(wait_s)

    async def _try(self, method: str, arguments: Mapping[str, Any], timeout_s: float) -> tuple[Judged, dict[str, Any]]:
        timeout = aiohttp.ClientTimeout(total=max(0.05, timeout_s))
        url = self._base_url + method
        async with self._http.post(url, json=dict(arguments), headers=self._headers, timeout=timeout) as answer:
            try:
                body = await answer.json(content_type=None)
            except ValueError:
                body = None  # a proxy's page; the status says enough
            return judge(answer.status, body, answer.headers), body if isinstance(body, dict) else {}
