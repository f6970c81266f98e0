"""What a MariaDB that has a replica, or is one, is started with: options, and users. Pure.

It starts read-only, and is opened once it is known to be the primary. The order of commits: binary log, replica's relay
log, InnoDB, answer (AFTER_SYNC): what nobody else has was never seen by anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

SEMI_SYNC_TIMEOUT_MS = 3_000
"""How long a commit waits for the replica before replication goes on without it. Longer than a replica's restart (1 s),
so that one does not turn it off; shorter than the webapp's deadline of a statement (5 s), so that posts are late, not
failed; and several times the interval of the watch, so that a death between two looks is proven harmless."""

BINLOG_KEPT_S = 7 * 86_400
"""A replica that was away for longer is made anew."""

OPS_DATABASE = "parley_ops"
"""Where a failover writes its proof."""

SETTINGS = {
    "log-bin": "binlog",
    "log-slave-updates": "ON",
    "binlog-format": "ROW",
    "binlog-expire-logs-seconds": str(BINLOG_KEPT_S),
    # A commit is in the log on disk before a replica is told.
    "sync-binlog": "1",
    "gtid-strict-mode": "ON",
    "relay-log": "relay",
    "relay-log-recovery": "ON",
    # Whom to follow is said after the start: ports change, and so do roles.
    "skip-slave-start": "ON",
    "slave-net-timeout": "5",
    # A replica commits in the primary's order, but syncs several transactions at once: one by one it falls behind.
    "slave-parallel-threads": "4",
    "read-only": "ON",
    "rpl-semi-sync-master-timeout": str(SEMI_SYNC_TIMEOUT_MS),
    "rpl-semi-sync-master-wait-point": "AFTER_SYNC",
    # At its end a replica asks its primary to forget it, which a dead one does not answer.
    "rpl-semi-sync-slave-kill-conn-timeout": "1",
}


class Role(Enum):
    """What a server is started as; it may change while it runs."""

    PRIMARY = "primary"
    REPLICA = "replica"
    SUSPECT = "suspect"
    """A replica that may have what nobody else has, after a failover that was forced."""


ROLE_SETTINGS = {
    # What its log has, it has: the replica may have it as well.
    Role.PRIMARY: {"rpl-semi-sync-master-enabled": "ON", "loose-init-rpl-role": "MASTER"},
    # As a primary it keeps what its log has; whether it can follow is found out once it runs.
    Role.SUSPECT: {"rpl-semi-sync-slave-enabled": "ON", "loose-init-rpl-role": "MASTER"},
    # What was in its log and not yet committed when it died as the primary was never answered, and the new primary may
    # not have it: it is cut off from the log (MariaDB 10.6 and later; older ones do not know the option).
    Role.REPLICA: {"rpl-semi-sync-slave-enabled": "ON", "loose-init-rpl-role": "SLAVE"},
}

OPS_RIGHTS = (
    "READ_ONLY ADMIN, CONNECTION ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, BINLOG MONITOR,"
    " BINLOG ADMIN, SLAVE MONITOR, PROCESS, RELOAD"
)


@dataclass(frozen=True, slots=True)
class Pairing:
    """What makes a server one of a pair. Passwords of the users that change roles, and that replicas log in with."""

    server_id: int
    ops_password: str
    replication_password: str


def options(pairing: Pairing, role: Role) -> dict[str, str]:
    """Return the options of a start in a role."""
    return {**SETTINGS, **ROLE_SETTINGS[role], "server-id": str(pairing.server_id)}


def statements(pairing: Pairing, databases: Sequence[str]) -> list[str]:
    """Return what each start runs before anybody may connect: the users. The caller keeps it out of the binary log."""
    ops, replication = "'parley_ops'@'127.0.0.1'", "'parley_repl'@'127.0.0.1'"
    lines = [f"CREATE DATABASE IF NOT EXISTS {OPS_DATABASE};"]
    for user, password in ((ops, pairing.ops_password), (replication, pairing.replication_password)):
        lines.append(f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}';")
        lines.append(f"ALTER USER {user} IDENTIFIED BY '{password}';")
    lines.append(f"GRANT REPLICATION SLAVE ON *.* TO {replication};")
    lines.append(f"GRANT {OPS_RIGHTS} ON *.* TO {ops};")
    lines += [f"GRANT ALL ON {database}.* TO {ops};" for database in (*databases, OPS_DATABASE)]
    return lines
