"""Giving an empty server the data of a primary that goes on serving: rows, and the place in the log to go on from.

One consistent snapshot, taken under a global read lock that lasts for some milliseconds. Rows travel through this
process, some ten thousand a second: right for a workspace on one machine; a fleet restores a physical backup instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymysql.converters import escape_item

from ops.database.node import Node, Session

BATCH_ROWS = 500
"""Rows a statement; at 64 KiB an event, the most that one has, half of the packet that the servers take."""

BATCH_S = 60.0
"""Deadline of a batch."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows in all, and the GTID position that they are the state of."""

    rows: int
    position: str


async def copy(primary: Node, empty: Node, databases: Sequence[str], say: Callable[[str], None]) -> Copied:
    """Replace `databases` on `empty` by the primary's, and leave it ready to follow. Raises NodeError.

    What `empty` had in them is gone, and its binary log too. A copy that was cut short has to be made again: nothing
    marks it as whole but the caller.
    """
    async with primary.session() as source, empty.session() as target:
        state, position = await _snapshot(source)
        await target.run(
            "STOP SLAVE",
            "RESET SLAVE ALL",
            "SET sql_log_bin = 0, foreign_key_checks = 0, unique_checks = 0, time_zone = '+00:00'",
        )
        rows = 0
        for database in databases:
            await target.run(f"DROP DATABASE IF EXISTS `{database}`", f"CREATE DATABASE `{database}`")
            for table in await _tables(source, database):
                copied = await _table(source, target, database, table)
                rows += copied
                say(f"copied {copied} rows of {database}.{table}")
        await target.run(
            "RESET MASTER",
            f"SET GLOBAL gtid_binlog_state = '{state}'",
            f"SET GLOBAL gtid_slave_pos = '{position}'",
        )
        return Copied(rows, position)


async def _snapshot(source: Session) -> tuple[str, str]:
    """Open a consistent snapshot; return the binary log's state and position at that very moment."""
    await source.run(
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET time_zone = '+00:00'",
        "FLUSH TABLES WITH READ LOCK",
    )
    found = (await source.rows("SELECT @@gtid_binlog_state AS state, @@gtid_current_pos AS position"))[0]
    await source.run("START TRANSACTION WITH CONSISTENT SNAPSHOT", "UNLOCK TABLES")
    return found["state"], found["position"]


async def _tables(source: Session, database: str) -> list[str]:
    found = await source.rows(
        "SELECT TABLE_NAME AS name FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1",
        (database,),
    )
    return [row["name"] for row in found]


async def _table(source: Session, target: Session, database: str, table: str) -> int:
    """Copy one table; return how many rows it has. What the server computes itself is not copied."""
    name = f"`{database}`.`{table}`"
    made = (await source.rows(f"SHOW CREATE TABLE {name}"))[0]["Create Table"]
    await target.run(f"USE `{database}`", made)
    columns = await source.rows(
        "SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
        " AND IS_GENERATED = 'NEVER' ORDER BY ORDINAL_POSITION",
        (database, table),
    )
    names = ", ".join(f"`{column['name']}`" for column in columns)
    rows = 0
    async for batch in source.batches(f"SELECT {names} FROM {name}", BATCH_ROWS, BATCH_S):  # noqa: S608, the server's own
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in batch)
        await target.run(f"INSERT INTO {name} ({names}) VALUES {values}", within_s=BATCH_S)  # noqa: S608, as above
        rows += len(batch)
    return rows


def literal(value: object) -> str:
    """Return a value of a row as SQL. Bytes are hex: of no character set, and faster to make than escapes."""
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return str(escape_item(value, "utf8mb4"))  # type: ignore[no-untyped-call]
