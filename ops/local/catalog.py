"""What Consul says about the mesh: one answer a service, healthy or not."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp

from discovery.view import Instance, parse_instances, service_name

TIMEOUT = aiohttp.ClientTimeout(total=2.0)

# Everybody who waits for an instance asks; Consul is asked this often at most.
FRESH_S = 0.15

EPOCH = re.compile(r"-[0-9a-f]{6}$")

# Worst first, as Consul itself folds the checks of an instance.
SEVERITY = ("maintenance", "critical", "warning", "passing")


@dataclass(frozen=True, slots=True)
class Listed:
    """An instance and its health: passing, warning, critical or maintenance."""

    instance: Instance
    health: str

    @property
    def name(self) -> str:
        """The readable part of the id, the same for every start of an instance: `channel-az1-1`."""
        return EPOCH.sub("", self.instance.id)

    @property
    def started(self) -> float:
        """When the process started, in Unix seconds; 0 when it does not say."""
        try:
            return float(self.instance.meta.get("started", ""))
        except ValueError:
            return 0.0


class CatalogError(Exception):
    """Consul did not answer, or has no leader."""


class Catalog:
    """Reads services of the Consul at `address` (`host:port`); an async context manager."""

    def __init__(self, address: str) -> None:
        self._base = address if "//" in address else f"http://{address}"
        self._session: aiohttp.ClientSession | None = None
        self._read_at = 0.0
        self._cached: list[Listed] = []
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Catalog:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def read(self, tiers: Sequence[str]) -> list[Listed]:
        """Return every instance of `tiers`, in that order and by id within. Raises CatalogError."""
        answers = await asyncio.gather(*(self._get(f"/v1/health/service/{service_name(tier)}") for tier in tiers))
        return [listed for entries in answers for listed in _parse(entries)]

    async def read_soon(self, tiers: Sequence[str]) -> list[Listed]:
        """Return the same from at most 0.15 s ago; for those who poll. All callers must ask for the same tiers."""
        async with self._reading:
            if time.monotonic() - self._read_at > FRESH_S:
                self._cached = await self.read(tiers)
                self._read_at = time.monotonic()
            return self._cached

    async def _get(self, path: str) -> Any:
        assert self._session is not None, "used outside its block"
        try:
            async with self._session.get(self._base + path) as answer:
                if answer.status != 200:
                    raise CatalogError(f"Consul answered {answer.status}: {(await answer.text())[:200]}")
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CatalogError(f"Consul at {self._base} does not answer ({type(error).__name__}).") from error


def _parse(entries: Sequence[Mapping[str, Any]]) -> list[Listed]:
    health = {entry["Service"]["ID"]: _health(entry.get("Checks") or ()) for entry in entries}
    return [Listed(instance, health[instance.id]) for instance in parse_instances(entries)]


def _health(checks: Sequence[Mapping[str, Any]]) -> str:
    statuses = {str(check.get("Status")) for check in checks}
    return next((status for status in SEVERITY if status in statuses), "passing")
