"""MariaDB's GTIDs as sets: what a server has, and what it has that another lacks. Pure.

A GTID is `domain-server-number`. `@@gtid_binlog_state` holds the highest number of every server in every domain.
Replicas log what they apply (`log_slave_updates`) in strict order, so a server has all of another's transactions up to
that number, and two states compare number by number. Source: MariaDB Knowledge Base, "Global Transaction ID".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_GTID = re.compile(r"(\d+)-(\d+)-(\d+)")

Origin = tuple[int, int]
"""Domain and server id."""


@dataclass(frozen=True, slots=True)
class Position:
    """The transactions that a server has: the highest number of each domain and server."""

    highest: Mapping[Origin, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, *texts: str) -> Position:
        """Return everything that any of the lists names: `0-1-100,0-2-7`, or "". Raises ValueError on another form."""
        highest: dict[Origin, int] = {}
        for part in (part.strip() for text in texts for part in text.split(",")):
            found = _GTID.fullmatch(part)
            if found:
                domain, server, number = map(int, found.groups())
                highest[domain, server] = max(highest.get((domain, server), 0), number)
            elif part:
                raise ValueError(f"{part!r} is no GTID")
        return cls(MappingProxyType(highest))

    def beyond(self, other: Position) -> Position:
        """Return what this has and `other` lacks, each origin by its highest number; empty when it is all there."""
        ahead = {origin: number for origin, number in self.highest.items() if number > other.highest.get(origin, 0)}
        return Position(MappingProxyType(ahead))

    def last(self) -> dict[int, int]:
        """Return the highest number of each domain: with strict mode numbers rise over all servers of a domain."""
        numbers: dict[int, int] = {}
        for (domain, _), number in self.highest.items():
            numbers[domain] = max(numbers.get(domain, 0), number)
        return numbers

    def distance(self, behind: Position) -> int:
        """Return how many transactions `behind` has yet to get at most, counted by the numbers of each domain."""
        has = behind.last()
        return sum(max(0, number - has.get(domain, 0)) for domain, number in self.last().items())

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.highest)

    def __str__(self) -> str:
        """Return the list as MariaDB writes it."""
        return ",".join(self._texts())

    def _texts(self) -> Iterator[str]:
        for (domain, server), number in sorted(self.highest.items()):
            yield f"{domain}-{server}-{number}"
