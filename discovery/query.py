"""Blocking queries to a Consul agent: one GET that waits until something changed, with a deadline and the kit's errors.

Made with aiohttp, because py-consul's queries ignore `stale` and its timeouts collide with long blocking ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from svc.kit.errors import DeadlineError, PermissionDeniedError, ResourceExhaustedError, UnavailableError

WAIT_SLACK_S = 3.0
"""What a blocking query may take beyond its wait: Consul adds up to a sixteenth of it, then there is the network."""

ANSWER_BYTES_MAX = 16 * 1024 * 1024
"""Largest answer read: 10,000 instances of 1.2 KB each, and some."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One good answer."""

    index: int
    """X-Consul-Index as answered: may be lower than the one asked with, or 0. See `view.next_index`."""
    body: bytes | None
    """None: there is no such thing (404), where the caller allowed that."""


class AgentQueries:
    """Queries to the agent at `base_url`; an async context manager that holds one connection pool."""

    def __init__(self, base_url: str, token: str, timeout_s: float) -> None:
        """Take the agent's URL, the ACL token (empty: none), and the deadline in seconds of a query that blocks not."""
        self._base_url = base_url
        self._headers = {"X-Consul-Token": token} if token else {}
        self._timeout_s = timeout_s
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool; connects to nothing yet."""
        # One connection a watch is held for as long as its query blocks: the pool must not be the limit.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; a query under way fails with UnavailableError."""
        if self._http is not None:
            await self._http.close()

    async def ask(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        index: int,
        wait_s: float,
        consistent: bool,
        may_be_absent: bool = False,
    ) -> Answered:
        """Return the answer; with `index` > 0 block until something changed after it, `wait_s` at most.

        Reads are stale ones, which any server answers even without a leader; a `consistent` one is confirmed by the
        leader or fails. Raises UnavailableError, DeadlineError, PermissionDeniedError, ResourceExhaustedError (answer
        too large).
        """
        params = {**params, "consistent" if consistent else "stale": "1"}
        timeout_s = self._timeout_s
        if index > 0:
            params |= {"index": str(index), "wait": f"{max(1, round(wait_s * 1000))}ms"}
            timeout_s += wait_s * 17 / 16 + WAIT_SLACK_S
        status, answered, body = await self._get(path, params, timeout_s)
        # Only Consul's own 404 carries an index; that of something in between says nothing about the key.
        if status == 404 and may_be_absent and answered > 0:
            return Answered(answered, None)
        if status == 403:
            raise PermissionDeniedError(f"Consul refused: {body[:200]!r}")
        if status != 200:
            raise UnavailableError(f"Consul answered {status}: {body[:200]!r}")
        return Answered(answered, body)

    async def _get(self, path: str, params: Mapping[str, str], timeout_s: float) -> tuple[int, int, bytes]:
        """Return status, X-Consul-Index and the body."""
        assert self._http is not None, "use `async with`"
        url, patience = self._base_url + path, aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._http.get(url, params=params, timeout=patience, allow_redirects=False) as answer:
                body = await _read(answer.content)
        except TimeoutError as error:
            raise DeadlineError(f"Consul at {self._base_url} did not answer in {timeout_s:.1f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"Consul at {self._base_url}: {error or type(error).__name__}") from error
        return answer.status, _parse_index(answer.headers.get("X-Consul-Index", "")), body


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(65_536):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise ResourceExhaustedError(
                "Consul's answer is too large", subject="bytes", limit=ANSWER_BYTES_MAX, actual=len(body)
            )
    return bytes(body)


def _parse_index(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0  # a proxy stripped the header: `view.next_index` makes the next query start over
