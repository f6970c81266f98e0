"""Marks on the store's methods: which keyspace and sharding key each statement uses, so that a check can list them.

`replica` says why a method may ask a replica (`Database.settled_rows`). One that is asked lacks nothing that was
committed more than LagRules.lag_max_s ago, so it answers right whatever cannot have changed since: to everybody, also
to whoever wrote last, and through another webapp. Two kinds of reads are so:

1. Rows that never change once they are there, when it is known that all of them are: log events up to a head.
2. What belongs to a channel or workspace that has been quiet for SETTLED_S, by its head on the primary: every change is
   told by an event there before its writer is answered.

Everything else goes to the primary: what a request decides by (tokens, memberships, names), what is read in order to be
written, and whatever fills a cache, which would keep a stale answer for longer than the lag.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

__all__ = ["KEYSPACES", "SETTLED_S", "Keyspace", "Query", "query", "query_of"]

Keyspace = Literal["workspace", "channel", "user"]
KEYSPACES: tuple[Keyspace, ...] = ("workspace", "channel", "user")
SHARDING_KEYS: dict[Keyspace, str] = {"workspace": "team_id", "channel": "channel_id", "user": "user_id"}
SETTLED_S = 30.0
"""What has an older ts is on every replica that is asked: they may be 2 s behind, a commit may take 10 s from its ts to
its answer, and the rest is for clocks that differ."""

_Method = TypeVar("_Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Query:
    """Where a method's statements go. `scatter` says why they may visit every shard; "" when the key is in each.
    `replica` says why some of them may be answered by a replica; "" when all go to the primary.
    """

    keyspace: Keyspace
    scatter: str = ""
    replica: str = ""

    @property
    def sharding_key(self) -> str:
        """The column that every statement of the method carries."""
        return SHARDING_KEYS[self.keyspace]


def query(keyspace: Keyspace, *, scatter: str = "", replica: str = "") -> Callable[[_Method], _Method]:
    """Mark a store method: its statements carry the keyspace's sharding key, or `scatter` says why they do not."""

    def mark(method: _Method) -> _Method:
        method.__query__ = Query(keyspace, scatter, replica)  # type: ignore[attr-defined]
        return method

    return mark


def query_of(method: Callable[..., Any]) -> Query | None:
    """Return a method's mark, None when it has none."""
    found = getattr(method, "__query__", None)
    return found if isinstance(found, Query) else None
