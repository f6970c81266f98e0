"""Making a server a primary or a replica. Each step may be repeated; two who do it at once take turns.

A server has its role only while it runs: whoever starts it gives it its role again, from what Consul says by then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ops.database.node import Node, NodeError, Session
from ops.database.positions import Position
from ops.database.status import Reach, Status

TURN_S = 10
"""How long one waits for another who is changing the same server's role."""

RETRY_S = 1
"""How often a replica tries to reach its primary again; by default it is a minute."""

HEARTBEAT_S = 1
"""A silent primary says this often that it is there; without a word for five times as long the replica reconnects."""


class DivergedError(NodeError):
    """A server has transactions that its primary never got: as a replica it would silently hold other data."""

    def __init__(self, address: str, primary: str, extra: Position, *, is_own: bool) -> None:
        """Take what it has too much; `is_own` says that all of it was written on this server itself."""
        super().__init__(address, Reach.UP, f"it has {extra}, which {primary} has not; it cannot follow that server")
        self.extra = extra
        self.is_own = is_own


@asynccontextmanager
async def _turn(node: Node) -> AsyncIterator[Session]:
    """Yield a session whose owner alone changes this server's role."""
    async with node.session() as session:
        if not (await session.rows(f"SELECT GET_LOCK('parley-role', {TURN_S}) AS got", within_s=TURN_S + 1))[0]["got"]:
            raise NodeError(node.address, Reach.UP, f"somebody else has been changing its role for {TURN_S} s")
        yield session


@asynccontextmanager
async def moving(node: Node) -> AsyncIterator[None]:
    """Be the only one who takes this server through a failover; whoever dies meanwhile holds nobody up.

    Raises NodeError at once when somebody else does, or when the server does not answer.
    """
    async with node.session() as session:
        if not (await session.rows("SELECT GET_LOCK('parley-failover', 0) AS got"))[0]["got"]:
            raise NodeError(node.address, Reach.UP, "another failover of this server is under way")
        yield


async def become_primary(node: Node, *, has_replica: bool) -> None:
    """Make a server take writes. With `has_replica` a commit waits for one from the first on.

    Without, nobody could answer: commits do not wait until `wait_for_replicas` says so. Raises NodeError.
    """
    async with _turn(node) as session:
        await session.run(
            "STOP SLAVE",
            "RESET SLAVE ALL",
            "SET GLOBAL rpl_semi_sync_slave_enabled = 0",
            "SET GLOBAL rpl_semi_sync_master_enabled = 1",
            f"SET GLOBAL rpl_semi_sync_master_wait_no_slave = {int(has_replica)}",
            "SET GLOBAL read_only = 0",
        )


async def wait_for_replicas(node: Node) -> None:
    """Let commits wait for a replica also while none is connected: from now on the loss of one is noticed."""
    async with node.session() as session:
        await session.run("SET GLOBAL rpl_semi_sync_master_wait_no_slave = 1")


async def become_replica(node: Node, primary: Node) -> None:
    """Make a server follow `primary`, and take no other writes.

    Raises DivergedError when it has what the primary lacks; NodeError when either does not answer.
    """
    theirs = await primary.status()
    if not theirs.is_up:
        raise NodeError(primary.address, theirs.reach, theirs.detail)
    async with _turn(node) as session:
        await shut(session, node)
        mine = await session.status()
        if _follows(mine, primary.address):
            return
        extra = mine.has.beyond(theirs.has)
        if extra:
            is_own = all(server == mine.server_id for _, server in extra.highest)
            raise DivergedError(node.address, primary.address, extra, is_own=is_own)
        await session.run(
            "STOP SLAVE",
            "SET GLOBAL rpl_semi_sync_master_enabled = 0",
            "SET GLOBAL rpl_semi_sync_slave_enabled = 1",
            f"SET GLOBAL gtid_slave_pos = '{mine.position}'",
            _change_master(primary),
            "START SLAVE",
        )


def _follows(status: Status, primary: str) -> bool:
    return status.is_in_step and status.replication is not None and status.replication.source == primary


def _change_master(primary: Node) -> str:
    host, _, port = primary.address.rpartition(":")
    credentials = primary.credentials
    return (
        f"CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='{credentials.replication_user}',"
        f" MASTER_PASSWORD='{credentials.replication_password}', MASTER_USE_GTID=slave_pos,"
        f" MASTER_CONNECT_RETRY={RETRY_S}, MASTER_HEARTBEAT_PERIOD={HEARTBEAT_S}"
    )


async def shut(session: Session, node: Node) -> int:
    """Fence a server: no more writes, and nobody connected who might believe otherwise; return how many were cut off.

    Commits under way end first: each is either on a replica or was never answered. `read_only` stops everybody without
    READ ONLY ADMIN or SUPER; the application's user must have neither.
    """
    await session.run("SET GLOBAL read_only = 1")
    ours = (node.credentials.ops_user, node.credentials.replication_user, "system user", "event_scheduler")
    found = await session.rows("SELECT ID FROM information_schema.PROCESSLIST WHERE USER NOT IN (%s, %s, %s, %s)", ours)
    for row in found:
        try:
            await session.run(f"KILL CONNECTION {row['ID']}")
        except NodeError:
            if not await session.rows("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %s", (row["ID"],)):
                continue  # it went by itself
            raise
    return len(found)
