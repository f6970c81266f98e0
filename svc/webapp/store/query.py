"""Marks on the store's methods: which keyspace and sharding key each statement uses, so that a check can list them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

__all__ = ["KEYSPACES", "Keyspace", "Query", "query", "query_of"]

Keyspace = Literal["workspace", "channel", "user"]
KEYSPACES: tuple[Keyspace, ...] = ("workspace", "channel", "user")
SHARDING_KEYS: dict[Keyspace, str] = {"workspace": "team_id", "channel": "channel_id", "user": "user_id"}

_Method = TypeVar("_Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Query:
    """Where a method's statements go. `scatter` says why they may visit every shard; "" when the key is in each."""

    keyspace: Keyspace
    scatter: str = ""

    @property
    def sharding_key(self) -> str:
        """The column that every statement of the method carries."""
        return SHARDING_KEYS[self.keyspace]


def query(keyspace: Keyspace, *, scatter: str = "") -> Callable[[_Method], _Method]:
    """Mark a store method: its statements carry the keyspace's sharding key, or `scatter` says why they do not."""

    def mark(method: _Method) -> _Method:
        method.__query__ = Query(keyspace, scatter)  # type: ignore[attr-defined]
        return method

    return mark


def query_of(method: Callable[..., Any]) -> Query | None:
    """Return a method's mark, None when it has none."""
    found = getattr(method, "__query__", None)
    return found if isinstance(found, Query) else None
