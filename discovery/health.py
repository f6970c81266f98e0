"""Health queries: who of a service passes, and waiting until that changes (Consul's blocking queries).

Made with aiohttp, because py-consul's health queries ignore `stale` and its timeouts collide with long blocking ones.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import quote

import aiohttp

from discovery.view import Instance, parse_instances
from svc.kit.errors import DeadlineError, PermissionDeniedError, ResourceExhaustedError, UnavailableError

WAIT_SLACK_S = 3.0
"""What a blocking query may take beyond its wait: Consul adds up to a sixteenth of it, then there is the network."""

ANSWER_BYTES_MAX = 16 * 1024 * 1024
"""Largest answer read: 10,000 instances of 1.2 KB each, and some."""


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """One good answer of a health query."""

    index: int
    """X-Consul-Index as answered: may be lower than the one asked with, or 0. See `view.next_index`."""
    instances: tuple[Instance, ...]
    """The passing instances, ordered by id."""


class HealthQueries:
    """Health queries to the agent at `base_url`; an async context manager that holds one connection pool."""

    def __init__(self, base_url: str, token: str, timeout_s: float) -> None:
        """Take the agent's URL, the ACL token (empty: none), and the deadline in seconds of a query that blocks not."""
        self._base_url = base_url
        self._headers = {"X-Consul-Token": token} if token else {}
        self._timeout_s = timeout_s
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "HealthQueries":
        """Open the pool; connects to nothing yet."""
        # One connection a watched service is held for as long as its query blocks: the pool must not be the limit.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; a query under way fails with UnavailableError."""
        if self._http is not None:
            await self._http.close()

    async def passing(
        self, service: str, *, index: int = 0, wait_s: float = 0.0, consistent: bool = False
    ) -> HealthAnswer:
        """Return the passing instances of a service.

        With `index` > 0 the call blocks until something changed after it, `wait_s` at most. Reads are stale ones, which
        any server answers even without a leader; a `consistent` one is confirmed by the leader or fails.
        Raises UnavailableError, DeadlineError, PermissionDeniedError, ResourceExhaustedError (answer too large).
        """
        params = {"passing": "1", "consistent" if consistent else "stale": "1"}
        timeout_s = self._timeout_s
        if index > 0:
            params |= {"index": str(index), "wait": f"{max(1, round(wait_s * 1000))}ms"}
            timeout_s += wait_s * 17 / 16 + WAIT_SLACK_S
        answered, body = await self._get(f"/v1/health/service/{quote(service, safe='')}", params, timeout_s)
        try:
            return HealthAnswer(answered, parse_instances(_entries(body)))
        except (ValueError, TypeError, AttributeError) as error:
            raise UnavailableError(f"Consul's answer about {service} makes no sense: {error}") from error

    async def _get(self, path: str, params: Mapping[str, str], timeout_s: float) -> tuple[int, bytes]:
        """Return X-Consul-Index and the body of a 200. The index of any other answer is nobody's business."""
        assert self._http is not None, "use `async with`"
        url, patience = self._base_url + path, aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._http.get(url, params=params, timeout=patience, allow_redirects=False) as answer:
                body = await _read(answer.content)
        except TimeoutError as error:
            raise DeadlineError(f"Consul at {self._base_url} did not answer in {timeout_s:.1f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"Consul at {self._base_url}: {error or type(error).__name__}") from error
        if answer.status == 403:
            raise PermissionDeniedError(f"Consul refused: {body[:200]!r}")
        if answer.status != 200:
            raise UnavailableError(f"Consul answered {answer.status}: {body[:200]!r}")
        return _parse_index(answer.headers.get("X-Consul-Index", "")), body


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(65_536):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise ResourceExhaustedError(
                "Consul's answer is too large", subject="bytes", limit=ANSWER_BYTES_MAX, actual=len(body)
            )
    return bytes(body)


def _entries(body: bytes) -> list[Mapping[str, object]]:
    entries = json.loads(body)
    if not isinstance(entries, list):
        raise TypeError(f"a list is expected, not {type(entries).__name__}")
    return entries


def _parse_index(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0  # a proxy stripped the header: `view.next_index` makes the next query start over
