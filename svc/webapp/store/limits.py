"""Bounds of a keyspace's connections. Pure."""

from dataclasses import dataclass

__all__ = ["PoolLimits"]


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of one keyspace's pool."""

    connections_max: int = 8
    """More than a few a core of the database help nobody: a small pool queues here instead of there."""
    waiting_max: int = 1024
    """Callers that may wait for a connection, by class; the others get ResourceExhaustedError. See `admission`."""
    acquire_s: float = 2.0
    """How long one waits at most; then ResourceExhaustedError."""
    connect_s: float = 2.0
    statement_s: float = 5.0
    """Deadline of one statement; past it the connection is closed and DeadlineError raised. The server gives up on it
    as well, see `session`."""
    idle_s: float = 300.0
    """A connection unused for longer is replaced: firewalls and servers forget them silently."""
