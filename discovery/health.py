"""Health queries: who of a service passes, and waiting until that changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from discovery.query import AgentQueries
from discovery.view import Instance, parse_instances
from svc.kit.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """One good answer of a health query."""

    index: int
    """X-Consul-Index as answered: may be lower than the one asked with, or 0. See `view.next_index`."""
    instances: tuple[Instance, ...]
    """The passing instances, ordered by id."""


class HealthQueries(AgentQueries):
    """Health queries to an agent."""

    async def passing(
        self, service: str, *, index: int = 0, wait_s: float = 0.0, consistent: bool = False
    ) -> HealthAnswer:
        """Return the passing instances of a service; with `index` > 0 block for news, `wait_s` at most.

        Raises as `ask` does.
        """
        path = f"/v1/health/service/{quote(service, safe='')}"
        answered = await self.ask(path, {"passing": "1"}, index=index, wait_s=wait_s, consistent=consistent)
        try:
            return HealthAnswer(answered.index, parse_instances(_entries(answered.body or b"")))
        except (ValueError, TypeError, AttributeError) as error:
            raise UnavailableError(f"Consul's answer about {service} makes no sense: {error}") from error


def _entries(body: bytes) -> list[Mapping[str, object]]:
    entries = json.loads(body)
    if not isinstance(entries, list):
        raise TypeError(f"a list is expected, not {type(entries).__name__}")
    return entries
