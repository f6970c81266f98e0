"""What MySQL's error numbers mean to us: the kit's error tree, and the questions that a retry asks."""

import asyncio

import pymysql

from svc.kit.errors import (
    AlreadyExistsError,
    DeadlineError,
    InternalError,
    InvalidArgumentError,
    ParleyError,
    ResourceExhaustedError,
    UnavailableError,
)

__all__ = [
    "connection_lost",
    "error_code",
    "is_conflict",
    "is_duplicate",
    "is_passing",
    "is_refused_commit",
    "translate",
]

_CONNECTION = frozenset({1053, 1077, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 4031})
"""Shutdown, killed, refused, gone away, lost during query, out of sync, idle for too long."""
_DUPLICATE = frozenset({1062, 1586})
_BUSY = frozenset({1040, 1203, 1226})
"""Too many connections, of the server or of the user."""
_CONFLICT = frozenset({1205, 1213})
"""Lock wait timeout, deadlock: the transaction changed nothing and may be tried again."""
_REFUSED = frozenset({1048, 1153, 1264, 1265, 1267, 1366, 1406, 3988})
"""Values that the columns do not take: out of range, too long, not in the character set, over the packet size."""
_TIMED_OUT = frozenset({1028, 1317, 1969, 3024})
"""Interrupted, by the server's own limit on a statement; VTGate says 1317 for all that took too long."""
_DEMOTED = frozenset({1290, 1836})
"""The server may not write (any more): another one is the primary, or is about to be."""
_UNSAID = frozenset({1105})
"""VTGate's number for everything that has none, such as a tablet that is away or changing roles."""
_PASSING = _CONFLICT | _DEMOTED | _UNSAID | _TIMED_OUT | _BUSY


def error_code(error: BaseException) -> int:
    """Return MySQL's error number, 0 when there is none."""
    code = error.args[0] if isinstance(error, pymysql.err.MySQLError) and error.args else 0
    return code if isinstance(code, int) else 0


def connection_lost(error: BaseException) -> bool:
    """Tell whether the connection is gone, so that nothing is known of the statement that was under way."""
    gone = (pymysql.err.InterfaceError, ConnectionError, EOFError, asyncio.IncompleteReadError)
    return isinstance(error, gone) or error_code(error) in _CONNECTION


def is_conflict(error: BaseException) -> bool:
    """Tell whether another transaction was in the way, so that trying again may help."""
    return error_code(error) in _CONFLICT


def is_passing(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed a moment later, provided that nothing of it was committed."""
    away = OSError | EOFError | UnavailableError | ResourceExhaustedError
    return isinstance(error, away) or connection_lost(error) or error_code(error) in _PASSING


def is_refused_commit(error: BaseException) -> bool:
    """Tell whether an error answered to COMMIT means for certain that nothing was committed.

    Of any other answer nobody knows: the transaction may be in the log of a server that was interrupted while it
    waited for a replica, or on one of the shards behind a VTGate.
    """
    return error_code(error) in _CONFLICT | _DEMOTED


def is_duplicate(error: BaseException) -> bool:
    """Tell whether a unique key refused a row."""
    return error_code(error) in _DUPLICATE


def translate(error: Exception, keyspace: str) -> ParleyError:
    """Return the kit's error for one of the driver's; `keyspace` becomes its subject."""
    if isinstance(error, ParleyError):
        return error
    code, text = error_code(error), f"{keyspace} keyspace: {error}"
    if isinstance(error, TimeoutError) or code in _TIMED_OUT:
        return DeadlineError(f"{keyspace} keyspace: no answer in time", subject=keyspace)
    by_code = {
        _DUPLICATE: AlreadyExistsError,
        _REFUSED: InvalidArgumentError,
        _BUSY: ResourceExhaustedError,
        _CONFLICT | _DEMOTED | _UNSAID: UnavailableError,
    }
    for codes, kind in by_code.items():
        if code in codes:
            return kind(text, subject=keyspace)
    if isinstance(error, TypeError | ValueError):
        return InvalidArgumentError(text, subject=keyspace)
    if connection_lost(error) or isinstance(error, OSError):
        return UnavailableError(text, subject=keyspace)
    return InternalError(text, subject=keyspace)
