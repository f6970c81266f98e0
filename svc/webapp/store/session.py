"""What a connection is told when it begins, by the kind of server at its end. Pure.

Every statement ends on the server's side as well: a caller that gave up closes its connection, which MariaDB notices
only when it has an answer to write, and the query would go on burning for nobody.
"""

import math

__all__ = ["READ_ONLY", "is_read_only", "session_statements"]

LOCK_WAIT_S = 3
"""Shorter than a statement's deadline, so that who waits for a lock is told what for."""

_ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
"""No gap locks, so that writers of different channels never wait for each other."""
_STRICT = "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
"""A value that does not fit is an error, never cut to size."""

READ_ONLY = "SELECT @@global.read_only"
"""Asked of a server that is said to be the primary; see `is_read_only`."""


def session_statements(version: str, statement_s: float) -> tuple[str, ...]:
    """Return the statements for a server of this version (of its greeting), with a statement's deadline in seconds.

    MariaDB ends every statement in time, and a transaction whose owner hangs, which would keep its locks. MySQL ends
    reads alone; its writes end with their locks. Behind VTGate the tablets' own limits do it: see ops/vitess.
    """
    settings = [f"innodb_lock_wait_timeout = {LOCK_WAIT_S}", _STRICT]
    name = version.lower()
    if "vitess" in name:
        # SESSION here would set what tablets have already; equal values cost no connection of one's own.
        return (_ISOLATION, f"SET SESSION {', '.join(settings)}")
    if "mariadb" in name:
        settings.append(f"max_statement_time = {statement_s:g}")
        settings.append(f"idle_transaction_timeout = {max(1, math.ceil(statement_s))}")
    else:
        settings.append(f"max_execution_time = {max(1, math.ceil(statement_s * 1000))}")
    return (_ISOLATION, f"SET SESSION {', '.join(settings)}")


def is_read_only(value: object) -> bool:
    """Tell what the answer to READ_ONLY means: 0 or 1, and names of modes since MariaDB 12."""
    return str(value).upper() not in ("0", "OFF")
