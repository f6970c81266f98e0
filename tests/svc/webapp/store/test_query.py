"""Every statement of a hot path carries its keyspace's sharding key; checked on the stores' own text."""

from __future__ import annotations

import inspect

import pytest

from svc.webapp.store.bulk import Bulk
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.query import query_of
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

METHODS = [
    pytest.param(method, id=f"{store.__name__}.{name}")
    for store in (WorkspaceStore, ChannelStore, UserStore, OutboxStore, Bulk)
    for name, method in inspect.getmembers(store, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_names_its_keyspace_and_key(method: object) -> None:
    """A method that may visit every shard says why."""
    assert callable(method)
    mark = query_of(method)
    assert mark is not None
    parameters = set(inspect.signature(method).parameters)
    keyed = mark.sharding_key in parameters or mark.sharding_key + "s" in parameters
    carriers = {"user", "team", "bot", "token", "membership", "conversation", "keys", "after"}
    rows = {"users", "conversations", "members", "memberships", "rows", "heads", "mentions", "prefs", "emoji"}
    assert mark.scatter or keyed or parameters & (carriers | rows), "no sharding key among its arguments"
